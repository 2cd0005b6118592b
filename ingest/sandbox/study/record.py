"""A study's record, put together from its modules; only those that are asked for are computed."""

from collections.abc import Callable, Collection
from typing import Any

from ingest.sandbox.draws import Draw, mix
from ingest.sandbox.population import NIGHT_ZERO, Population
from ingest.sandbox.study import content, derived, protocol, results, sites
from ingest.sandbox.study.adverse_events import adverse_events
from ingest.sandbox.study.facts import Facts, first_facts
from ingest.sandbox.study.revisions import revise

Module = dict[str, Any]
Build = Callable[[Facts, Draw], Module]

MODULES: dict[str, dict[str, Build]] = {
    "protocolSection": {
        "identificationModule": protocol.identification,
        "statusModule": protocol.status,
        "sponsorCollaboratorsModule": protocol.sponsors,
        "oversightModule": protocol.oversight,
        "descriptionModule": content.description,
        "conditionsModule": content.conditions,
        "designModule": protocol.design,
        "armsInterventionsModule": content.arms_interventions,
        "outcomesModule": content.outcomes,
        "eligibilityModule": content.eligibility,
        "contactsLocationsModule": sites.contacts_locations,
        "referencesModule": sites.references,
        "ipdSharingStatementModule": sites.ipd_sharing,
    },
    "resultsSection": {
        "participantFlowModule": results.participant_flow,
        "baselineCharacteristicsModule": results.baseline,
        "outcomeMeasuresModule": results.outcome_measures,
        "adverseEventsModule": adverse_events,
        "moreInfoModule": results.more_info,
    },
    "annotationSection": {"annotationModule": derived.unposted_results},
    "documentSection": {"largeDocumentModule": derived.large_documents},
    "derivedSection": {
        "miscInfoModule": derived.misc_info,
        "conditionBrowseModule": derived.condition_browse,
        "interventionBrowseModule": derived.intervention_browse,
    },
}
_FIRST, _WORDS, _REVISION = 1, 2, 3
# Every module draws from a stream of its own, so that asking for one module alone gives what the whole record has.
_STREAM = {name: 10 + k for k, name in enumerate(name for section in MODULES.values() for name in section)}


def nct_id(index: int) -> str:
    """Synthetic studies are NCT90000000 and above, which the real registry is decades away from."""
    return f"NCT9{index:07d}"


def facts_of(population: Population, index: int, draw: Draw) -> Facts:
    """The facts of a study on the population's night, all updates up to then applied."""
    seed, outline = population.seed, population.outline(index)
    draw.reseed(mix(seed, index, _FIRST))
    facts = first_facts(index, nct_id(index), population.day(), outline, draw)
    for night in population.change_nights(index, outline):
        draw.reseed(mix(seed, index, _REVISION + 1000 * night))
        revise(facts, NIGHT_ZERO + night, draw)
    dated = set(population.change_nights(index, outline))
    facts.silent = sum(1 for night in population.silent_nights(index) if night not in dated)
    draw.reseed(mix(seed, index, _WORDS))
    facts.words = protocol.words_of(facts, draw)
    facts.verbosity = draw.spread(1.0, 0.5)
    facts.richness = draw.spread(1.15 if facts.lead.agency_class == "INDUSTRY" else 0.75, 1.15)
    return facts


def record(population: Population, index: int, draw: Draw, only: Collection[str] | None = None) -> Module:
    """The study as the API gives it, or just the named modules of it. For `orjson`: sites may be rendered already."""
    facts = facts_of(population, index, draw)
    study: Module = {}
    for section, modules in MODULES.items():
        if section == "resultsSection" and facts.results_posted is None:
            continue
        built: Module = {}
        for name, build in modules.items():
            if only is not None and name not in only:
                continue
            draw.reseed(mix(population.seed, index, _STREAM[name]))
            if module := build(facts, draw):
                built[name] = module
        if built:
            study[section] = built
    study["hasResults"] = facts.results_posted is not None
    return study
