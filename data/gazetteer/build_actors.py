"""Build the packaged table of actors from states.tsv, roles.tsv and actors-*.tsv, and check it.

Needs the installed package for its folding; the same sources give the same bytes.
"""

import csv
import itertools
import sys
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from saytara.linking.actor_table import COLUMNS, GENERIC, PACKED_COLUMNS, PLAIN, key, parse_years, split_mark, with_keys

HERE = Path(__file__).resolve().parent
TABLES = HERE.parents[1] / "model" / "saytara" / "linking" / "tables"
GZIP = 31
"""zlib's window with a gzip header; gzip's own function writes another header from Python 3.13 on."""
STATE_COLUMNS = ("iso", "name_en", "adjective_en", "names", "adjectives", "people", "capitals", "theatre")
KINDS = frozenset(
    ("state", "rebel", "coalition", "militia", "foreign", "peacekeeper", "tribe", "police", "party", "organisation")
)
Row = dict[str, str]


def read(path: Path, columns: tuple[str, ...]) -> list[Row]:
    """Rows of a tab-separated file; exits with file and line where one is malformed."""
    with path.open(encoding="utf-8", newline="") as stream:
        lines = list(csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
    if tuple(lines[0]) != columns:
        sys.exit(f"{path}:1: columns are {lines[0]}, expected {list(columns)}.")
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(columns):
            sys.exit(f"{path}:{number}: {len(line)} columns, expected {len(columns)}.")
    return [dict(zip(columns, line, strict=True)) for line in lines[1:]]


def state_actors(states: Iterable[Row], roles: list[Row]) -> Iterator[Row]:
    """Government, army and so on of each state, its names made from the patterns of the roles."""
    for state in states:
        for role in roles:
            yield {
                "id": f"{state['iso'].lower()}.{role['role']}",
                "name": next(iter(forms(role["name"], state))),
                "name_en": role["name_en"].format(state=state["name_en"], adjective=state["adjective_en"]),
                "aliases": "|".join(
                    dict.fromkeys(form for pattern in role["aliases"].split("|") for form in forms(pattern, state))
                ),
                "side": "government",
                "kind": role["kind"],
                "country": state["iso"],
                "years": "",
                "parent": "" if role["role"] == "gov" else f"{state['iso'].lower()}.{role['parent']}",
            }


def forms(pattern: str, state: Row) -> Iterator[str]:
    """A pattern with each name ``{n}``, demonym ``{m}``, ``{f}``, ``{p}`` (plural) or capital ``{c}`` of the state."""
    adjectives = list(filter(None, state["adjectives"].split("|")))
    values = {
        "{m}": [definite(word) for word in adjectives],
        "{f}": [" ".join(definite(part + "ة") for part in word.split(" ")) for word in adjectives],
        "{p}": [definite(word) for word in state["people"].split("|") if word],
        "{n}": [word for word in state["names"].split("|") if word],
        "{c}": [word for word in state["capitals"].split("|") if word],
    }
    slots = [slot for slot in values if slot in pattern]
    for chosen in itertools.product(*(values[slot] for slot in slots)):
        form = pattern
        for slot, word in zip(slots, chosen, strict=True):
            form = form.replace(slot, word)
        yield form


def definite(words: str) -> str:
    return " ".join("ال" + word for word in words.split(" "))


def merge(generated: Iterable[Row], written: list[tuple[str, Row]]) -> list[Row]:
    """Rows by id. A written row with the id of a generated one takes its place and keeps its patterns' aliases.

    A pattern's alias that a written row of that country has as a name becomes a second reading.
    """
    holders = {
        (key(name), code): row["id"]
        for _, row in written
        for mark, name in map(split_mark, [row["name"], *filter(None, row["aliases"].split("|"))])
        if mark == PLAIN
        for code in row["country"].split(",")
    }
    rows = {row["id"]: {**row, "aliases": "|".join(_yielding(row, holders))} for row in generated}
    seen: dict[str, str] = {}
    for where, row in written:
        if row["id"] in seen:
            sys.exit(f"{where}: id {row['id']!r} is also in {seen[row['id']]}.")
        seen[row["id"]] = where
        own = [alias for alias in row["aliases"].split("|") if alias]
        names = {key(split_mark(alias)[1]) for alias in own} | {key(row["name"])}
        known = rows[row["id"]]["aliases"].split("|") if row["id"] in rows else []
        rest = [alias for alias in known if alias and key(split_mark(alias)[1]) not in names]
        rows[row["id"]] = {**row, "aliases": "|".join([*own, *rest])}
    return [rows[id] for id in sorted(rows)]


def _yielding(row: Row, holders: dict[tuple[str, str], str]) -> Iterator[str]:
    for alias in row["aliases"].split("|"):
        mark, name = split_mark(alias)
        is_taken = mark == PLAIN and holders.get((key(name), row["country"]), row["id"]) != row["id"]
        yield f"?{alias}" if is_taken else alias


def problems(rows: list[Row], codes: set[str]) -> list[str]:
    """What is wrong with the rows, one line each."""
    found = []
    ids = {row["id"] for row in rows}
    holders: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row["parent"] and row["parent"] not in ids:
            found.append(f"{row['id']}: parent {row['parent']!r} does not exist.")
        if row["parent"] == row["id"]:
            found.append(f"{row['id']} is its own parent.")
        if row["kind"] not in KINDS:
            found.append(f"{row['id']}: kind {row['kind']!r} is none of {sorted(KINDS)}.")
        if not row["name"] or not row["name_en"] or not row["side"]:
            found.append(f"{row['id']}: name, name_en or side is empty.")
        countries = [code for code in row["country"].split(",") if code]
        found += [
            f"{row['id']}: country {code!r} is not in states.tsv."
            for code in countries
            if code.removeprefix("+") not in codes
        ]
        for alias in dict.fromkeys([row["name"], *filter(None, row["aliases"].split("|"))]):
            mark, text = split_mark(alias)
            if not key(text):
                found.append(f"{row['id']}: alias {alias!r} is empty when folded.")
            if mark == PLAIN:
                for code in [code for code in countries if not code.startswith("+")] or [""]:
                    holders.setdefault((key(text), code), []).append(row)
    for (name, code), group in sorted(holders.items()):
        for first, second in itertools.combinations({row["id"]: row for row in group}.values(), 2):
            if parse_years(first["years"]).overlaps(parse_years(second["years"])):
                found.append(
                    f"{first['id']} and {second['id']} of {code or 'no country'} are both called {name!r} in the same "
                    f"years. Mark it with {GENERIC} or ? in one of them."
                )
    return found


def packed(rows: Iterable[Row], columns: tuple[str, ...]) -> bytes:
    """Gzipped tab-separated rows, without time or name in the header."""
    text = "\n".join(["\t".join(columns), *("\t".join(row[column] for column in columns) for row in rows)]) + "\n"
    return zlib.compress(text.encode("utf-8"), level=9, wbits=GZIP)


def build() -> tuple[list[Row], list[Row]]:
    """All rows of actors and of states, checked."""
    states = read(HERE / "states.tsv", STATE_COLUMNS)
    roles = read(HERE / "roles.tsv", ("role", "name", "name_en", "kind", "parent", "aliases"))
    written = [
        (f"{path.name}:{number}", row)
        for path in sorted(HERE.glob("actors-*.tsv"))
        for number, row in enumerate(read(path, COLUMNS), start=2)
    ]
    rows = merge(state_actors(states, roles), written)
    if found := problems(rows, {state["iso"] for state in states}):
        sys.exit("\n".join(found))
    return rows, states


def main() -> None:
    rows, states = build()
    TABLES.mkdir(parents=True, exist_ok=True)
    (TABLES / "actors.tsv.gz").write_bytes(packed(map(with_keys, rows), PACKED_COLUMNS))
    (TABLES / "countries.tsv.gz").write_bytes(packed(states, STATE_COLUMNS))
    aliases = sum(row["aliases"].count("|") + 1 for row in rows if row["aliases"])
    print(f"{len(rows)} actors, {aliases} aliases")


if __name__ == "__main__":
    main()
