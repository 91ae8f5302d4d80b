"""brat standoff as brat and people write it, and what is refused."""

from pathlib import Path

import pytest

from builders import annotate
from saytara.corpus.formats.brat import annotation_conf, format_ann, read_brat, write_brat
from saytara.document import Annotation
from saytara.errors import DataError
from saytara.schema import CONTROL_CHANGE, NER

TEXT = "نفت الوزارة سقوط بلدة السدر وقرية الأثل."
SPANS = [
    "T1\tACTOR 4 11\tالوزارة",
    "T2\tCAPTURE 12 16\tسقوط",
    "T3\tPLACE 17 27\tبلدة السدر",
    "T4\tPLACE 28 39\tوقرية الأثل",
]


def folder(tmp_path: Path, *lines: str, text: str = TEXT) -> Path:
    (tmp_path / "r.txt").write_bytes(text.encode())
    (tmp_path / "r.ann").write_bytes("".join(f"{line}\n" for line in lines).encode())
    return tmp_path


def read(path: Path) -> Annotation:
    ((annotation,), _) = read_brat(path, CONTROL_CHANGE)
    return annotation


def test_lines_are_those_of_brat() -> None:
    fall = annotate(
        "نفت [الوزارة|a1:ACTOR] [سقوط|e1:CAPTURE] [بلدة السدر|p1:PLACE] [وقرية\nالأثل|p2:PLACE].",
        "e1 denied place=p1,p2 claimant=a1",
    )
    assert format_ann(fall, CONTROL_CHANGE) == [
        "T1\tACTOR 4 11\tالوزارة",
        "T2\tCAPTURE 12 16\tسقوط",
        "T3\tPLACE 17 27\tبلدة السدر",
        "T4\tPLACE 28 33;34 39\tوقرية الأثل",
        "E1\tCAPTURE:T2 place:T3 place2:T4 claimant:T1",
        "A1\tFactuality E1 denied",
    ]


@pytest.mark.parametrize(
    "lines",
    [
        ["E1\tCAPTURE:T2 place:T3 place2:T4 claimant:T1", "A1\tFactuality E1 denied"],
        ["A1\tFactuality E1 denied", "E1\tCAPTURE:T2 claimant:T1 place1:T3 place2:T4"],
        # no E line: relations from the trigger, or to it, and the attribute on the trigger itself
        [
            "R1\tplace Arg1:T2 Arg2:T3",
            "R2\tplace Arg1:T4 Arg2:T2",
            "R3\tclaimant Arg1:T2 Arg2:T1",
            "A1\tFactuality T2 denied",
        ],
        [
            "E1\tCAPTURE:T2 place:T3",
            "R1\tplace Arg1:E1 Arg2:T4",
            "R2\tclaimant Arg1:E1 Arg2:T1",
            "A1\tFactuality E1 denied",
        ],
    ],
)
def test_events_and_relations_say_the_same(lines: list[str], tmp_path: Path) -> None:
    assert read(folder(tmp_path, *lines, *SPANS)) == annotate(
        "نفت [الوزارة|a1:ACTOR] [سقوط|e1:CAPTURE] [بلدة السدر|p1:PLACE] [وقرية الأثل|p2:PLACE].",
        "e1 denied place=p1,p2 claimant=a1",
        id="r",
    )


def test_no_attribute_stands_for_the_default(tmp_path: Path) -> None:
    assert read(folder(tmp_path, *SPANS)).events[0].factuality == "actual"


def test_what_has_no_place_here_is_counted(tmp_path: Path) -> None:
    notes = ["#1\tAnnotatorNotes T1\tunsure", "#2\tAnnotatorNotes T2\tunsure", "*\tEquiv T3 T4"]
    notes += ["N1\tReference T3 Wikidata:Q1\tSidr", "A1\tConfidence E1 low", "M1\tNegation E1", "E1\tCAPTURE:T2"]
    _, losses = read_brat(folder(tmp_path, *SPANS, *notes), CONTROL_CHANGE)
    assert losses == {
        "notes": 2,
        "equivalences": 1,
        "normalisations": 1,
        "attributes Confidence": 1,
        "attributes Negation": 1,
    }


def test_windows_line_ends_and_one_file_and_sub_folders_are_read(tmp_path: Path) -> None:
    below = tmp_path / "day"
    below.mkdir()
    folder(below, *(f"{line}\r" for line in SPANS))
    assert read(tmp_path).document.id == "day/r"
    assert read(below / "r.ann").document.id == "r"
    assert len(read(below / "r.ann").mentions) == 3


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["T1\tACTR 4 11\tالوزارة"], r'r\.ann:1: "الوزارة" has the unknown label "ACTR"; known: .*; closest: ACTOR'),
        (
            ["T1\tACTOR 3 11\tالوزارة"],
            r'r\.ann:1: says "الوزارة", but 3 to 11 of the text is " الوزارة"\. Fix the offsets',
        ),
        (["T1\tACTOR 4 400\tx"], r"r\.ann:1: .* out of the text's 40 code points"),
        (["T1\tACTOR 4\tx"], r'r\.ann:1: "ACTOR 4" is no label with offsets'),
        (["T1\tACTOR 0 3;12 16\tنفت سقوط"], r"r\.ann:1: T1 has a gap in it"),
        ([SPANS[0], SPANS[0]], r"r\.ann:2: T1 stands twice"),
        ([SPANS[0], "T2\tPLACE 8 16"], r"overlap"),
        (["ACTOR 4 11"], r"r\.ann:1: is no line of brat"),
        ([*SPANS, "E1\tCAPTURE:T9"], r"r\.ann:5: E1 has the trigger T9, for which there is no line"),
        ([*SPANS, "E1\tSIEGE:T2"], r"r\.ann:5: E1 is SIEGE, its trigger T2 is CAPTURE"),
        ([*SPANS, "E1\tCAPTURE:T2", "E2\tCAPTURE:T2"], r"r\.ann:6: E2 has the trigger T2 of another event"),
        ([*SPANS, "E1\tCAPTURE:T2 place:T9"], r'r\.ann:5: links to "T9", which is nowhere'),
        ([*SPANS, "E1\tCAPTURE:T2 place:T1"], r'r\.ann:5: role "place" cannot be filled by ACTOR; allowed: PLACE'),
        ([*SPANS, "E1\tCAPTURE:T2 where:T3"], r'r\.ann:5: .* unknown role "where"; known: .*'),
        ([*SPANS, "E1\tCAPTURE:T2 T3"], r'r\.ann:5: "T3" is no `role:T1`'),
        ([*SPANS, "R1\tplace Arg1:T3 Arg2:T4"], r"r\.ann:5: joins PLACE and PLACE"),
        ([*SPANS, "R1\tplace Arg1:T2"], r"r\.ann:5: R1 joins 1 spans, not two"),
        ([*SPANS, "A1\tFactuality T2 perhaps"], r'r\.ann:5: T2 has the unknown factuality "perhaps"'),
        ([*SPANS, "A1\tFactuality T2 denied", "A2\tFactuality T2 actual"], r"r\.ann:6: T2 is both denied and actual"),
        ([*SPANS, "A1\tFactuality T9 denied"], r"r\.ann:5: A1 describes T9"),
        ([*SPANS, "A1\tFactuality T1 denied"], r"is a ACTOR, which has no factuality"),
    ],
)
def test_reader_refuses_with_file_and_line(lines: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        read_brat(folder(tmp_path, *lines), CONTROL_CHANGE)


def test_reader_refuses_a_text_without_annotations_and_bad_bytes(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no \.txt file lies here"):
        read_brat(tmp_path, CONTROL_CHANGE)
    (tmp_path / "r.txt").write_text(TEXT, encoding="utf-8")
    with pytest.raises(DataError, match=r"r\.ann: cannot be read"):
        read_brat(tmp_path, CONTROL_CHANGE)
    (tmp_path / "r.ann").write_bytes(b"T1\tACTOR 4 11\n\xff\n")
    with pytest.raises(DataError, match=r"r\.ann:2: is not UTF-8"):
        read_brat(tmp_path, CONTROL_CHANGE)


def test_the_configuration_lists_the_schema(tmp_path: Path) -> None:
    write_brat(tmp_path / "out", [], CONTROL_CHANGE)
    lines = (tmp_path / "out" / "annotation.conf").read_text(encoding="utf-8").split("\n")
    assert lines[:6] == ["[entities]", "ACTOR", "PLACE", "SOURCE", "TIME", ""]
    roles = "controller*:ACTOR, displaced*:ACTOR, place*:PLACE, claimant*:ACTOR|SOURCE, reporter*:SOURCE, time*:TIME"
    assert f"SIEGE\t{roles}" in lines
    assert "Factuality\tArg:<EVENT>, Value:actual|denied|prospective" in lines
    assert annotation_conf(NER) == "[entities]\nPERS\nLOC\nORG\nMISC\n\n[relations]\n\n[events]\n\n[attributes]\n"
