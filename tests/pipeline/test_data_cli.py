"""`saytara data` end to end: reports in the forms of people and tools, in and out, and what goes wrong on the way."""

import gzip
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builders import annotate
from saytara.cli import main
from saytara.corpus.formats import FORMATS
from saytara.corpus.jsonl import read_corpus, write_corpus
from saytara.corpus.markup import format_markup
from saytara.document import Annotation
from saytara.output import to_output
from saytara.schema import CONTROL_CHANGE, NER

FALL = annotate(
    "نفت [وزارة الدفاع|a1:ACTOR] [سقوط|e1:CAPTURE] [قرية الأثل|p1:PLACE] بيد [كتيبة النور|a2:ACTOR] [أمس|t1:TIME].",
    "e1 denied controller=a2 place=p1 claimant=a1 time=t1",
    id="fall",
)
MARKET = annotate("افتتحت البلدية سوقا جديدة للخضار في الحي القديم.", id="market")


def predicted(tmp_path: Path, *annotations: Annotation, **more: Any) -> Path:
    """What `saytara predict` would write of them."""
    path = tmp_path / "predicted.jsonl"
    records = [{**to_output(annotation, CONTROL_CHANGE, {"name": "compact"}), **more} for annotation in annotations]
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def markup(path: Path, *annotations: Annotation) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(format_markup(annotations, CONTROL_CHANGE), encoding="utf-8")
    return path


def run(*arguments: str | Path) -> int:
    return main(["data", *map(str, arguments)])


# -- import and export -------------------------------------------------------------------------------------------------


def test_predictions_are_corrected_in_label_studio_and_come_back_as_a_corpus(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    guess = replace(FALL, events=(replace(FALL.events[0], factuality="actual", score=0.5),), warnings=("cut",))
    tasks = tmp_path / "tasks.json"
    assert run("export", "--to", "label-studio", predicted(tmp_path, guess, MARKET), "--output", tasks) == 0
    assert capsys.readouterr().out == f"{tasks}: 2 documents, 4 mentions, 1 events\n"
    exported = json.loads(tasks.read_text(encoding="utf-8"))
    for task in exported:  # what people do: say that the fall is denied, and submit
        result = task["predictions"][0]["result"]
        for region in result:
            if region["type"] == "choices":
                region["value"]["choices"] = ["denied"]
        task["annotations"] = [{"result": result}]
    tasks.write_text(json.dumps(exported), encoding="utf-8")
    corpus = tmp_path / "corpus.jsonl"
    assert run("import", "--from", "label-studio", tasks, "--output", corpus) == 0
    assert read_corpus(corpus, CONTROL_CHANGE) == [FALL, MARKET]


@pytest.mark.parametrize("form", [form for form in FORMATS if form not in ("conll", "inception", "spacy")])
@pytest.mark.parametrize("source", ["predictions", "corpus", "markup", "folder"])
def test_all_forms_of_ours_go_out_and_come_back(form: str, source: str, tmp_path: Path) -> None:
    sources = {
        "predictions": predicted(tmp_path, FALL, MARKET),
        "corpus": tmp_path / "corpus.jsonl",
        "markup": markup(tmp_path / "reports" / "a.txt", FALL, MARKET),
        "folder": tmp_path / "reports",
    }
    write_corpus(sources["corpus"], [FALL, MARKET], CONTROL_CHANGE)
    out, back = tmp_path / "out", tmp_path / "back.jsonl"
    assert run("export", "--to", form, sources[source], "--output", out) == 0
    assert run("import", "--from", form, out, "--output", back) == 0
    assert {a.document.id: a for a in read_corpus(back, CONTROL_CHANGE)} == {"fall": FALL, "market": MARKET}


def test_import_writes_markup_where_the_output_is_a_text_file(tmp_path: Path) -> None:
    back = tmp_path / "back.txt"
    assert run("import", "--from", "jsonl", predicted(tmp_path, FALL), "--output", back) == 0
    assert back.read_text(encoding="utf-8") == format_markup([FALL], CONTROL_CHANGE)


def test_predictions_on_an_annotated_corpus_lose_the_old_annotation_and_say_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = predicted(tmp_path, FALL, meta={"outlet": "x", "entities": [], "events": []})
    assert run("export", "--to", "jsonl", path, "--output", tmp_path / "out.jsonl") == 0
    (read,) = read_corpus(tmp_path / "out.jsonl", CONTROL_CHANGE)
    assert read.document.meta == {"outlet": "x"}
    assert "header values named entities (1), header values named events (1)" in caplog.text


def test_another_schema_is_named_or_given_as_a_file(tmp_path: Path) -> None:
    news = tmp_path / "news.conll"
    news.write_text("عمر B-PERS\nفي O\nتونس B-LOC\n", encoding="utf-8")
    schema = tmp_path / "own.json"
    schema.write_text(json.dumps({**NER.to_dict(), "name": "own"}), encoding="utf-8")
    for name in ("ner", schema):
        assert run("import", "--from", "conll", news, "--output", tmp_path / "news.jsonl", "--schema", name) == 0
        assert [m.label for m in read_corpus(tmp_path / "news.jsonl", NER)[0].mentions] == ["PERS", "LOC"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["import", "--from", "brad", "x", "--output", "y"], "unknown format 'brad'; known: brat, .*; closest: brat"),
        (["export", "--to", "labelstudio", "x", "--output", "y"], "closest: label-studio"),
        (["import", "--from", "brat", "x", "--output", "y", "--schema", "nr"], "unknown schema 'nr'.*closest: ner"),
        (["export", "--to", "brat", "{tmp}/none.jsonl", "--output", "y"], r"none\.jsonl: cannot be read"),
        (["export", "--to", "brat", "{tmp}/x.csv", "--output", "y"], r"x\.csv: is neither \.jsonl nor markup"),
        (["import", "--from", "doccano", "{tmp}/x.csv", "--output", "y"], r"x\.csv:1: is not JSON"),
    ],
)
def test_failures_name_what_and_where(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.csv").write_text("a,b\n", encoding="utf-8")
    assert run(*(argument.format(tmp=tmp_path) for argument in arguments)) == 1
    errors = capsys.readouterr().err
    assert errors.startswith("saytara: ")

    assert re.search(message, errors), errors
    assert not Path("y").exists()


def test_a_broken_prediction_is_named_by_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = predicted(tmp_path, MARKET, FALL)
    path.write_text(path.read_text(encoding="utf-8").replace('"role": "place"', '"role": "plac"'), encoding="utf-8")
    assert run("export", "--to", "brat", path, "--output", tmp_path / "out") == 1
    assert f'{path}:2: document "fall": event "e1" has the unknown role "plac"' in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


# -- check -------------------------------------------------------------------------------------------------------------


def test_check_passes_sound_reports_and_counts_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "train.jsonl"
    write_corpus(path, [FALL, MARKET], CONTROL_CHANGE)
    assert run("check", path, "--level", "warning") == 0
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{path}: 2 documents (1 without event), 18 words, 1 triggers")
    assert last.startswith("0 errors, 0 warnings, ")


def test_check_names_the_markup_file_of_each_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cut = annotate("سيطر [الجيش|a1:ACTOR] على [قرية الأث|p1:PLACE]ل.", id="cut")
    folder = tmp_path / "reports"
    markup(folder / "good.txt", FALL)
    bad = markup(folder / "bad.txt", cut)
    assert run("check", folder, "--level", "error") == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        f'error: {bad}: document "cut": PLACE p1 "قرية الأث" cuts a word. Cover whole words, proclitics included.'
    )
    assert lines[-1].startswith("1 errors")


def test_check_finds_ids_used_twice_unreadable_files_and_empty_folders(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = markup(tmp_path / "reports" / "a.txt", FALL), markup(tmp_path / "reports" / "b.txt", FALL)
    broken = tmp_path / "broken.txt"
    broken.write_text("# id: x\n[نص|x1:NOTHING]\n---\n", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    assert run("check", one.parent, broken, tmp_path / "empty", "--level", "error") == 1
    output = capsys.readouterr().out
    assert f'error: {two}: document "fall": the id is already used in {one}. Rename one.' in output
    assert f'error: {broken}:2: document "x": "x1" has the unknown label "NOTHING"' in output
    assert f"error: {tmp_path / 'empty'}: the folder holds no .jsonl and no .txt file." in output


def test_check_finds_runs_shared_with_other_texts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own, other = tmp_path / "own.jsonl", tmp_path / "news.jsonl.gz"
    sentence = "غادرت الكتيبة بلدة الزيتونة فجر الثلاثاء بعد قصف عنيف دام ساعات"
    write_corpus(own, [annotate(sentence, id="own-1"), annotate("لا شيء هنا", id="own-2")], CONTROL_CHANGE)
    spelt = sentence.replace("ة", "ه").replace("قصف", "قصفٍ،")
    with gzip.open(other, "wt", encoding="utf-8") as file:
        file.write(json.dumps({"text": f"وقال إن {spelt}.", "date": "yesterday"}, ensure_ascii=False) + "\n")
    assert main(["data", "check", str(own), "--against", str(other)]) == 1
    output = capsys.readouterr().out
    assert f'{own}: document "own-1": ' in output
    assert f"shares 5 runs of 7 words with {other}" in output
    assert "own-2" not in output
    assert main(["data", "check", str(own), "--against", str(other), "--run-words", "12"]) == 0
    assert main(["data", "check", str(own), "--against", str(tmp_path / "none.jsonl")]) == 1
    assert "no such file" in capsys.readouterr().err


def test_check_judges_twins_of_markup_by_the_split_they_land_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twin = replace(FALL, document=replace(FALL.document, id="twin", meta={"split": "train"}))
    one = replace(FALL, document=replace(FALL.document, meta={"split": "train"}))
    markup(tmp_path / "reports" / "a.txt", one)
    b = markup(tmp_path / "reports" / "b.txt", twin)
    assert run("check", tmp_path / "reports", "--level", "warning") == 0
    assert f'warning: {b}: document "twin": nearly the text of document "fall" in train' in capsys.readouterr().out
    markup(b, replace(twin, document=replace(twin.document, meta={"split": "test"})))
    assert run("check", tmp_path / "reports", "--level", "warning") == 1
    assert f'error: {b}: document "twin": nearly the text of document "fall" in train' in capsys.readouterr().out


# -- stats -------------------------------------------------------------------------------------------------------------


def test_stats_prints_columns_and_writes_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = markup(tmp_path / "reports" / "a.txt", FALL, MARKET).parent
    corpus = tmp_path / "corpus.jsonl"
    write_corpus(corpus, [FALL], CONTROL_CHANGE)
    assert run("stats", folder, corpus, "--output", tmp_path / "stats.json") == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[0] == [str(folder), str(corpus)]
    assert ["documents", "2", "1"] in rows
    assert ["factuality:", "denied", "1", "1"] in rows
    figures = json.loads((tmp_path / "stats.json").read_text(encoding="utf-8"))
    assert [figures[str(path)]["words"] for path in (folder, corpus)] == [18, 10]


def test_stats_prints_markdown_and_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    path = markup(tmp_path / "a.txt", FALL, MARKET)
    assert run("stats", path, "--markdown", "--plot", tmp_path / "stats.png") == 0
    assert capsys.readouterr().out.startswith(f"| | {path} |\n|---|---:|\n| documents | 2 |\n")
    assert (tmp_path / "stats.png").read_bytes().startswith(b"\x89PNG")


def test_compile_writes_the_splits(tmp_path: Path) -> None:
    markup(tmp_path / "reports" / "a.txt", FALL, MARKET)
    assert run("compile", "--reports", tmp_path / "reports", "--output", tmp_path) == 0
    found = [a for split in ("train", "dev", "test") for a in read_corpus(tmp_path / f"{split}.jsonl", CONTROL_CHANGE)]
    assert sorted(annotation.document.id for annotation in found) == ["fall", "market"]
