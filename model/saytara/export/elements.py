"""HTML elements from values, with every text escaped unless it is markup already.

Knows no page; writes no files.
"""

import html
from collections.abc import Iterable

VOID = frozenset({"meta", "br", "hr", "img", "input", "link"})


class Safe(str):
    """Markup that is not escaped again. Made by `tag` and `join`, or from a packaged asset; never from data."""

    __slots__ = ()


Child = str | Safe | None
Value = str | int | float | bool | None


def escape(text: str) -> Safe:
    r"""Text as markup that reads back as the same text.

    >>> escape("<b> & '\r'")
    '&lt;b&gt; &amp; &#x27;&#13;&#x27;'
    """
    if isinstance(text, Safe):
        return text
    # a parser turns a bare carriage return into a line feed, and refuses NUL and lone surrogates
    readable = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")
    return Safe(html.escape(readable, quote=True).replace("\r", "&#13;"))


def join(children: Iterable[Child], separator: Child = "") -> Safe:
    """Children one after the other, those that are None left out."""
    return Safe(escape(separator or "").join(escape(child) for child in children if child is not None))


def tag(name: str, *children: Child, **attributes: Value) -> Safe:
    """An element; ``class_`` gives ``class``, ``aria_label`` gives ``aria-label``, True an attribute without a value.

    >>> tag("p", "a < b", class_="note", hidden=None)
    '<p class="note">a &lt; b</p>'
    """
    opened = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escape(str(value))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in VOID:
        return Safe(f"<{name}{opened}>")
    return Safe(f"<{name}{opened}>{join(children)}</{name}>")
