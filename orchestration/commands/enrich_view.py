"""How `bioloupe enrich` shows what it did."""

from rich.console import Console
from rich.table import Table

from orchestration.enrichment.evaluation import Evaluation
from orchestration.enrichment.runner import RunSummary


def show_run(console: Console, run: RunSummary) -> None:
    """What was read, by whom, at what cost, what was left, and why."""
    console.print(
        f"{run.task} by {run.model}, version {run.version}: {run.read:,} of {run.unread_before:,} unread texts read "
        f"in {run.seconds:.1f} s ({run.by_rule:,} by keywords, {run.by_llm:,} by the model), {run.failed:,} failed, "
        f"{run.unread:,} left",
        soft_wrap=True,
    )
    cost = "cost unknown" if run.cost_usd is None else f"${run.cost_usd:.4f}"
    if run.calls:
        console.print(
            f"{run.calls:,} calls, {run.prompt_tokens:,} tokens sent ({run.cached_tokens:,} of them cached), "
            f"{run.completion_tokens:,} received, {cost}"
        )
    for text, error in run.failures:
        console.print(f"[yellow]failed[/] {error}: ", end="")
        console.print(text, markup=False)
    if run.budget_spent:
        console.print(
            "[yellow]the budget of calls is spent[/]: the next run goes on (--max-calls, BIOLOUPE_LLM_MAX_CALLS)"
        )
    if run.stopped:
        console.print("[red]stopped[/]: ", end="")
        console.print(run.stopped, markup=False, soft_wrap=True)


def show_evaluation(console: Console, result: Evaluation) -> None:
    """Run, coverage, figures, classes, confusion, and each error with its text."""
    show_run(console, result.run)
    labelled = len(result.rows) + len(result.missing)
    console.print(f"\n{len(result.rows):,} of {labelled:,} labelled studies have their text in the warehouse")
    if result.missing:
        shown = ", ".join(result.missing[:10]) + (", …" if len(result.missing) > 10 else "")
        console.print(f"[yellow]not in the warehouse[/]: {shown}", soft_wrap=True)
    if not result.rows:
        return
    labelled_second, found, extra = result.seconds
    console.print(
        f"[bold]accuracy {result.accuracy:.3f}[/]   macro-F1 {result.macro_f1:.3f}   of {len(result.rows)} rows"
    )
    console.print(
        f"second reason: {found} of {labelled_second} found; given for {extra} of "
        f"{len(result.rows) - labelled_second} texts that have none"
    )
    for column in ("method", "confidence"):
        parts = [f"{key} {right}/{every}" for key, (right, every) in sorted(result.by(column).items())]
        console.print(f"right by {column}: {', '.join(parts)}")
    console.print(_classes(result))
    console.print(_confusion(result))
    _show_errors(console, result)


def _classes(result: Evaluation) -> Table:
    table = Table("class", title="per class", title_justify="left", box=None)
    for name in ("labelled", "precision", "recall", "F1"):
        table.add_column(name, justify="right")
    for score in result.classes:
        figures = (f"{figure:.2f}" for figure in (score.precision, score.recall, score.f1))
        table.add_row(score.label, str(score.support), *figures)
    return table


def _confusion(result: Evaluation) -> Table:
    """Rows are labels, columns what was answered, numbered as the rows are, to fit a terminal."""
    counts = result.confusion
    labels = [score.label for score in result.classes]
    others = sorted({answered for _, answered in counts} - set(labels))
    table = Table(title="label (row) by answer (column)", title_justify="left", box=None, collapse_padding=True)
    table.add_column("", no_wrap=True)
    columns = [*labels, *others]
    for number, column in enumerate(columns, 1):
        table.add_column(str(number) if column in labels else column, justify="right", no_wrap=True)
    for number, label in enumerate(labels, 1):
        table.add_row(f"{number:2} {label}", *(str(counts[label, column] or "") for column in columns))
    return table


def _show_errors(console: Console, result: Evaluation) -> None:
    wrong = [row for row in result.rows if not row.right]
    console.print(f"{len(wrong)} wrong:")
    for row in wrong:
        how = f"{row.answer.get('method')}, {row.answer.get('confidence')}" if row.answer else "unread"
        console.print(
            f"  {row.gold.nct_id} {row.gold.label} → [red]{row.predicted}[/] ({how}): ", end="", soft_wrap=True
        )
        console.print(row.text, markup=False, soft_wrap=True)
