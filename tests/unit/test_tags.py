"""Tags and spans, back and forth."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saytara.schema import CONTROL_CHANGE, NER
from saytara.tags import WordSpan, is_legal, tag_names, to_spans, to_tags

LABELS = list(CONTROL_CHANGE.mentions)


@st.composite
def span_lists(draw: st.DrawFn) -> tuple[list[WordSpan], int]:
    spans, word = [], 0
    for gap, length, label in draw(
        st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4), st.sampled_from(LABELS)), max_size=8)
    ):
        spans.append(WordSpan(word + gap, word + gap + length, label))
        word += gap + length
    return spans, word + draw(st.integers(0, 3))


@given(span_lists())
def test_spans_survive_the_way_to_tags_and_back(drawn: tuple[list[WordSpan], int]) -> None:
    spans, size = drawn
    assert to_spans(to_tags(spans, size)) == spans


@given(st.lists(st.sampled_from(tag_names(NER)), max_size=12))
def test_loose_tags_are_read_as_seqeval_reads_them(tags: list[str]) -> None:
    labeling = pytest.importorskip("seqeval.metrics.sequence_labeling", reason="saytara[train] brings it")
    expected = [WordSpan(start, end + 1, label) for label, start, end in labeling.get_entities(tags)]
    assert to_spans(tags) == expected


def test_the_inventory_has_one_tag_a_trigger_type_and_two_a_label() -> None:
    assert tag_names(CONTROL_CHANGE)[:3] == ["O", "B-ACTOR", "I-ACTOR"]
    assert len(tag_names(CONTROL_CHANGE)) == 1 + 2 * 4 + 7


@pytest.mark.parametrize(
    ("previous", "tag", "legal"),
    [
        (None, "I-ACTOR", False),
        ("O", "I-ACTOR", False),
        ("B-PLACE", "I-ACTOR", False),
        ("B-ACTOR", "I-ACTOR", True),
        ("I-ACTOR", "I-ACTOR", True),
        ("I-ACTOR", "B-CAPTURE", True),
        (None, "O", True),
    ],
)
def test_an_inside_tag_follows_its_own_label_only(previous: str | None, tag: str, legal: bool) -> None:
    assert is_legal(previous, tag) is legal
