"""Logits to spans, roles and factuality."""

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saytara.decoding import Calibration, Decoder, DecodingConfig, viterbi
from saytara.errors import ConfigError
from saytara.schema import CONTROL_CHANGE
from saytara.tags import is_legal, tag_names

TAGS = tag_names(CONTROL_CHANGE)
ROLES = list(CONTROL_CHANGE.roles)


def logits(*tags: str, strength: float = 8.0) -> np.ndarray:
    """Logits that favour the given tag for each word; ``A/B`` puts the second tag just behind the first."""
    rows = np.zeros((len(tags), len(TAGS)), np.float32)
    for row, names in enumerate(tags):
        for rank, name in enumerate(names.split("/")):
            rows[row, TAGS.index(name)] = strength - rank
    return rows


def marks(*words: str) -> np.ndarray:
    return np.array([word in "،.«»" for word in words], bool)


NO_MARKS = np.zeros(12, bool)


def role_logits(*rows: dict[str, float]) -> np.ndarray:
    return np.array([[row.get(role, -9.0) for role in ROLES] for row in rows], np.float32)


@given(st.integers(1, 5), st.integers(2, 4), st.randoms(use_true_random=False))
def test_viterbi_equals_brute_force(words: int, size: int, random: object) -> None:
    generator = np.random.default_rng(random.randint(0, 10**6))  # type: ignore[attr-defined]
    scores, start = generator.normal(size=(words, size)), generator.normal(size=size)
    transitions = generator.normal(size=(words - 1, size, size))
    transitions[:, 0, 1] = -np.inf

    def total(path: tuple[int, ...]) -> float:
        steps = sum(transitions[i, a, b] for i, (a, b) in enumerate(itertools.pairwise(path)))
        return float(start[path[0]] + sum(scores[i, tag] for i, tag in enumerate(path)) + steps)

    best = max(itertools.product(range(size), repeat=words), key=total)
    assert total(tuple(viterbi(scores, start, transitions))) == pytest.approx(total(best))


def test_an_illegal_sequence_is_repaired() -> None:
    decoder = Decoder(CONTROL_CHANGE, DecodingConfig())
    (found,) = decoder.spans(logits("I-ACTOR/B-ACTOR", "I-ACTOR", "O"), NO_MARKS[:3])
    assert (found.span.start, found.span.end, found.span.label) == (0, 2, "ACTOR")


@given(st.integers(1, 12), st.integers(0, 10**6))
def test_decoded_tags_are_always_legal(words: int, seed: int) -> None:
    scores = np.random.default_rng(seed).normal(size=(words, len(TAGS))).astype(np.float32) * 4
    decoder = Decoder(CONTROL_CHANGE, DecodingConfig())
    path = viterbi(scores, decoder._start, np.broadcast_to(decoder._transitions, (words - 1, len(TAGS), len(TAGS))))
    assert all(is_legal(None if i == 0 else TAGS[path[i - 1]], TAGS[tag]) for i, tag in enumerate(path))


def test_triggers_and_mentions_of_a_report_come_apart() -> None:
    decoder = Decoder(CONTROL_CHANGE, DecodingConfig())
    tags = ("B-CAPTURE", "B-ACTOR", "I-ACTOR", "O", "B-PLACE", "B-PLACE")
    labels = [scored.span.label for scored in decoder.spans(logits(*tags), NO_MARKS[:6])]
    assert labels == ["CAPTURE", "ACTOR", "PLACE", "PLACE"]


def test_no_span_begins_or_ends_with_a_mark() -> None:
    decoder = Decoder(CONTROL_CHANGE, DecodingConfig())
    likely = logits("B-TIME", "I-TIME", "I-TIME", "B-ACTOR", "I-ACTOR", "I-ACTOR", "I-ACTOR", "B-CAPTURE")
    is_mark = marks("عام", "2014", ".", "«", "قوات", "«", "اللواء", "،")
    spans = [(s.span.start, s.span.end, s.span.label) for s in decoder.spans(likely, is_mark)]
    assert spans[0] == (0, 2, "TIME")
    assert (4, 7, "ACTOR") in spans, "a mark inside a span stays"
    assert "CAPTURE" not in [label for _, _, label in spans]


@given(st.integers(1, 12), st.integers(0, 10**6))
def test_marks_never_stand_at_an_edge(words: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    scores = generator.normal(size=(words, len(TAGS))).astype(np.float32) * 4
    is_mark = generator.random(words) < 0.4
    for scored in Decoder(CONTROL_CHANGE, DecodingConfig()).spans(scores, is_mark):
        assert not is_mark[[scored.span.start, scored.span.end - 1]].any()


def test_no_words_give_no_spans() -> None:
    assert Decoder(CONTROL_CHANGE, DecodingConfig()).spans(np.zeros((0, len(TAGS)), np.float32), NO_MARKS[:0]) == []


def test_a_threshold_drops_a_label_and_a_bias_brings_one_back() -> None:
    weak = logits("O/B-PLACE", strength=2.0)
    assert Decoder(CONTROL_CHANGE, DecodingConfig()).spans(weak, NO_MARKS[:1]) == []
    biased = DecodingConfig(tag_bias={"PLACE": 2.0})
    assert len(Decoder(CONTROL_CHANGE, biased).spans(weak, NO_MARKS[:1])) == 1
    strict = DecodingConfig(tag_bias={"PLACE": 2.0}, thresholds={"PLACE": 0.99})
    assert Decoder(CONTROL_CHANGE, strict).spans(weak, NO_MARKS[:1]) == []


ACTOR, PLACE = (list(CONTROL_CHANGE.mentions).index(label) for label in ("ACTOR", "PLACE"))


def test_a_label_that_may_not_fill_a_role_never_does() -> None:
    """Neither by its logits nor by a calibration under which everything is likely."""
    rows = role_logits({"place": 9.0}, {"controller": -30.0})
    config = DecodingConfig(calibration={"argument": Calibration(0.01, 4.0)}, fallbacks={"controller": 0.1})
    found = Decoder(CONTROL_CHANGE, config).fillers(rows, [0, 1], [ACTOR, PLACE])
    assert {(role, mention) for role, mention, _ in found} == {
        ("controller", 0),
        ("displaced", 0),
        ("claimant", 0),
        ("place", 1),
    }


def test_one_mention_may_hold_two_roles() -> None:
    decoder = Decoder(CONTROL_CHANGE, DecodingConfig())
    fillers = decoder.fillers(role_logits({"controller": 3.0, "claimant": 2.0}, {"place": 1.0}), [4, 7], [ACTOR, PLACE])
    assert [(role, mention) for role, mention, _ in fillers] == [("controller", 4), ("place", 7), ("claimant", 4)]


def test_a_fallback_takes_the_best_filler_where_none_reaches_the_threshold() -> None:
    rows = role_logits({"place": -1.0}, {"place": -0.5})
    assert Decoder(CONTROL_CHANGE, DecodingConfig()).fillers(rows, [0, 1], [PLACE, PLACE]) == []
    found = Decoder(CONTROL_CHANGE, DecodingConfig(fallbacks={"place": 0.3})).fillers(rows, [0, 1], [PLACE, PLACE])
    assert [(role, mention) for role, mention, _ in found] == [("place", 1)]


def found_by(config: DecodingConfig, *rows: dict[str, float]) -> list[tuple[str, int]]:
    """(role, mention) of actors with these role logits."""
    numbers = list(range(len(rows)))
    fillers = Decoder(CONTROL_CHANGE, config).fillers(role_logits(*rows), numbers, [ACTOR] * len(rows))
    return [(role, mention) for role, mention, _ in fillers]


EXCLUSIVE = (("controller", "displaced"),)


def test_of_exclusive_roles_a_mention_keeps_the_likelier() -> None:
    rows = ({"controller": 1.0, "displaced": 2.0}, {"controller": 3.0, "displaced": 0.5})
    both = [("controller", 0), ("controller", 1), ("displaced", 0), ("displaced", 1)]
    assert found_by(DecodingConfig(), *rows) == both
    assert found_by(DecodingConfig(exclusive=EXCLUSIVE), *rows) == [("controller", 1), ("displaced", 0)]


def test_a_fallback_does_not_take_a_mention_that_holds_an_exclusive_role() -> None:
    rows = ({"controller": -0.5, "displaced": 2.0}, {"controller": -1.0})
    fallback = DecodingConfig(fallbacks={"controller": 0.1})
    assert found_by(fallback, *rows) == [("controller", 0), ("displaced", 0)]
    assert found_by(replace(fallback, exclusive=EXCLUSIVE), *rows) == [("controller", 1), ("displaced", 0)]


def test_the_next_filler_is_the_first_where_the_best_holds_an_exclusive_role() -> None:
    rows = ({"controller": 2.0, "displaced": 3.0}, {"controller": 1.0})
    config = DecodingConfig(further={"controller": 0.8}, exclusive=EXCLUSIVE)
    assert found_by(config, *rows) == [("controller", 1), ("displaced", 0)]


def test_of_two_fallbacks_to_one_mention_the_likelier_holds() -> None:
    config = DecodingConfig(fallbacks={"controller": 0.1, "displaced": 0.1}, exclusive=EXCLUSIVE)
    assert found_by(config, {"controller": -1.0, "displaced": -0.2}) == [("displaced", 0)]


def test_a_role_that_lost_excludes_nothing() -> None:
    config = DecodingConfig(exclusive=(*EXCLUSIVE, ("displaced", "claimant")))
    rows = ({"controller": 1.0, "displaced": 2.0, "claimant": 3.0},)
    assert found_by(config, *rows) == [("controller", 0), ("claimant", 0)]


def test_further_fillers_need_a_higher_score() -> None:
    rows = ({"controller": 0.2}, {"controller": 2.0}, {"controller": 0.5})
    assert found_by(DecodingConfig(), *rows) == [("controller", 0), ("controller", 1), ("controller", 2)]
    assert found_by(DecodingConfig(further={"controller": 0.6}), *rows) == [("controller", 1), ("controller", 2)]
    assert found_by(DecodingConfig(further={"controller": 0.3}), *rows) == found_by(DecodingConfig(), *rows)


def test_factuality_is_the_best_value_with_its_score() -> None:
    value, score = Decoder(CONTROL_CHANGE, DecodingConfig()).factuality(np.array([0.0, 3.0, 0.0], np.float32))
    assert value == "denied"
    assert score == pytest.approx(np.exp(3) / (np.exp(3) + 2))


def test_calibration_moves_log_odds() -> None:
    assert Calibration(scale=2.0, shift=0.0)(0.5) == pytest.approx(0.5)
    assert Calibration(scale=1.0, shift=1.0)(0.5) == pytest.approx(1 / (1 + np.exp(-1)))
    assert 0 < Calibration(scale=0.5)(0.0) < Calibration(scale=0.5)(1.0) < 1


def test_a_config_survives_the_way_to_a_dict_and_back() -> None:
    config = DecodingConfig({"PLACE": 0.5}, {}, {"place": 0.4}, {"place": 0.2}, {"mention": Calibration(1.5, -0.2)})
    config = replace(config, further={"place": 0.7}, exclusive=EXCLUSIVE)
    assert DecodingConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert DecodingConfig.from_dict(config.to_dict()) == config


def test_an_override_replaces_the_threshold_and_its_fallback() -> None:
    config = DecodingConfig(thresholds={"place": 0.4}, fallbacks={"place": 0.2}, further={"place": 0.9}).override(
        {"place": 0.8}, CONTROL_CHANGE
    )
    assert config.thresholds == {"place": 0.8}
    assert config.fallbacks == config.further == {}


@pytest.mark.parametrize(
    ("thresholds", "message"), [({"plce": 0.5}, "closest: place"), ({"place": 1.5}, "between 0 and 1")]
)
def test_a_wrong_override_is_refused(thresholds: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        DecodingConfig().override(thresholds, CONTROL_CHANGE)
