"""What is broken on purpose, and what must come of it: the alert, the block, the recovery."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from subprocess import CompletedProcess

from orchestration.drill.house import House, processes_of
from orchestration.drill.registry import lose_conditions_and_sites

ALIVE = "select count(*) from raw_ctgov.studies where deleted_at is null"


@dataclass(frozen=True)
class Claim:
    """Something that README promises: `promise` in words, whether it held, and what was seen.

    `shown`: what was seen is of interest where the promise held, too.
    """

    promise: str
    held: bool
    seen: str = ""
    shown: bool = False


@dataclass(frozen=True)
class Scenario:
    """One thing that goes wrong. `play` breaks, looks and mends, and yields claims as they are settled."""

    name: str
    title: str
    play: Callable[[House], Iterator[Claim]]


def full_budget(house: House) -> Iterator[Claim]:
    """The first night, with no call left for the language model; then one with calls."""
    house.registry.publish()
    poor = house.bioloupe("refresh", "--llm-calls", "0")
    yield Claim(
        "the refresh succeeds: a spent budget leaves texts unread and nothing else", poor.returncode == 0, _ending(poor)
    )
    alert = house.receiver.new()
    yield _told("an alert says that texts stay unread, and why", alert, "texts stay unread", "budget of calls is spent")
    calls = house.one("select count(*) from enrichment.llm_calls")
    yield Claim("nothing was paid for", calls == 0, f"{calls} calls in the ledger")
    rich = house.bioloupe("refresh", "--llm-calls", "500")
    yield Claim(
        "the next refresh reads the rest", rich.returncode == 0 and not _unread(house), f"{_unread(house)} unread"
    )
    yield _told("the recovery is told", house.receiver.new(), "works again", "reading")
    again = house.bioloupe("refresh")
    paid = house.one(
        "select count(*) - count(distinct (task, version, model, text_hash, attempt)) from enrichment.llm_calls"
    )
    yield Claim(
        "a third pays for no text twice, and says nothing",
        again.returncode == 0 and paid == 0 and not house.receiver.new(),
    )


def registry_down(house: House) -> Iterator[Claim]:
    """Nobody answers at the registry's address."""
    house.ensure_first_night()
    before = house.state()
    house.registry.stop()
    failed = house.bioloupe("refresh")
    yield Claim("the refresh fails", failed.returncode == 1, _ending(failed))
    yield _told(
        "an alert names the step and the reason in one line",
        house.receiver.new(),
        "load_clinicaltrials_gov",
        "no usable answer",
    )
    yield Claim("the warehouse is as it was", house.state() == before, str(house.state()))
    house.bioloupe("refresh")
    yield Claim("the same failure the next night tells nobody again", not house.receiver.new())
    house.registry.publish(share=0.05)
    mended = house.bioloupe("refresh")
    yield Claim("once it answers, the refresh succeeds", mended.returncode == 0, _ending(mended))
    yield _told("the recovery is told", house.receiver.new(), "works again", "load_clinicaltrials_gov")


def bad_night(house: House) -> Iterator[Claim]:
    """The registry publishes most studies anew without conditions and sites: well formed, and half empty."""
    house.ensure_first_night()
    calls, marts = (
        "select count(*) from enrichment.llm_calls",
        "select max(valid_from) from analytics.dim_trial_versions",
    )
    before = house.one(calls), house.one(marts)
    house.registry.publish(lose_conditions_and_sites, share=0.7)
    blocked = house.bioloupe("refresh")
    yield Claim("the refresh fails", blocked.returncode == 1, _ending(blocked))
    yield _told("an alert names the table that shrank", house.receiver.new(), "ctgov", "conditions", "fewer than")
    after = house.one(calls), house.one(marts)
    yield Claim("neither the paid reading nor a mart has run", after == before, f"{before} -> {after}")
    held = house.bioloupe("checks", "held")
    yield Claim(
        "`bioloupe checks held` lists it", held.returncode == 1 and "ctgov.conditions" in held.stdout, held.stdout
    )
    house.registry.publish(share=0.7)
    mended = house.bioloupe("refresh")
    yield Claim("a good night mends it", mended.returncode == 0, _ending(mended))
    yield _told("the recovery is told", house.receiver.new(), "works again", "conditions")
    yield Claim("nothing is held any more", house.bioloupe("checks", "held").returncode == 0)


def killed_run(house: House) -> Iterator[Claim]:
    """The machine goes off (SIGKILL) while staging is being built."""
    house.ensure_first_night()
    house.registry.publish(share=1.0)
    yield Claim("the refresh is killed in the middle", house.kill_while("staging", "refresh"))
    left = processes_of(house.folder)
    yield Claim("no process of it is left", not left, "; ".join(left))
    before = house.one(ALIVE)
    mended = house.bioloupe("refresh")
    yield Claim("the same command finishes the night", mended.returncode == 0, _ending(mended))
    told = house.receiver.new()
    yield _told("an alert says that the run died", told, "killed, or the machine was")
    yield _told("the recovery is told", told, "works again")
    staged, distinct = house.state()[:2]
    yield Claim(
        "nothing is lost, nothing is there twice", before <= staged == distinct, f"{before} alive, {staged} staged"
    )


SCENARIOS = (
    Scenario("full-budget", "The budget of calls to the language model is spent", full_budget),
    Scenario("registry-down", "The registry does not answer", registry_down),
    Scenario("bad-night", "The registry publishes half-empty records", bad_night),
    Scenario("killed-run", "The machine goes off in the middle", killed_run),
)


def _told(promise: str, messages: list[str], *words: str) -> Claim:
    """That one message has all these words; it is shown without its last line, which is a link."""
    fitting = [message for message in messages if all(word in message for word in words)]
    shown = (fitting or messages or ["no message came"])[0]
    return Claim(promise, bool(fitting), " | ".join(shown.splitlines()[:2]), shown=True)


def _ending(command: CompletedProcess[str]) -> str:
    """The last lines that a command said, errors included."""
    return "\n".join([*command.stdout.strip().splitlines()[-6:], *command.stderr.strip().splitlines()[-6:]])


def _unread(house: House) -> int:
    return int(house.one(
        "select count(*) from intermediate.int_stop_reason_texts as texts where not exists "
        "(select from enrichment.stop_reasons as answers where answers.text_hash = texts.text_hash)"
    ))  # fmt: skip
