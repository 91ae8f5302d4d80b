"""Tables of records and events: ACLED's words, typed columns, cells that no spreadsheet runs."""

import csv
import datetime
import io
from datetime import date

import pytest

from builders import annotate
from linked_reports import ARMY, CLAIM, DENIAL, REBELS, TURKS, tables, with_entries
from saytara.document import ActorEntry, Annotation, TimeValue
from saytara.export.acled import SUB_EVENTS, event_types, force
from saytara.export.tables import CLUSTER_COLUMNS, RECORD_COLUMNS, Table, csv_cell, to_csv, to_parquet
from saytara.facts.records import to_records
from saytara.schema import CONTROL_CHANGE


def test_a_record_of_two_places_has_a_row_for_each() -> None:
    records, _ = tables(CLAIM)
    assert [row["event_id"] for row in records.rows] == ["claim#e1.1", "claim#e1.2"]
    assert [row["location"] for row in records.rows] == ["Zaytuna", "Rummana"]
    assert {row["record_id"] for row in records.rows} == {"claim#e1"}


def test_a_row_says_it_in_the_words_of_conflict_data() -> None:
    (row, _) = tables(CLAIM)[0].rows
    expected = {
        "event_date": date(2024, 12, 1),
        "time_precision": 1,
        "date_from": "text",
        "event_type": "Battles",
        "sub_event_type": "Non-state actor overtakes territory",
        "actor1": "المعارضة السورية",
        "inter1": "Rebel group",
        "actor2": "الجيش السوري",
        "inter2": "State forces",
        "country": "Syria",
        "admin1": "Hama",
        "latitude": 35.0,
        "longitude": 36.5,
        "geo_precision": 1,
        "source": "المعارضة السورية",
        "attribution": "claimed",
        "claim_by": "winner",
        "notes": CLAIM.document.text,
        "trigger": "سيطرت",
    }
    assert {key: row[key] for key in expected} == expected
    assert CLAIM.document.text[row["trigger_start"] : row["trigger_end"]] == row["trigger"]


def test_contradicting_records_name_each_other_and_only_what_is_said_to_have_happened_has_a_type() -> None:
    records, events = tables(CLAIM, DENIAL)
    denial = next(row for row in records.rows if row["report_id"] == "denial")
    assert (denial["contradicted"], denial["contradicted_by"]) == (True, "claim#e1")
    assert (denial["event_type"], denial["factuality"]) == (None, "denied")
    assert {row["contradicted_by"] for row in records.rows if row["report_id"] == "claim"} == {"denial#e1"}
    assert {row["status"] for row in events.rows} == {"contradicted"}
    assert {row["reports"] for row in events.rows} == {2}


def test_an_unlinked_event_without_a_date_is_a_row_with_empty_cells() -> None:
    bare = annotate(
        "[انسحب|e1:WITHDRAWAL] [المسلحون|a1:ACTOR] من [الموقع|p1:PLACE].", "e1 actual displaced=a1 place=p1", id="bare"
    )
    (row,) = tables(bare)[0].rows
    assert (row["event_date"], row["time_precision"], row["latitude"], row["country"]) == (None, None, None, None)
    assert (row["location"], row["actor2"], row["source"]) == ("الموقع", "المسلحون", "bare")


@pytest.mark.parametrize(
    ("days", "expected"), [(0, 1), (1, 1), (5, 2), (20, 3)], ids=["a day", "a night", "a week", "a month"]
)
def test_time_precision_follows_the_length_of_the_time(days: int, expected: int) -> None:
    start = date(2024, 12, 1)
    entries = {**CLAIM.entries, "t1": TimeValue(start, start + datetime.timedelta(days))}
    (row, _) = tables(Annotation(CLAIM.document, CLAIM.mentions, CLAIM.events, entries=entries))[0].rows
    assert row["time_precision"] == expected


def test_every_row_has_the_columns_and_their_types() -> None:
    for table, columns in zip(tables(CLAIM, DENIAL), (RECORD_COLUMNS, CLUSTER_COLUMNS), strict=True):
        assert table.columns == columns
        for row in table.rows:
            assert set(row) == set(columns)
            wrong = {k: v for k, v in row.items() if v is not None and not isinstance(v, columns[k])}
            assert wrong == {}


# -- ACLED's words ----------------------------------------------------------------------------------------------------


def test_every_event_type_is_mapped() -> None:
    assert set(SUB_EVENTS) == set(CONTROL_CHANGE.events)


def party(entry: ActorEntry) -> list[object]:
    return list(to_records(with_entries(CLAIM, a1=entry))[0].controllers)


@pytest.mark.parametrize(
    ("winner", "loser", "expected"),
    [
        (ARMY, REBELS, "Government regains territory"),
        (REBELS, ARMY, "Non-state actor overtakes territory"),
        (TURKS, REBELS, "Non-state actor overtakes territory"),
        (None, ARMY, "Non-state actor overtakes territory"),
        (None, REBELS, None),
        (None, None, None),
    ],
)
def test_who_gains_decides_the_sub_event(winner: ActorEntry, loser: ActorEntry, expected: str | None) -> None:
    controllers = party(winner) if winner else []
    displaced = party(loser) if loser else []
    assert event_types("CAPTURE", "actual", controllers, displaced, "SY") == ("Battles", expected)  # type: ignore[arg-type]


def test_a_place_held_against_an_attacker_is_a_clash() -> None:
    held = event_types("HOLD", "actual", party(ARMY), party(REBELS), "SY")  # type: ignore[arg-type]
    assert held == ("Battles", "Armed clash")
    assert event_types("HOLD", "actual", party(ARMY), [], "SY") == ("Strategic developments", "Other")  # type: ignore[arg-type]


def test_forces_of_another_state_are_external() -> None:
    assert [force(ARMY, "SY"), force(TURKS, "SY"), force(REBELS, "SY"), force(None, "SY")] == [
        "State forces",
        "External/Other forces",
        "Rebel group",
        None,
    ]


# -- CSV --------------------------------------------------------------------------------------------------------------

HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\u200f=1", "＝1", '=HYPERLINK("x")', "-12.5"]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_begins_as_a_formula_does(text: str) -> None:
    cell = csv_cell(text)
    assert cell.startswith("'")
    assert not any(char in cell for char in "\r\n\t")


@pytest.mark.parametrize("value", [-12.5, -3, 0.25, date(2024, 12, 1), True])
def test_values_stay_bare(value: object) -> None:
    assert not csv_cell(value).startswith("'")


def test_csv_reads_back_one_line_a_row_even_from_hostile_reports() -> None:
    text = '=cmd\\|"/c calc",\r[سيطرت|e1:CAPTURE] [الفصائل|a1:ACTOR] على "[البلدة|p1:PLACE]", كلها'
    annotation = annotate(text, "e1 actual controller=a1 place=p1", id='=1,"x"')
    records, _ = tables(annotation)
    content = to_csv(records)
    assert content.count(b"\r\n") == 2
    (row,) = csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""))
    assert row["report_id"] == '\'=1,"x"'
    assert "الفصائل" in row["notes"]
    assert not any(cell[:1] in "=+-@\t\r" for cell in row.values() if cell)


def test_numbers_of_the_south_stay_numbers() -> None:
    content = to_csv(tables(CLAIM)[0]).decode("utf-8")
    rows = list(csv.DictReader(io.StringIO(content, newline="")))
    assert float(rows[1]["latitude"]) == -12.25


def test_the_mark_of_utf_8_is_written_on_request() -> None:
    records, _ = tables(CLAIM)
    assert to_csv(records, with_bom=True) == b"\xef\xbb\xbf" + to_csv(records)


def test_a_lone_surrogate_does_not_stop_the_writing() -> None:
    assert csv_cell("a\ud800") == "a\ud800"
    to_csv(Table({"notes": str}, ({"notes": "a\ud800"},))).decode("utf-8")


# -- Parquet ----------------------------------------------------------------------------------------------------------


def test_parquet_has_typed_columns_and_the_same_rows() -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="saytara[parquet] is not installed")
    parquet = pytest.importorskip("pyarrow.parquet")
    records, _ = tables(CLAIM, DENIAL)
    read = parquet.read_table(pyarrow.BufferReader(to_parquet(records)))
    assert read.schema.field("event_date").type == pyarrow.date32()
    assert read.schema.field("latitude").type == pyarrow.float64()
    assert read.schema.field("contradicted").type == pyarrow.bool_()
    assert read.to_pylist() == list(records.rows)


def test_an_empty_table_is_a_parquet_file_too() -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="saytara[parquet] is not installed")
    parquet = pytest.importorskip("pyarrow.parquet")
    read = parquet.read_table(pyarrow.BufferReader(to_parquet(Table(RECORD_COLUMNS, ()))))
    assert read.column_names == list(RECORD_COLUMNS)


def test_without_pyarrow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from saytara.errors import MissingExtraError

    monkeypatch.setattr("saytara.export.tables.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"saytara\[parquet\]"):
        to_parquet(Table(RECORD_COLUMNS, ()))
