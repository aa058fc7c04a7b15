"""Generate the tables of config/README.md from the schemas in config/schemas.

python docs/build_reference.py
python docs/build_reference.py --check

The text of config/README.md is written by hand. A table lies between a line such as
``<!-- generated: stage binarize -->`` and the line ``<!-- end -->``, and is replaced in place. With
``--check`` nothing is written: if a table is outdated, a diff is printed and the exit status is 1.
"""

import argparse
import difflib
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from cellstack.config import renamed  # noqa: E402
from cellstack.config.columns import CONTACT_COLUMNS  # noqa: E402
from cellstack.config.schemas import Schemas  # noqa: E402
from cellstack.config.settings import follow, method_blocks  # noqa: E402

REFERENCE = ROOT / "config" / "README.md"
GENERATED = re.compile(r"(<!-- generated: (.+?) -->\n).*?(?=<!-- end -->\n)", re.DOTALL)

Schema: TypeAlias = Mapping[str, Any]
Lines: TypeAlias = list[str]

SCHEMAS = Schemas.read(ROOT / "config")
STAGES, CONFIG, SHEET = SCHEMAS.stages, SCHEMAS.config, SCHEMAS.sheet


def build() -> str:
    """Return the text of config/README.md with all tables up to date.

    Raises
    ------
    ValueError
        A table is missing, occurs twice, or is not known.
    """
    text = REFERENCE.read_text(encoding="utf-8")
    found = Counter(name for _, name in GENERATED.findall(text))
    wrong = [name for name in [*TABLES, *found] if found[name] != 1 or name not in TABLES]
    if wrong:
        names = ", ".join(dict.fromkeys(wrong))
        raise ValueError(f"{REFERENCE}: each table must occur once; check {names}")
    return GENERATED.sub(lambda match: "\n".join([match[1], *TABLES[match[2]](), "", ""]), text)


def stage_tables(stage: str) -> Lines:
    """Return the tables of a stage: its methods, if it has any, and its keys."""
    schema = STAGES["properties"][stage]
    methods = method_blocks(schema, STAGES)
    lines: Lines = []
    if methods:
        rows = [[code(name), method["effect"]] for name, method in methods.items()]
        lines = [*as_table(["method", "description"], rows), ""]
    keys = {name: part for name, part in schema["properties"].items() if name not in methods}
    for method, part in methods.items():
        options = part.get("properties", {})
        keys |= {f"{method}.{option}": each for option, each in options.items()}
    keys = {name: keys[name] for name in sorted(keys, key=lambda name: name != "method")}
    return lines + key_table(keys, STAGES, methods)


def configuration_table() -> Lines:
    """Return the table of the keys that belong to no stage."""
    keys: dict[str, Schema] = {}
    for name, part in CONFIG["properties"].items():
        if name not in STAGES["properties"]:
            parts = part.get("properties")
            keys |= (
                {f"{name}.{key}": each for key, each in parts.items()} if parts else {name: part}
            )
    return key_table(keys, CONFIG)


def simulation_table() -> Lines:
    """Return the table of the keys of a simulated stack."""
    simulation = CONFIG["properties"]["simulate_stack"]["additionalProperties"]
    return key_table(simulation["properties"], CONFIG)


def blocks_table(*names: str) -> Lines:
    """Return the table of the keys of each block with a name of the user's choice."""
    schema = CONFIG["properties"]
    for name in names:
        schema = schema[name].get("properties", schema[name])
    return key_table(schema["additionalProperties"]["properties"], CONFIG)


def key_table(keys: Schema, root: Schema, methods: Iterable[str] = ()) -> Lines:
    """Return a table of keys, in which keys of the same meaning share a row."""
    shared: dict[tuple[str, ...], list[str]] = {}
    for key, part in keys.items():
        part = follow(part, root)
        is_choice = key in ("method", "steps")
        row = (
            key.split(".")[-1],
            unit_of(key, part),
            code(part["default"]) if "default" in part else "none",
            ", ".join(map(code, methods)) if is_choice else range_of(part, root),
            describe(part),
        )
        shared.setdefault(row, []).append(key)
    rows = [[", ".join(map(code, names)), *row[1:]] for row, names in shared.items()]
    return as_table(["key", "unit", "default", "range", "description"], rows)


def sheet_table() -> Lines:
    """Return the table of the columns of the sheet."""
    rows = []
    for name, part in SHEET["properties"].items():
        part = follow(part, SHEET)
        number = "number " if "number" in part["type"] else ""
        text = describe(part)
        if "default" in part:
            text += f" Default: {code(part['default'])}."
        rows.append(
            [
                code(name),
                part.get("unit") or number + range_of(part, SHEET),
                "yes" if name in SHEET["required"] else part.get("needed", "no"),
                text,
                ", ".join(map(code, part["examples"])),
            ]
        )
    return as_table(["column", "type", "required", "description", "example"], rows)


def contact_table() -> Lines:
    """Return the table of the columns of contacts.csv."""
    rows = [[code(name), unit, f"{text}."] for name, (unit, text) in CONTACT_COLUMNS.items()]
    return as_table(["column", "unit", "description"], rows)


def renamed_tables() -> Lines:
    """Return the tables of renamed keys and columns."""
    keys = [[code(former_key(key)), code(key)] for key in renamed.KEYS.values()]
    columns = [[code(former), code(column)] for former, column in renamed.COLUMNS.items()]
    return [
        *as_table(["former key or method", "new name"], keys),
        "",
        *as_table(["former column", "new name"], columns),
    ]


def former_key(key: str) -> str:
    """Return the former name of a key, in which the blocks above it have their former names too.

    Examples
    --------
    >>> former_key("binarize.per_object.max_radius_um")
    'binarize.half_height.reach_um'
    """
    former = {present: path for path, present in renamed.KEYS.items()}.get(key, key)
    *blocks, last = former.split(".")
    return f"{former_key('.'.join(blocks))}.{last}" if blocks else last


def unit_of(key: str, part: Schema) -> str:
    """Return the unit of a key: that in the schema, or the end of its name."""
    suffix = re.search(r"_(um3?)$", key)
    return part.get("unit") or (suffix[1] if suffix else "")


def describe(part: Schema) -> str:
    """Return the description of a key as a sentence, followed by the effect of its values."""
    text = part["description"].removeprefix("the ")
    return f"{text[0].upper()}{text[1:]}. {part.get('effect', '')}".strip()


def range_of(part: Schema, root: Schema) -> str:
    """Return the values that a key accepts, in words.

    Examples
    --------
    >>> range_of({"type": ["number", "null"], "exclusiveMinimum": 0}, {})
    'above 0, or `null`'
    >>> range_of({"enum": ["ball", "cube"]}, {})
    '`ball`, `cube`'
    """
    ranges, others = [], []
    for each in part.get("anyOf", [part]):
        each = follow(each, root)
        types = each.get("type", [])
        if "anyOf" in each:
            ranges.append(range_of(each, root))
        elif "enum" in each:
            ranges.append(", ".join(dict.fromkeys(map(code, each["enum"]))))
        elif types == "boolean":
            ranges.append("`true`, `false`")
        elif types == "array":
            ranges.append(range_of(each["items"], root))
        else:
            ranges.append(number_range(each))
        others += ["or `null`"] if "null" in types else []
        others += ["or `auto`"] if each.get("pattern") == "^auto$" else []
    return ", ".join(filter(None, [*ranges, part.get("limits"), *others]))


def number_range(part: Schema) -> str:
    """Return the limits of a number in words; nothing for other types."""
    kind = "integer" if part.get("type") == "integer" else ""
    if "minimum" in part and "maximum" in part:
        limits = f"{part['minimum']} to {part['maximum']}"
    else:
        limits = ", ".join(
            f"{words} {part[keyword]}"
            for keyword, words in (
                ("minimum", "at least"),
                ("exclusiveMinimum", "above"),
                ("maximum", "at most"),
            )
            if keyword in part
        )
    return ", ".join(filter(None, [kind, limits]))


def code(value: object) -> str:
    """Return a value as in the configuration, in backticks."""
    if isinstance(value, str):
        return f"`{value}`"
    text = yaml.safe_dump(value, default_flow_style=True, width=1000)
    return f"`{text.splitlines()[0]}`"


def as_table(header: list[str], rows: list[list[str]]) -> Lines:
    """Return a table in Markdown."""
    return [
        f"| {' | '.join(header)} |",
        "|" + "---|" * len(header),
        *(re.sub(r" +", " ", f"| {' | '.join(row)} |") for row in rows),
    ]


TABLES: dict[str, Callable[[], Lines]] = {
    "sheet": sheet_table,
    "configuration": configuration_table,
    **{f"stage {stage}": partial(stage_tables, stage) for stage in STAGES["properties"]},
    "contacts": contact_table,
    "simulated stack": simulation_table,
    "spots": partial(blocks_table, "detect_spots", "channels"),
    "simulated spots": partial(blocks_table, "simulate_spots"),
    "renamed": renamed_tables,
}


def main() -> int:
    """Update config/README.md, or check that it is up to date."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing; fail if outdated")
    check = parser.parse_args().check
    before, after = REFERENCE.read_text(encoding="utf-8"), build()
    if not check:
        REFERENCE.write_text(after, encoding="utf-8")
        return 0
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), "config/README.md", "generated", lineterm=""
    )
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return int(before != after)


if __name__ == "__main__":
    sys.exit(main())
