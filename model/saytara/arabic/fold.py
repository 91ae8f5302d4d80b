"""Fold spelling that varies in the news, so that two spellings of a name compare equal.

For look-ups only: folded text is never shown and has no offsets.
"""

import re

from saytara.arabic.normalize import MARKS

_FOLDS = str.maketrans(
    {
        "\u0623": "\u0627",  # alef with hamza above
        "\u0625": "\u0627",  # alef with hamza below
        "\u0622": "\u0627",  # alef with madda
        "\u0671": "\u0627",  # alef wasla
        "\u0629": "\u0647",  # teh marbuta -> heh
        "\u0649": "\u064a",  # alef maksura -> yeh
        "\u0624": "\u0648",  # waw with hamza
        "\u0626": "\u064a",  # yeh with hamza
        "\u06a9": "\u0643",  # keheh
        "\u06cc": "\u064a",  # Farsi yeh
        "\u06af": "\u063a",  # gaf, as in Garyan
        "\u06a4": "\u0641",  # veh
        "\u067e": "\u0628",  # peh
        "\u0686": "\u062c",  # tcheh
    }
)
_DROPPED = re.compile(
    rf"[{MARKS}\u0640\u200b-\u200f\u202a-\u202e\u2066-\u2069\u0621'\"«»“”‘’()\[\]]"
)  # marks, tatweel, bidi, lone hamza, quotes
_GAPS = re.compile(r"[\s\-_/،,.]+")


def fold(text: str) -> str:
    """Fold hamza, teh marbuta, alef maksura, foreign letters, marks and gaps.

    >>> fold("إدلِب"), fold("الحسكة")
    ('ادلب', 'الحسكه')
    """
    return _GAPS.sub(" ", _DROPPED.sub("", text.translate(_FOLDS))).strip()


def without_article(folded: str) -> str:
    """The folded name without the article of each word.

    >>> without_article("دير الزور")
    'دير زور'
    """
    return " ".join(word[2:] if word.startswith("ال") and len(word) > 4 else word for word in folded.split(" "))
