"""What the checks find, and that they leave a sound report alone."""

import re
from pathlib import Path

import pytest

from builders import annotate
from saytara.corpus.check import Finding, check_annotation, check_corpus, check_files, main
from saytara.corpus.texts import sentence_around, similar_pairs, word_shingles
from saytara.document import Annotation, Document, Mention, Span
from saytara.schema import CONTROL_CHANGE

SOUND = annotate(
    'نفى [ناطق باسم البلدية|s1:SOURCE] أن تكون [الكتيبة|a1:ACTOR] [غادرت|e1:WITHDRAWAL] ["حي الورد|p1:PLACE]".'.replace(
        '["حي', '"[حي'
    )
    + " وأضاف أن 3.5 كيلومترات تفصلها عن [بلدة السرو|p2:PLACE] منذ [الأربعاء|t1:TIME].",
    "e1 denied displaced=a1 place=p1 reporter=s1",
)


def levels(annotation: Annotation) -> set[str]:
    return {finding.level for finding in check_annotation(annotation, CONTROL_CHANGE, where="x")}


def test_a_sound_report_has_no_findings() -> None:
    assert check_annotation(SOUND, CONTROL_CHANGE, where="x") == []


@pytest.mark.parametrize(
    ("markup", "line", "level", "message"),
    [
        ("و[سقوط|e1:CAPTURE] [البلدة|p1:PLACE]", "e1 actual place=p1", "error", 'CAPTURE e1 "سقوط" cuts a word'),
        ("[حي الور|p1:PLACE]د", "", "error", 'PLACE p1 "حي الور" cuts a word'),
        ("[حَل|p1:PLACE]\u064eب", "", "error", "cuts a word"),
        ("[حي الورد،|p1:PLACE] هنا", "", "error", "white space or punctuation at an edge"),
        ("في [ حي الورد|p1:PLACE] هنا", "", "error", "white space or punctuation at an edge"),
        ("[«الأنصار|a1:ACTOR]»", "", "error", "punctuation at an edge"),
        ("[استعادت السيطرة|e1:RECAPTURE]", "e1 actual", "error", "the trigger e1 .* is more than one word"),
        ("!؟ …", "", "error", "the text has no word"),
        ("[حمص|x1:PLACE]", "", "warning", 'the id "x1" of a PLACE does not read p1'),
        ("[حمص|p1:PLACE] ثم وحمص", "", "warning", '"حمص" is PLACE p1, but bare in ".*وحمص'),
        ("[اللواء الخامس|a1:ACTOR] قرب اللواء الخامس", "", "warning", "is ACTOR a1, but bare"),
        ("[شرقي حمص|p1:PLACE]", "", "warning", 'PLACE p1 "شرقي حمص": leave "شرقي" out of it'),
        ("[في نيسان|t1:TIME]", "", "warning", 'leave "في" out of it'),
        ("[الآن|t1:TIME]", "", "warning", 'leave "الآن" out of it'),
        (
            "[سيطر|e1:CAPTURE] [الثوار|a1:ACTOR]",
            "e1 actual controller=a1 displaced=a1",
            "warning",
            'event e1 "سيطر": "a1" is both controller and displaced',
        ),
        (
            "[سيطر|e1:CAPTURE] [ناشط|s1:SOURCE]",
            "e1 actual claimant=s1 reporter=s1",
            "warning",
            '"s1" is both claimant and reporter',
        ),
        (
            "[انسحب|e1:WITHDRAWAL] [الثوار|a1:ACTOR]",
            "e1 actual controller=a1",
            "warning",
            "a controller and nobody displaced",
        ),
        (
            "[سيطر|e1:CAPTURE] [الثوار|a1:ACTOR] على المدينة",
            "e1 denied controller=a1",
            "warning",
            "is denied, but no word there denies",
        ),
        ("[سيطر|e1:CAPTURE] [الثوار|a1:ACTOR]", "e1 actual controller=a1", "notice", "has no place"),
        ("[سقوط|e1:CAPTURE] [حمص|p1:PLACE]", "e1 actual place=p1", "notice", "has no party"),
        (
            "[سقوط|e1:CAPTURE] قاعدة. في [حمص|p1:PLACE]",
            "e1 actual place=p1",
            "notice",
            'place "حمص" stands in a later sentence',
        ),
        (
            "[أمس|t1:TIME] وقع ذلك. [سقوط|e1:CAPTURE] قاعدة",
            "e1 actual time=t1",
            "notice",
            'its time t1 "أمس" stands in another sentence',
        ),
    ],
)
def test_check_finds(markup: str, line: str, level: str, message: str) -> None:
    findings = check_annotation(annotate(markup, line), CONTROL_CHANGE, where="f.txt")
    matching = [finding for finding in findings if re.search(message, finding.message)]
    assert [(finding.level, finding.where) for finding in matching] == [(level, "f.txt")], findings


@pytest.mark.parametrize(
    "markup",
    [
        "[حمص|p1:PLACE] ثم المحمصة والحمصي",  # other words that hold the name
        "دخلوا [المدينة|p1:PLACE] وخرجوا من المدينة",  # a common noun, annotated only as an argument
        "[شمال دارفور|p1:PLACE]",  # the state's name holds the direction
        "[قبل يومين|t1:TIME]",
        '[تنظيم "الفجر|a1:ACTOR]"',  # the opening quotation mark is in the middle of the name
    ],
)
def test_check_leaves_alone(markup: str) -> None:
    assert levels(annotate(markup)) <= {"notice"}


LONG = "وصلت قافلة من الشاحنات صباحا إلى السوق الكبير وأفرغت حمولتها من الدقيق والسكر ثم عادت إلى المستودع قبل الغروب"
OTHER = "فاز فريق المدينة في المباراة النهائية بعد ركلات الترجيح وسط حضور جماهيري كبير في الملعب الجديد مساء السبت"


def document(name: str, text: str, **meta: str) -> Annotation:
    return Annotation(Document(text, name, None, meta))


def messages(findings: list[Finding], level: str) -> list[str]:
    return [str(finding) for finding in findings if finding.level == level]


def test_twins_are_errors_across_splits_and_warnings_within() -> None:
    twin = LONG.replace("صباحا", "فجرا")
    across = check_corpus({"train": [document("a", LONG)], "dev": [document("b", twin)]}, CONTROL_CHANGE)
    within = check_corpus({"train": [document("a", LONG), document("b", twin)]}, CONTROL_CHANGE)
    (error,) = messages(across, "error")
    assert 'dev: document "b": nearly the text of document "a" in train (Jaccard 0.' in error
    assert messages(within, "error") == []
    assert len(messages(within, "warning")) == 1


def test_a_passage_cut_from_a_long_report_is_its_twin() -> None:
    splits = {"train": [document("whole", f"{OTHER}. {LONG}. {OTHER[::-1]}")], "test": [document("piece", LONG)]}
    assert len(messages(check_corpus(splits, CONTROL_CHANGE), "error")) == 1


def test_different_reports_are_no_twins() -> None:
    splits = {"train": [document("a", LONG)], "dev": [document("b", OTHER)]}
    assert messages(check_corpus(splits, CONTROL_CHANGE), "error") == []


def test_ids_and_groups_that_leak_are_errors() -> None:
    splits = {
        "train": [document("a", LONG, group="g")],
        "dev": [document("a", OTHER), document("c", "خبر آخر", group="g")],
    }
    errors = messages(check_corpus(splits, CONTROL_CHANGE), "error")
    assert errors == [
        'error: dev: document "a": the id is also in train. Rename or remove one.',
        'error: dev: document "c": group "g" is also in train. Keep a group in one split.',
    ]


def test_labels_that_never_occur_are_noticed() -> None:
    notices = messages(check_corpus({"train": [SOUND]}, CONTROL_CHANGE), "notice")
    assert "notice: train: no event type CAPTURE, RECAPTURE, HANDOVER, ADVANCE, SIEGE, HOLD occurs." in notices
    assert "notice: train: no factuality actual, prospective occurs." in notices


def test_similar_pairs_equals_comparing_all_with_all() -> None:
    words = LONG.split()
    texts = [LONG, " ".join(words[3:]), " ".join(words[:9]), OTHER, " ".join([*words[:8], *OTHER.split()]), "قصير"]
    shingles = [word_shingles(text, size=3) for text in texts]
    expected = set()
    for j, one in enumerate(shingles):
        for i, other in enumerate(shingles[:j]):
            common = len(one & other)
            if common and (common / len(one | other) >= 0.25 or common >= 0.6 * min(len(one), len(other))):
                expected.add((i, j))
    assert {(i, j) for i, j, _ in similar_pairs(texts, threshold=0.25)} == expected
    assert (0, 1) in expected


def test_sentence_around_is_not_cut_at_a_decimal_point() -> None:
    text = "أولا. تقدمت 3.5 كيلومترات نحو التل! ثالثا"
    start = text.index("تقدمت")
    assert sentence_around(text, Span(start, start + 5)) == Span(start, text.index("!") + 1)


def test_check_files_reads_both_forms_and_names_the_line_of_a_broken_block(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.jsonl", tmp_path / "bad.txt"
    good.write_text('{"id": "g", "text": "نص", "entities": [], "events": []}\n', encoding="utf-8")
    bad.write_text("# id: b\n[نص|p1:PLAC]\n", encoding="utf-8")
    splits, findings = check_files([good, bad], CONTROL_CHANGE)
    assert [len(annotations) for annotations in splits.values()] == [1, 0]
    (error,) = (finding for finding in findings if finding.level == "error")
    assert error.where == f'{bad}:2: document "b"'
    assert error.message.startswith('"p1" has the unknown label "PLAC"')


def test_main_counts_and_fails_on_errors_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "f.txt"
    path.write_text("# id: a\n[سقوط|e1:CAPTURE] [حمص|p1:PLACE]\n---\ne1 actual place=p1\n", encoding="utf-8")
    assert main([str(path)]) == 0
    assert "1 documents (0 without event), 2 words, 1 triggers" in capsys.readouterr().out
    path.write_text("# id: a\n[سقوط حمص|e1:CAPTURE]\n---\ne1 actual\n", encoding="utf-8")
    assert main([str(path)]) == 1
    assert "1 errors" in capsys.readouterr().out
    assert main([]) == 2


def test_mention_of_a_foreign_span_is_quoted_from_the_text() -> None:
    annotation = Annotation(Document("دخل حمص.", "x"), (Mention("p1", "PLACE", Span(4, 8)),))
    (finding,) = check_annotation(annotation, CONTROL_CHANGE, where="x")
    assert '"حمص."' in finding.message
