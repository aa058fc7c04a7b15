"""Generate the tables of the reference from schemas, columns, rules and benchmarks.

python docs/build_reference.py
python docs/build_reference.py --check

The text of the documents is written by hand. A table lies between a line such as
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

from cellstack.compare import group_columns  # noqa: E402
from cellstack.config import columns, object_columns, renamed  # noqa: E402
from cellstack.config.columns import CONTACT_COLUMNS  # noqa: E402
from cellstack.config.schemas import Schemas  # noqa: E402
from cellstack.config.settings import follow, method_blocks  # noqa: E402
from cellstack.evaluate import score_columns  # noqa: E402

GENERATED = re.compile(r"(<!-- generated: (.+?) -->\n).*?(?=<!-- end -->\n)", re.DOTALL)

Schema: TypeAlias = Mapping[str, Any]
Lines: TypeAlias = list[str]

SCHEMAS = Schemas.read(ROOT / "config")
STAGES, CONFIG, SHEET = SCHEMAS.stages, SCHEMAS.config, SCHEMAS.sheet


def build(document: str) -> str:
    """Return the text of a document, one of DOCUMENTS, with all tables up to date.

    Raises
    ------
    ValueError
        A table is missing, occurs twice, or is not known.
    """
    tables = DOCUMENTS[document]
    text = (ROOT / document).read_text(encoding="utf-8")
    found = Counter(name for _, name in GENERATED.findall(text))
    wrong = [name for name in [*tables, *found] if found[name] != 1 or name not in tables]
    if wrong:
        names = ", ".join(dict.fromkeys(wrong))
        raise ValueError(f"{document}: each table must occur once; check {names}")
    return GENERATED.sub(lambda match: "\n".join([match[1], *tables[match[2]](), "", ""]), text)


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


def column_table(named: Mapping[str, tuple[str, str]]) -> Lines:
    """Return the table of the columns of a file of results."""
    rows = [[code(name), unit, f"{text}."] for name, (unit, text) in named.items()]
    return as_table(["column", "unit", "definition"], rows)


def group_tables() -> Lines:
    """Return the tables of the groups of columns of objects.csv, each with its name."""
    lines: Lines = []
    for group, named in object_columns.GROUPS.items():
        lines += [f"**Group {code(group)}**", "", *column_table(named), ""]
    return lines[:-1]


def rule_tables() -> Lines:
    """Return the tables of the rules of each phase: what they do, and the files they write."""
    lines: Lines = []
    for path in sorted((ROOT / "rules").glob("*.smk")):
        texts = re.split(r"^rule (\w+):\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[
            1:
        ]
        rows = []
        for name, text in zip(texts[::2], texts[1::2], strict=True):
            summary = re.search(r'"""(.+?)"""', text)
            output = re.search(r"^    output:\n((?: {8}.*\n)+)", text, re.MULTILINE)
            files = re.findall(r'"(<[^"]+)"', output[1]) if output else []
            rows.append([code(name), summary[1] if summary else "", ", ".join(map(code, files))])
        if rows:
            lines += [
                f"**{path.stem}**",
                "",
                *as_table(["rule", "what it does", "files"], rows),
                "",
            ]
    return lines[:-1]


def target_table() -> Lines:
    """Return the table of the targets in the Snakefile."""
    text = (ROOT / "Snakefile").read_text(encoding="utf-8")
    rules = re.findall(r'^rule (\w+):\n    """(.+?)"""', text, re.MULTILINE)
    rows = [
        [code("snakemake" if name == "all" else f"snakemake {name}"), text] for name, text in rules
    ]
    return as_table(["command", "what it does"], rows)


def benchmark_rows(section: str, first_cells: Iterable[str], cells: Mapping[str, str]) -> Lines:
    """Return rows of a table of benchmarks/accuracy.md.

    Parameters
    ----------
    section : str
        Heading above the table.
    first_cells : iterable of str
        The rows, by their first cell.
    cells : dict of str to str
        Columns of the table, and their names in the result.
    """
    text = (ROOT / "benchmarks" / "accuracy.md").read_text(encoding="utf-8")
    part = re.split(r"^#+ ", text.split(f"# {section}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    table = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in part.splitlines()
        if line.startswith("|")
    ]
    rows = {row[0]: dict(zip(table[0], row, strict=True)) for row in table[2:]}
    chosen = [[name, *(rows[name][column] for column in cells)] for name in first_cells]
    return as_table([table[0][0], *cells.values()], chosen)


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


OPTIONAL_TABLES: dict[str, Mapping[str, tuple[str, str]]] = {
    "neighbors.csv": columns.NEIGHBOR_COLUMNS,
    "regions.csv": columns.REGION_COLUMNS,
    "spots.csv": columns.SPOT_COLUMNS,
    "classes.csv": columns.CLASS_COLUMNS,
    "class_distances.csv": columns.CLASS_DISTANCE_COLUMNS,
    **group_columns.TABLES,
    **score_columns.TABLES,
    **score_columns.SPOT_TABLES,
}
DOCUMENTS: dict[str, dict[str, Callable[[], Lines]]] = {
    "config/README.md": {
        "sheet": sheet_table,
        "configuration": configuration_table,
        **{f"stage {stage}": partial(stage_tables, stage) for stage in STAGES["properties"]},
        "contacts": contact_table,
        "simulated stack": simulation_table,
        "spots": partial(blocks_table, "detect_spots", "channels"),
        "simulated spots": partial(blocks_table, "simulate_spots"),
        "renamed": renamed_tables,
    },
    "docs/reference/columns.md": {
        "columns of all objects": partial(column_table, object_columns.COLUMNS),
        "groups of columns": group_tables,
        "columns of pairs": partial(column_table, object_columns.PAIR_COLUMNS),
        "stacks.csv": partial(column_table, columns.STACK_COLUMNS),
        "checks.csv": partial(column_table, columns.CHECK_COLUMNS),
        "quality.csv": partial(column_table, columns.QUALITY_COLUMNS),
        "statistics.csv": partial(column_table, columns.STATISTICS_COLUMNS),
        "selection.csv": partial(column_table, columns.SELECTION_COLUMNS),
        "corrections.csv": partial(column_table, columns.CORRECTION_COLUMNS),
        **{name: partial(column_table, named) for name, named in OPTIONAL_TABLES.items()},
    },
    "docs/reference/rules.md": {"targets": target_table, "rules": rule_tables},
    "docs/tutorial/challenges.md": {
        "nuclei": partial(
            benchmark_rows,
            "The default preset, each stack",
            ("tutorial", "ratio-1", "ratio-4", "ratio-8"),
            {"F1": "F1", "found / true": "found / true", "mean IoU": "mean IoU"},
        ),
        "groups": partial(
            benchmark_rows,
            "Other methods, and a wrong or estimated diameter: F1",
            ("default", "the tutorial, lecture", "the tutorial, solution"),
            {"colony, tuning": "colony", "simulated, tuning": "simulated"},
        ),
        "cells": partial(
            benchmark_rows,
            "Cells",
            ("ratio1", "ratio4", "ratio8"),
            {"F1 at IoU 0.5": "F1", "method of the tutorial: F1": "method of the tutorial: F1"},
        ),
    },
}


def main() -> int:
    """Update the documents, or check that they are up to date."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing; fail if outdated")
    check = parser.parse_args().check
    status = 0
    for document in DOCUMENTS:
        path = ROOT / document
        before, after = path.read_text(encoding="utf-8"), build(document)
        if not check:
            path.write_text(after, encoding="utf-8")
        elif before != after:
            pair = before.splitlines(), after.splitlines()
            lines = difflib.unified_diff(*pair, document, "generated", lineterm="")
            sys.stdout.writelines(f"{line}\n" for line in lines)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
