"""The numbers of the datasheet, on corpora small enough to count by hand."""

from pathlib import Path

import pytest

from builders import annotate
from saytara.corpus.stats import (
    corpus_stats,
    masked_sentences,
    plot_stats,
    recurring_frames,
    repetition,
    sample_documents,
    stats_table,
    type_token_ratio,
)
from saytara.errors import MissingExtraError
from saytara.schema import CONTROL_CHANGE, NER

TAKEN = annotate(
    "أعلن [الثوار|a1:ACTOR] أمس [سقوط|e1:CAPTURE] [حمص|p1:PLACE] بالكامل. ثم عادوا.",
    "e1 actual controller=a1 place=p1 claimant=a1",
    id="a",
    country="Syria",
)
LEFT = annotate(
    "أعلن [الجيش|a1:ACTOR] أمس [سقوط|e1:CAPTURE] [درنة|p1:PLACE] بالكامل.",
    "e1 denied place=p1",
    id="b",
    country="Libya",
)
QUIET = annotate("فاز الفريق", id="c", country="Syria")


def test_corpus_stats_counts() -> None:
    stats = corpus_stats([TAKEN, LEFT, QUIET], CONTROL_CHANGE, sample_words=10)
    assert (stats["documents"], stats["words"], stats["triggers"], stats["mentions"]) == (3, 16, 2, 4)
    assert stats["documents_without_event"] == 0.3333
    assert stats["triggers_per_100_words"] == 12.5
    assert stats["arguments_per_trigger"] == 2.0
    assert stats["labels"] == {"ACTOR": 2, "PLACE": 2, "SOURCE": 0, "TIME": 0}
    assert stats["types"]["CAPTURE"] == 2
    assert stats["roles"]["claimant"] == 1
    assert stats["factuality"] == {"actual": 1, "denied": 1, "prospective": 0}
    assert stats["sentences"]["count"] == 4
    assert stats["sentences"]["mean_words"] == 4.0
    assert stats["sentences"]["p50_words"] == 4.0
    assert list(stats["countries"].items()) == [
        ("Syria", {"documents": 2, "words": 10, "triggers": 1}),
        ("Libya", {"documents": 1, "words": 6, "triggers": 1}),
    ]


def test_corpus_stats_of_nothing_and_of_plain_entities() -> None:
    stats = corpus_stats([], NER)
    assert stats["triggers_per_100_words"] == 0.0
    assert stats["sample"]["type_token_ratio"] is None
    assert list(stats["labels"]) == ["PERS", "LOC", "ORG", "MISC"]


def test_masked_sentences_put_labels_in_place_of_spans() -> None:
    assert list(masked_sentences(TAKEN)) == [
        ("أعلن", "ACTOR", "أمس", "CAPTURE", "PLACE", "بالكامل"),
        ("ثم", "عادوا"),
    ]


def test_repetition_sees_a_frame_under_different_names() -> None:
    measured = repetition([TAKEN, LEFT, QUIET])
    assert measured["shared_runs"] == 0.0
    assert measured["shared_frame_runs"] == 1.0  # both runs of the masked sentence stand in both reports
    assert measured["most_documents_with_one_frame_run"] == 2
    assert measured["repeated_sentence_frames"] == 1
    assert recurring_frames([TAKEN, LEFT], at_least=2)[0] == ("ACTOR أمس CAPTURE PLACE بالكامل", 2)
    assert recurring_frames([TAKEN, LEFT], at_least=3) == []


def test_repetition_sees_runs_shared_word_for_word() -> None:
    copies = [annotate("واحد اثنان ثلاثة أربعة خمسة ستة", id="a"), annotate("واحد اثنان ثلاثة أربعة خمسة", id="b")]
    assert repetition(copies)["shared_runs"] == 0.5


def test_sample_is_the_same_in_any_order_and_empty_when_too_small() -> None:
    corpus = [annotate(f"كلمة رقم {i} هنا", id=f"r-{i}") for i in range(20)]
    sample = sample_documents(corpus, words=10)
    assert len(sample) == 3
    assert sample_documents(corpus[::-1], words=10) == sample
    assert sample_documents(corpus, words=81) == []


def test_type_token_ratio_counts_different_words_of_the_sample() -> None:
    assert type_token_ratio([annotate("سلام سلام، عليكم سلام")], words=4) == 0.5
    assert type_token_ratio([annotate("سلام سلام، عليكم سلام")], words=2) == 0.5


def test_stats_table_has_a_column_for_each_corpus() -> None:
    stats = {"ours": corpus_stats([TAKEN, QUIET], CONTROL_CHANGE), "theirs": corpus_stats([LEFT], CONTROL_CHANGE)}
    lines = stats_table(stats).splitlines()
    assert lines[:3] == ["| | ours | theirs |", "|---|---:|---:|", "| documents | 2 | 1 |"]
    assert "| types: CAPTURE | 1 | 1 |" in lines
    assert "| sample: type token ratio | – | – |" in lines
    assert "| countries: Libya: documents | – | 1 |" in lines


def test_plot_is_a_png_or_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stats = {"ours": corpus_stats([TAKEN], CONTROL_CHANGE)}
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'saytara\[plot\]'"):
        plot_stats(stats, tmp_path / "stats.png")
    monkeypatch.undo()
    pytest.importorskip("matplotlib")
    plot_stats(stats, tmp_path / "stats.png")
    assert (tmp_path / "stats.png").read_bytes().startswith(b"\x89PNG")
