"""Cut text into words and sentences, as offsets.

Does not know windows or word pieces, and changes no text.
"""

import re

from saytara.arabic.normalize import MARKS

_MARK = re.compile(r"[^\w\s]")  # one punctuation mark:  ،
_WORD = re.compile(
    rf"""
    (?: \w [\u0300-\u036f{MARKS}]* )+   # letters, digits, tatweel with their marks:  حَلَب
    | {_MARK.pattern}
    """,
    re.VERBOSE,
)
_ENDS = frozenset(".!?؟…")  # full stop, exclamation and question marks, ellipsis
_CLOSERS = frozenset("\"'»”’)]}")


def find_words(text: str) -> list[tuple[int, int]]:
    """Half-open ranges of the words and punctuation marks of `text`.

    >>> find_words("دخلت حمص.")
    [(0, 4), (5, 8), (8, 9)]
    """
    return [match.span() for match in _WORD.finditer(text)]


def is_mark(character: str) -> bool:
    """Whether the word that begins with `character` is a punctuation mark.

    >>> is_mark("،"), is_mark("ح")
    (True, False)
    """
    return _MARK.match(character) is not None


def find_sentences(text: str, words: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Half-open ranges of word indices, one a sentence; together they cover every word.

    A sentence ends at a line end, or after a full stop, question or exclamation mark (with closing
    quotes) that white space follows: ``3.5`` and ``example.com`` stay whole.
    """
    sentences = []
    first = 0
    for index in range(1, len(words)):
        gap = text[words[index - 1][1] : words[index][0]]
        if "\n" in gap or (gap and _closes(text, words, index - 1, first)):
            sentences.append((first, index))
            first = index
    if words:
        sentences.append((first, len(words)))
    return sentences


def _closes(text: str, words: list[tuple[int, int]], last: int, first: int) -> bool:
    """Whether the word at `last` ends a sentence that began at `first`."""
    while last > first and text[words[last][0]] in _CLOSERS:
        last -= 1
    return text[words[last][0]] in _ENDS
