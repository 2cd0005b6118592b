"""What the registry adds to a record: MeSH terms with their ancestors, the version, documents, overdue results."""

from typing import Any

from ingest.sandbox.draws import Draw
from ingest.sandbox.study.dates import iso
from ingest.sandbox.study.facts import Facts
from ingest.sandbox.vocabulary import cities, descriptors

Module = dict[str, Any]


def misc_info(facts: Facts, draw: Draw) -> Module:
    """`versionHolder` is the day of the data, the same in every record of a night: it says nothing of the record."""
    module: Module = {"versionHolder": iso(facts.data_day)}
    removed = {draw.weighted(cities()).country for _ in range(draw.whole(1, 4))} if draw.chance(0.038) else set()
    for _ in range(facts.silent):
        removed.add(draw.weighted(cities()).country)
    if removed:
        module["removedCountries"] = sorted(removed)
    return module


def condition_browse(facts: Facts, draw: Draw) -> Module:
    # A record derived anew, with no date to tell it, may find other terms.
    found = facts.condition_mesh if facts.silent % 2 == 0 else [*facts.condition_mesh, "D004194"]
    return _browse(found)


def intervention_browse(facts: Facts, draw: Draw) -> Module:
    return _browse([item.mesh_id for item in facts.interventions if item.mesh_id])


def _browse(mesh_ids: list[str]) -> Module:
    known = descriptors()
    found = [known[mesh_id] for mesh_id in dict.fromkeys(mesh_ids) if mesh_id in known]
    if not found:
        return {}
    module: Module = {"meshes": [{"id": d.mesh_id, "term": d.term} for d in found]}
    above = dict.fromkeys(ancestor for d in found for ancestor in d.ancestors)
    if above:
        module["ancestors"] = [{"id": mesh_id, "term": known[mesh_id].term} for mesh_id in above]
    return module


def large_documents(facts: Facts, draw: Draw) -> Module:
    """Protocol and consent form: since 2017 they come with the results, seldom without."""
    if not draw.chance(0.5 if facts.results_posted and facts.submitted > 736_000 else 0.03):
        return {}
    kinds = (
        ("Prot_SAP", True, True, False, "Study Protocol and Statistical Analysis Plan"),
        ("ICF", False, False, True, "Informed Consent Form"),
    )
    documents = []
    for k, (abbreviation, protocol, sap, icf, label) in enumerate(kinds[: draw.whole(1, 2)]):
        day = facts.updated - draw.whole(40, 900)
        documents.append(
            {
                "typeAbbrev": abbreviation,
                "hasProtocol": protocol,
                "hasSap": sap,
                "hasIcf": icf,
                "label": label,
                "date": iso(day),
                "uploadDate": f"{iso(day + 30)}T{draw.whole(0, 23):02d}:{draw.whole(0, 59):02d}",
                "filename": f"{abbreviation}_{k:03d}.pdf",
                "size": draw.whole(80_000, 5_000_000),
            }
        )
    return {"largeDocs": documents}


def unposted_results(facts: Facts, draw: Draw) -> Module:
    """Results that were sent to the registry and not posted yet."""
    if facts.results_posted or facts.status != "COMPLETED" or not draw.chance(0.03):
        return {}
    sent = facts.updated - draw.whole(10, 300)
    events: list[Module] = [{"type": "RELEASE", "date": iso(sent)}]
    if draw.chance(0.6):
        events.append({"type": "RESET", "date": iso(sent + 20)})
    if draw.chance(0.04):
        events.append({"type": "UNRELEASE", "dateUnknown": True})
    return {"unpostedAnnotation": {"unpostedResponsibleParty": facts.lead.name, "unpostedEvents": events}}
