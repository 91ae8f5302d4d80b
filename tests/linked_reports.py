"""A claim and its denial with entries, built by hand, and the tables made of them.

Reads no files.
"""

from datetime import date

from builders import annotate
from saytara.document import ActorEntry, Annotation, PlaceEntry, TimeValue
from saytara.export.tables import Table, cluster_table, record_table
from saytara.facts.clusters import cluster
from saytara.facts.records import to_records

TOWN = PlaceEntry("sy-x", "الزيتونة", "Zaytuna", "town", "SY", "Hama", 35.0, 36.5, 1, 0.9)
OTHER = PlaceEntry("sy-y", "الرمانة", "Rummana", "town", "SY", "Hama", -12.25, 36.75, 2, 0.8)
ARMY = ActorEntry("sy.army", "الجيش السوري", "government", "state", "SY", 0.9)
REBELS = ActorEntry("sy.opp", "المعارضة السورية", "opposition", "rebel", "SY", 0.9)
TURKS = ActorEntry("tr.army", "الجيش التركي", "government", "state", "TR", 0.9)


def with_entries(annotation: Annotation, **entries: PlaceEntry | ActorEntry | TimeValue) -> Annotation:
    return Annotation(annotation.document, annotation.mentions, annotation.events, entries=entries)


CLAIM = with_entries(
    annotate(
        "أعلنت [الفصائل|a1:ACTOR] أنها [سيطرت|e1:CAPTURE] على [الزيتونة|p1:PLACE] و[الرمانة|p2:PLACE]"
        " وطردت [الجيش|a2:ACTOR] [أمس|t1:TIME].",
        "e1 actual controller=a1 displaced=a2 place=p1,p2 claimant=a1 time=t1",
        id="claim",
        date=date(2024, 12, 2),
    ),
    a1=REBELS, a2=ARMY, p1=TOWN, p2=OTHER, t1=TimeValue(date(2024, 12, 1), date(2024, 12, 1)),
)  # fmt: skip
DENIAL = with_entries(
    annotate(
        "نفت [الوزارة|a1:ACTOR] [سقوط|e1:CAPTURE] [الزيتونة|p1:PLACE].",
        "e1 denied place=p1 claimant=a1",
        id="denial",
        date=date(2024, 12, 2),
    ),
    a1=ARMY, p1=TOWN,
)  # fmt: skip


def tables(*annotations: Annotation) -> tuple[Table, Table]:
    clusters = cluster(record for annotation in annotations for record in to_records(annotation))
    return record_table(clusters, {a.document.id: a.document.text for a in annotations}), cluster_table(clusters)
