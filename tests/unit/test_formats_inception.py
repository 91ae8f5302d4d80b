"""INCEpTION's XMI: offsets in UTF-16, archives, what people leave undone, what is refused."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytest.importorskip("cassis", reason="saytara[formats] is not installed")

from builders import annotate
from saytara.corpus.formats.inception import EVENT, MENTION, SENTENCE, TOKEN, read_inception, write_inception
from saytara.errors import DataError
from saytara.schema import CONTROL_CHANGE, NER

FALL = annotate(
    "😀 نفت [الوزارة|a1:ACTOR] [سقوط|e1:CAPTURE] [بلدة السدر|p1:PLACE]. وقال [شاهد|s1:SOURCE] غير ذلك.",
    "e1 denied place=p1 claimant=a1",
    id="day/1",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_inception(tmp_path / "out", [FALL], CONTROL_CHANGE)
    return tmp_path / "out"


def edit(folder: Path, change: Callable[[str], str]) -> Path:
    """Change the text of the only XMI file."""
    (file,) = folder.glob("*.xmi")
    old = file.read_text(encoding="utf-8")
    new = change(old)
    assert new != old
    file.write_text(new, encoding="utf-8")
    return folder


def elements(folder: Path, layer: str) -> list[dict[str, str]]:
    (file,) = folder.glob("*.xmi")
    tag = layer.rpartition(".")[2]
    return [dict(e.attrib) for e in ElementTree.parse(file).getroot().iter() if e.tag.rpartition("}")[2] == tag]


def test_the_file_holds_layers_with_offsets_in_utf16(folder: Path) -> None:
    assert [f.name for f in sorted(folder.iterdir())] == ["TypeSystem.xml", "day%2F1.xmi"]
    mentions = elements(folder, MENTION)
    assert [(m["begin"], m["end"], m["value"]) for m in mentions] == [
        ("7", "14", "ACTOR"),  # one more than in code points: the smiling face is two units
        ("20", "30", "PLACE"),
        ("37", "41", "SOURCE"),
    ]
    (event,) = elements(folder, EVENT)
    assert (event["begin"], event["value"], event["factuality"]) == ("15", "CAPTURE", "denied")
    assert len(elements(folder, TOKEN)) == 12
    assert [(s["begin"], s["end"]) for s in elements(folder, SENTENCE)] == [("0", "31"), ("32", "50")]


def test_an_archive_with_its_type_system_is_read(folder: Path, tmp_path: Path) -> None:
    archive = tmp_path / "export" / "annotation" / "day%2F1.xmi" / "admin.zip"
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w") as file:
        for path in folder.iterdir():
            file.write(path, path.name)
    for source in (archive, tmp_path / "export", folder / "day%2F1.xmi"):
        assert read_inception(source, CONTROL_CHANGE) == ([FALL], {})


def test_the_title_names_the_document_else_the_file(folder: Path) -> None:
    edit(folder, lambda xmi: xmi.replace('documentTitle="day%2F1.xmi"', 'documentTitle="report-9.txt"'))
    assert read_inception(folder, CONTROL_CHANGE)[0][0].document.id == "report-9"
    edit(folder, lambda xmi: xmi.replace(' documentTitle="report-9.txt"', ""))
    assert read_inception(folder, CONTROL_CHANGE)[0][0].document.id == "day/1"


def test_no_factuality_stands_for_the_default(folder: Path) -> None:
    edit(folder, lambda xmi: xmi.replace(' factuality="denied"', ""))
    assert read_inception(folder, CONTROL_CHANGE)[0][0].events[0].factuality == "actual"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('value="PLACE"', 'value="PLAC"', r'day%2F1\.xmi: annotation \d+: .* unknown label "PLAC"; .*closest: PLACE'),
        (' value="PLACE"', "", r"annotation \d+: has no value"),
        ('factuality="denied"', 'factuality="no"', r'annotation \d+: .* unknown factuality "no"'),
        ('role="place"', 'role="where"', r'annotation \d+, argument "where": .* unknown role "where"'),
        (' role="place"', "", r"annotation \d+, argument null: has no role or no mention"),
        ('end="30" value="PLACE"', 'end="999" value="PLACE"', r"annotation \d+: .* out of the text's"),
        ("<cas:View", "<cas:Vie", r"day%2F1\.xmi: (is not XML|does not fit)"),
    ],
)
def test_reader_refuses_with_file_and_annotation(old: str, new: str, message: str, folder: Path) -> None:
    edit(folder, lambda xmi: xmi.replace(old, new))
    with pytest.raises(DataError, match=message):
        read_inception(folder, CONTROL_CHANGE)


def test_reader_refuses_a_folder_without_types_or_files(folder: Path, tmp_path: Path) -> None:
    write_inception(tmp_path / "ner", [annotate("زار عمر تونس", schema=NER)], NER)
    with pytest.raises(DataError, match=r"r-1\.xmi: has no layer webanno\.custom\.Event"):
        read_inception(tmp_path / "ner", CONTROL_CHANGE)
    (folder / "TypeSystem.xml").unlink()
    with pytest.raises(DataError, match=r"day%2F1\.xmi: has no TypeSystem\.xml beside it"):
        read_inception(folder, CONTROL_CHANGE)
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match=r"no \.xmi file lies here"):
        read_inception(tmp_path / "none", CONTROL_CHANGE)


def test_writer_refuses_what_xml_cannot_hold(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r'document "r-1": the text has what XML cannot hold'):
        write_inception(tmp_path / "out", [annotate("نص \x0b هنا")], CONTROL_CHANGE)
    assert list(tmp_path.iterdir()) == []
