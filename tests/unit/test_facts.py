"""Records, clusters, contradictions, timelines and the ledger, on small reports built by hand."""

import sqlite3
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from builders import annotate
from saytara.document import ActorEntry, Annotation, PlaceEntry, TimeValue
from saytara.errors import DataError
from saytara.facts.clusters import b_cubed, cluster
from saytara.facts.ledger import Ledger
from saytara.facts.records import record_from_dict, record_to_dict, to_records
from saytara.facts.timeline import BESIEGED, CONTESTED, HOLDER, held_on, timeline

TOWN = PlaceEntry("x.town", "الزيتونة", "Zaytuna", "town", "SY", "Hama", 35.0, 36.0, 1, 0.9)
REGION = PlaceEntry("x.hama", "حماة", "Hama", "governorate", "SY", "Hama", 35.1, 36.7, 3, 0.9)
ARMY = ActorEntry("sy.army", "الجيش السوري", "government", "state", "SY", 0.9)
MINISTRY = ActorEntry("sy.ministry", "وزارة الدفاع", "government", "state", "SY", 0.9)
REBELS = ActorEntry("sy.rebels", "الفصائل", "opposition", "rebel", "SY", 0.9)


def linked(annotation: Annotation, **entries: object) -> Annotation:
    return Annotation(
        annotation.document,
        annotation.mentions,
        annotation.events,
        entries={**annotation.entries, **entries},  # type: ignore[arg-type]
    )


def claim(id: str, day: date | None, place: PlaceEntry = TOWN) -> Annotation:
    """The rebels say that they captured the town from the army."""
    return linked(
        annotate(
            "أعلنت [الفصائل|a1:ACTOR] أنها [سيطرت|e1:CAPTURE] على [الزيتونة|p1:PLACE] وطردت [الجيش|a2:ACTOR]",
            "e1 actual controller=a1 displaced=a2 place=p1 claimant=a1",
            id=id,
            date=day,
        ),
        a1=REBELS,
        a2=ARMY,
        p1=place,
    )


def denial(id: str, day: date, *, claimant: bool = True) -> Annotation:
    """The ministry (or just the narrator) denies it."""
    return linked(
        annotate(
            "نفت [الوزارة|a1:ACTOR] [سقوط|e1:CAPTURE] [الزيتونة|p1:PLACE] بيد [الفصائل|a2:ACTOR]",
            f"e1 denied controller=a2 place=p1{' claimant=a1' if claimant else ''}",
            id=id,
            date=day,
        ),
        a1=MINISTRY,
        a2=REBELS,
        p1=TOWN,
    )


def records(*annotations: Annotation) -> list[object]:
    return [record for annotation in annotations for record in to_records(annotation)]


def test_a_record_knows_who_claims_and_on_which_side() -> None:
    (ours,) = to_records(claim("r1", date(2024, 12, 1)))
    (theirs,) = to_records(denial("r2", date(2024, 12, 2)))
    assert (ours.claim_by, ours.attribution, ours.origin) == ("winner", "claimed", "sy.rebels")
    assert theirs.claim_by == "neither" or theirs.claim_by is None
    assert ours.start == date(2024, 12, 1)
    assert ours.date_precision == 2


def test_the_loser_is_known_by_its_side() -> None:
    annotation = linked(
        annotate(
            "قالت [الوزارة|a1:ACTOR] إن [الجيش|a2:ACTOR] [انسحب|e1:WITHDRAWAL] من [الزيتونة|p1:PLACE] "
            "[أمس|t1:TIME] بحسب [رويترز|s1:SOURCE]",
            "e1 actual displaced=a2 place=p1 claimant=a1 reporter=s1 time=t1",
        ),
        a1=MINISTRY,
        a2=ARMY,
        t1=TimeValue(date(2024, 11, 30), date(2024, 11, 30)),
    )
    (record,) = to_records(annotation)
    assert record.claim_by == "loser"
    assert [voice.role for voice in record.voices] == ["claimant", "reporter"]
    assert (record.start, record.date_precision) == (date(2024, 11, 30), 1)


def test_a_record_survives_the_way_to_a_dict_and_back() -> None:
    for record in to_records(claim("r1", None)):
        assert record_from_dict(record_to_dict(record)) == record


def test_a_claim_and_its_denial_are_one_event_with_a_contradiction() -> None:
    (event,) = cluster(records(claim("r1", date(2024, 12, 1)), denial("r2", date(2024, 12, 2))))  # type: ignore[arg-type]
    assert event.status == "contradicted"
    (found,) = event.contradictions
    assert (found.claim, found.denial, found.claimed_by, found.denied_by) == (
        "r1#e1",
        "r2#e1",
        "sy.rebels",
        "sy.ministry",
    )


def test_a_narrators_did_not_contradicts_nobody() -> None:
    (event,) = cluster(records(claim("r1", date(2024, 12, 1)), denial("r2", date(2024, 12, 2), claimant=False)))  # type: ignore[arg-type]
    assert event.contradictions == ()


@pytest.mark.parametrize(
    ("second", "together"),
    [
        (claim("r2", date(2024, 12, 2)), True),
        (claim("r2", date(2024, 12, 20)), False),  # weeks later: another event
        (claim("r2", date(2024, 12, 2), REGION), True),  # the governorate in which the town lies
    ],
)
def test_reports_of_one_event_cluster_by_place_party_and_time(second: Annotation, together: bool) -> None:
    found = cluster(records(claim("r1", date(2024, 12, 1)), second))  # type: ignore[arg-type]
    assert len(found) == (1 if together else 2)


def test_clusters_do_not_depend_on_the_order_of_reports() -> None:
    reports = [claim("r1", date(2024, 12, 1)), denial("r2", date(2024, 12, 2)), claim("r3", date(2024, 12, 20))]
    assert cluster(records(*reports)) == cluster(records(*reversed(reports)))  # type: ignore[arg-type]


def test_one_origin_told_twice_counts_once() -> None:
    (event,) = cluster(records(claim("r1", date(2024, 12, 1)), claim("r2", date(2024, 12, 1))))  # type: ignore[arg-type]
    assert event.origins == ("sy.rebels",)


def test_b_cubed_equals_a_worked_example() -> None:
    gold = [frozenset("abc"), frozenset("de")]
    predicted = [frozenset("ab"), frozenset("cde")]
    precision, recall, f1 = b_cubed(gold, predicted)
    assert precision == pytest.approx((1 + 1 + 1 / 3 + 2 / 3 + 2 / 3) / 5)
    assert recall == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1 + 1) / 5)
    assert f1 == pytest.approx(2 * precision * recall / (precision + recall))


def test_a_timeline_keeps_both_versions_until_something_settles_them() -> None:
    contested = cluster(records(claim("r1", date(2024, 12, 1)), denial("r2", date(2024, 12, 2))))  # type: ignore[arg-type]
    (state,) = timeline("x.town", contested)
    assert state.state == CONTESTED
    assert state.is_open_contradiction
    assert [version.is_denial for version in state.versions] == [False, True]
    settled = cluster(
        records(claim("r1", date(2024, 12, 1)), denial("r2", date(2024, 12, 2)), claim("r3", date(2024, 12, 20)))
    )  # type: ignore[arg-type]
    first, second = timeline("x.town", settled)
    assert (first.is_open_contradiction, second.state, first.until) == (False, HOLDER, date(2024, 12, 20))


def test_a_siege_leaves_the_holder_in_place() -> None:
    siege = linked(
        annotate(
            "[تحاصر|e1:SIEGE] [الفصائل|a1:ACTOR] [الزيتونة|p1:PLACE]",
            "e1 actual controller=a1 place=p1",
            id="r9",
            date=date(2024, 12, 25),
        ),
        a1=ARMY,
        p1=TOWN,
    )
    states = timeline("x.town", cluster(records(claim("r1", date(2024, 12, 1)), siege)))  # type: ignore[arg-type]
    assert states[-1].state == BESIEGED
    assert states[-1].versions[0].holders == ("الفصائل",)


def test_nobody_is_known_to_hold_a_place_before_its_first_event() -> None:
    states = timeline("x.town", cluster(records(claim("r1", date(2024, 12, 1)))))  # type: ignore[arg-type]
    assert held_on(states, date(2024, 11, 30)) == []
    assert held_on(states, date(2025, 1, 1))[0].versions[0].according_to == ("الفصائل",)


def test_appending_twice_adds_nothing_and_a_changed_report_replaces_itself(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.sqlite") as ledger:
        assert ledger.append([claim("r1", date(2024, 12, 1)), denial("r2", date(2024, 12, 2))]) == (2, 0)
        before = ledger.records()
        assert ledger.append([claim("r1", date(2024, 12, 1)), denial("r2", date(2024, 12, 2))]) == (0, 2)
        assert ledger.records() == before
        assert ledger.append([claim("r1", date(2024, 12, 5))]) == (1, 0)
        assert [record.start for record in ledger.records()] == [date(2024, 12, 5), date(2024, 12, 2)]


def test_who_held_answers_with_both_sides_and_their_sources(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.sqlite") as ledger:
        ledger.append([claim("r1", date(2024, 12, 1)), denial("r2", date(2024, 12, 2))])
        (place,) = ledger.find_places("الزيتونه")
        (state,) = ledger.who_held(place.key, date(2024, 12, 3))
    assert state.is_open_contradiction
    assert [version.according_to for version in state.versions] == [("الفصائل",), ("وزارة الدفاع",)]


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("no database" * 100, encoding="utf-8")
    with pytest.raises(DataError, match="is not a ledger"):
        Ledger(tmp_path / "x")


def test_a_newer_ledger_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x") as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(DataError, match="version 99"):
        Ledger(tmp_path / "x")


KILLED = """
import os, signal, sys
sys.path[:0] = {path!r}
from datetime import date
from pathlib import Path
from unit.test_facts import claim
from saytara.facts.ledger import Ledger

def reports():
    for number in range(50):
        if number == 20:
            os.kill(os.getpid(), signal.SIGKILL)
        yield claim(f"r{{number}}", date(2024, 12, 1))

Ledger(Path({ledger!r})).append(reports())
"""


def test_a_kill_in_mid_append_loses_nothing_that_was_added(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    done = subprocess.run([sys.executable, "-c", KILLED.format(path=sys.path, ledger=str(path))], check=False)
    assert done.returncode == -9
    with Ledger(path) as ledger:
        assert len(ledger.records()) == 20
        assert ledger.append([claim(f"r{number}", date(2024, 12, 1)) for number in range(50)]) == (30, 20)
        assert len(ledger.records()) == 50
