"""Annotated passages with other names in them: mentions swapped for mentions of the same type and shape.

usage: python benchmarks/swap_mentions.py FILE… --output SWAPPED.jsonl [--share 0.5] [--seed 1]

Each passage of the files is written once. A share of its mentions, all of one surface together, is replaced by mentions
that the files hold at least twice: of the same type, definite or not, headed by a category noun or not, of one word or
several, with the same ending of the head (a stand-in for gender and number) and under the same proclitic; a time by one
of the same pattern of words. Category nouns alone (المدينة), mentions with a pronoun or a quotation mark, and what has
no match stay as they are.
"""

import argparse
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from saytara.corpus import read_annotations
from saytara.corpus.jsonl import annotation_from_dict, annotation_to_dict, write_corpus
from saytara.schema import CONTROL_CHANGE

PROCLITICS = ("ولل", "وب", "ول", "لل", "و", "ل", "ب", "ف", "ك")
ENDINGS = ("ون", "ين", "ات", "ة")
PRONOUNS = ("ه", "ها", "هم", "هما", "نا")
WEEKDAY = re.compile("السبت|ال[أا]حد|ال[اإ]ثنين|الثلاثاء|ال[أا]ربعاء|الخميس|الجمعة")
MONTH = re.compile(
    "يناير|فبراير|مارس|[أإ]بريل|مايو|يونيو|يوليو|أغسطس|سبتمبر|أكتوبر|نوفمبر|ديسمبر|"
    "كانون|شباط|آذار|نيسان|أيار|حزيران|تموز|آب|أيلول|تشرين"
)
Key = tuple[str, ...]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--share", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    records = [annotation_to_dict(a) for file in options.files for a in read_annotations(file, CONTROL_CHANGE)]
    pool = Pool(records)
    dice = random.Random(options.seed)
    others = (swapped(record, pool, options.share, dice) for record in records)
    write_corpus(options.output, (annotation_from_dict(other, CONTROL_CHANGE) for other in others), CONTROL_CHANGE)
    print(f"{len(records)} passages, {pool.made} of {pool.asked} chosen mentions swapped: {options.output}")
    return 0


class Pool:
    """The mentions that may stand in for others, by type and shape."""

    def __init__(self, records: Iterable[dict[str, Any]]) -> None:
        counts = Counter((e["type"], e["text"]) for record in records for e in record["entities"])
        self.seen = set(counts)
        self.frequent = {mention for mention, count in counts.items() if count >= 2}
        followers: dict[tuple[str, str], set[str]] = defaultdict(set)
        for type_, text in counts:
            if " " in text:
                followers[type_, text.split()[0].removeprefix("ال")].add(text)
        self.categories = {head for head, texts in followers.items() if len(texts) >= 5}
        self.by_shape: dict[Key, list[str]] = defaultdict(list)
        for type_, text in sorted(self.frequent):
            shape = self.shape(type_, text)
            if shape and not self.perhaps_proclitic(type_, text):
                self.by_shape[shape].append(text)
        self.asked = self.made = 0

    def parted(self, type_: str, text: str) -> tuple[str, str]:
        """The proclitic and the mention without it: only where that stands elsewhere by itself."""
        for proclitic in PROCLITICS:
            bare = text.removeprefix(proclitic)
            if proclitic.endswith("لل"):
                bare = "ال" + bare
            if text.startswith(proclitic) and (type_, bare) in self.frequent:
                return proclitic, bare
        return "", text

    def perhaps_proclitic(self, type_: str, text: str) -> bool:
        """Whether it may begin with a proclitic: what follows its first letter is definite, or a mention too."""
        rest = text[1:]
        return text[0] in "ولبفك" and (rest.startswith(("ال", "لل")) or (type_, rest) in self.seen or text[:2] == "لل")

    def shape(self, type_: str, text: str) -> Key | None:
        """What two mentions must share; None for a mention that stays."""
        words = text.split()
        if re.search(r"[\"«»“”'()\n]", text):
            return None
        if type_ == "TIME":
            return (type_, *map(time_class, words))
        head = words[0]
        definite = head.startswith("ال")
        category = (type_, head.removeprefix("ال")) in self.categories
        if type_ == "PLACE" and len(words) == 1 and category:
            return None
        if type_ in ("ACTOR", "SOURCE") and head.endswith(PRONOUNS):
            return None
        ending = next((e for e in ENDINGS if head.endswith(e)), "")
        latin = "latin" if re.search("[A-Za-z]", text) else ""
        return (type_, str(definite), str(category), str(min(len(words), 3)), ending, latin)

    def other(self, type_: str, text: str, dice: random.Random) -> str:
        """Another mention of the same shape, under the same proclitic; the mention itself where there is none."""
        self.asked += 1
        proclitic, bare = self.parted(type_, text)
        shape = self.shape(type_, bare)
        if shape is None or (not proclitic and self.perhaps_proclitic(type_, text)):
            return text
        choices = [c for c in self.by_shape.get(shape, []) if c != bare]
        if not choices:
            return text
        self.made += 1
        choice = dice.choice(choices)
        return proclitic + (choice.removeprefix("ال") if proclitic.endswith("لل") else choice)


def time_class(word: str) -> str:
    """The word of a time expression, or what kind of number or name it is."""
    if word.isdigit():
        return "year" if len(word) == 4 else "number"
    return "weekday" if WEEKDAY.fullmatch(word) else "month" if MONTH.fullmatch(word) else word


def swapped(record: dict[str, Any], pool: Pool, share: float, dice: random.Random) -> dict[str, Any]:
    """The record with a share of its mentions replaced, offsets and words moved with them."""
    surfaces = sorted({(e["type"], e["text"]) for e in record["entities"]})
    others = {s: pool.other(*s, dice) for s in surfaces if dice.random() < share}
    spans = [(e, others.get((e["type"], e["text"]), e["text"])) for e in record["entities"]]
    spans += [(e["trigger"], e["trigger"]["text"]) for e in record["events"]]
    text, shifted, at = "", {}, 0
    for span, words in sorted(spans, key=lambda pair: pair[0]["start"]):
        text += record["text"][at : span["start"]]
        shifted[span["start"]] = {"start": len(text), "end": len(text) + len(words), "text": words}
        text += words
        at = span["end"]
    text += record["text"][at:]
    entities = [e | shifted[e["start"]] for e in record["entities"]]
    events = [e | {"trigger": e["trigger"] | shifted[e["trigger"]["start"]]} for e in record["events"]]
    return record | {"id": f"{record['id']}-swapped", "text": text, "entities": entities, "events": events}


if __name__ == "__main__":
    sys.exit(main())
