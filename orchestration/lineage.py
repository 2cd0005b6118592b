"""Which columns a query's columns come from. Reads SQL only: no database, no Dagster."""

from collections.abc import Mapping, Sequence

# As `schema.table`, and the name of a column there.
Source = tuple[str, str]


def column_lineage(query: str, tables: Mapping[str, Sequence[str]]) -> dict[str, list[Source]]:
    """For each column of a Postgres query, the columns of `tables` that it is made of.

    `tables` gives the columns of `schema.table`s, which is needed where the query names no table before a column.
    dagster-dbt's own optimizes the query anew for each column: 11 s for 25 models, of which one with 73 columns takes
    9; here it is qualified once, which takes 0.2 s. Raises sqlglot's SqlglotError where the query is beyond it.
    """
    from sqlglot import exp, parse_one
    from sqlglot.lineage import lineage
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope
    from sqlglot.schema import MappingSchema

    tree = parse_one(query, dialect="postgres")
    # Which rows are taken says nothing about what columns are made of, and reads tables that are no asset.
    for condition in list(tree.find_all(exp.Where)):
        condition.pop()
    schema = MappingSchema(_nested(tables), dialect="postgres")
    qualified = qualify(tree, schema=schema, dialect="postgres", validate_qualify_columns=False, identify=False)
    assert isinstance(qualified, exp.Query)
    scope = build_scope(qualified)
    found: dict[str, list[Source]] = {}
    for column in qualified.named_selects:
        tree_of_sources = lineage(
            column, qualified, schema, scope=scope, dialect="postgres", trim_selects=False, copy=False
        )
        sources: set[Source] = set()
        for node in tree_of_sources.walk():
            table = node.expression.find(exp.Table) if not node.downstream else None
            # As `alias.column`; a star stands for columns that nobody named.
            source = node.name.rpartition(".")[2].strip('"')
            if table is not None and f"{table.db}.{table.name}" in tables and source != "*":
                sources.add((f"{table.db}.{table.name}", source))
        found[column] = sorted(sources)
    return found


def _nested(tables: Mapping[str, Sequence[str]]) -> dict[str, object]:
    """The same tables as {schema: {table: {column: type}}}; a type is asked for, which one plays no part."""
    nested: dict[str, dict[str, dict[str, str]]] = {}
    for name, columns in tables.items():
        if not columns:
            continue
        schema, table = name.split(".")
        nested.setdefault(schema, {})[table] = dict.fromkeys(columns, "text")
    return dict(nested)
