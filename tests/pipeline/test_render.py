"""`saytara render` on predicted reports and on a ledger: whole files or none, bad records passed over."""

import csv
import json
from pathlib import Path

import pytest

from linked_reports import CLAIM, DENIAL
from saytara.cli import main
from saytara.facts.ledger import Ledger
from saytara.output import to_output
from saytara.schema import CONTROL_CHANGE

MODEL = {"name": "by hand", "revision": None, "version": "0"}


@pytest.fixture
def predicted(tmp_path: Path) -> Path:
    """What `saytara predict` would write of a claim and its denial."""
    path = tmp_path / "events.jsonl"
    lines = [
        json.dumps(to_output(annotation, CONTROL_CHANGE, MODEL), ensure_ascii=False) for annotation in (CLAIM, DENIAL)
    ]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_predicted_reports_become_csv_geojson_and_a_page(predicted: Path, tmp_path: Path) -> None:
    for form in ("csv", "geojson", "html"):
        assert main(["render", str(predicted), "--to", form, "--output", str(tmp_path / f"out.{form}")]) == 0
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["event_id"] for row in rows] == ["claim#e1.1", "claim#e1.2", "denial#e1"]
    assert [row["contradicted_by"] for row in rows] == ["denial#e1", "denial#e1", "claim#e1"]
    assert len(json.loads((tmp_path / "out.geojson").read_text("utf-8"))["features"]) == 3
    page = (tmp_path / "out.html").read_text("utf-8")
    assert page.count('class="report"') == 2
    assert 'id="contradictions"' in page


def test_one_report_gets_a_page_of_its_own(predicted: Path, tmp_path: Path) -> None:
    single = tmp_path / "one.jsonl"
    single.write_text(predicted.read_text("utf-8").splitlines()[0], "utf-8")
    assert main(["render", str(single), "--to", "html", "--output", str(tmp_path / "one.html")]) == 0
    assert "<title>claim" in (tmp_path / "one.html").read_text("utf-8")


def test_events_are_one_row_for_all_accounts(predicted: Path, tmp_path: Path) -> None:
    arguments = [
        "render",
        str(predicted),
        "--to",
        "csv",
        "--rows",
        "events",
        "--bom",
        "--output",
        str(tmp_path / "e.csv"),
    ]
    assert main(arguments) == 0
    content = (tmp_path / "e.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(content.decode("utf-8-sig").splitlines()))
    assert {(row["cluster_id"], row["reports"], row["status"]) for row in rows} == {("claim#e1", "2", "contradicted")}


def test_a_ledger_renders_as_its_reports_do(predicted: Path, tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with Ledger(path) as ledger:
        ledger.append([CLAIM, DENIAL])
    assert main(["render", str(predicted), "--to", "csv", "--output", str(tmp_path / "a.csv")]) == 0
    assert main(["render", "--ledger", str(path), "--to", "csv", "--output", str(tmp_path / "b.csv")]) == 0
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert main(["render", "--ledger", str(path), "--to", "html", "--output", str(tmp_path / "b.html")]) == 0
    assert "ledger.sqlite" in (tmp_path / "b.html").read_text("utf-8")


BROKEN = {
    "not JSON": "{",
    "an unknown mention": lambda record: record["events"][0]["arguments"].append({"role": "place", "mention": "p9"}),
    "a range outside the text": lambda record: record["events"][0]["trigger"].update(end=9999),
}


@pytest.mark.parametrize("name", BROKEN)
def test_bad_records_are_passed_over_and_reported(
    predicted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    first, second = predicted.read_text("utf-8").splitlines()
    break_it = BROKEN[name]
    if callable(break_it):
        record = json.loads(second)
        break_it(record)
        second = json.dumps(record)
    else:
        second = break_it
    predicted.write_text(f"{first}\n{second}\n", "utf-8")
    output = tmp_path / "out.csv"
    assert main(["render", str(predicted), "--to", "csv", "--output", str(output)]) == 0
    printed = capsys.readouterr()
    assert "1 passed over" in printed.out
    assert printed.err.startswith("saytara: ")
    assert len(output.read_text("utf-8").splitlines()) == 3
    output.write_text("before", "utf-8")
    assert main(["render", str(predicted), "--to", "csv", "--output", str(output), "--strict"]) == 2
    assert output.read_text("utf-8") == "before"


def test_nothing_readable_writes_nothing(tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text("{\n", "utf-8")
    assert main(["render", str(bad), "--to", "html", "--output", str(tmp_path / "out.html")]) == 1
    assert not (tmp_path / "out.html").exists()


@pytest.mark.parametrize("inputs", [[], ["x.txt", "--ledger", "l.sqlite"]], ids=["neither", "both"])
def test_reports_or_a_ledger_must_be_given(
    inputs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", *inputs, "--to", "csv", "--output", str(tmp_path / "out.csv")]) == 1
    assert "one of them, not both" in capsys.readouterr().err


def test_without_pyarrow_parquet_stops_before_the_work(
    predicted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("saytara.export.tables.find_spec", lambda name: None)
    assert main(["render", str(predicted), "--to", "parquet", "--output", str(tmp_path / "out.parquet")]) == 1
    assert "saytara[parquet]" in capsys.readouterr().err
