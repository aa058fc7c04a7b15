"""A run of many stacks as the page shows it, from tables that are written here."""

import base64
import random

from pages import SOFTWARE

from cellstack.config.columns import CHECK_COLUMNS, QUALITY_COLUMNS, STACK_COLUMNS, describe_tables
from cellstack.measure.measure_objects import MEASURED
from cellstack.pages.index_run import Run

IMAGE = SOFTWARE | {
    "images": [{"stack": "s0", "channel": "nuclei", "image": "a.tif", "sha256": "f00d"}]
}
JPEG = base64.b64encode(b"\xff\xd8 a picture").decode()


def stack_row(stack, kind="nuclei", **cells):
    """Return a row of stacks.csv with checks.csv; its columns are the same in each row."""
    row = dict.fromkeys(STACK_COLUMNS | CHECK_COLUMNS, "") | {
        "stack": stack,
        "object": kind,
        "status": "ok",
    }
    counts = {"count_found": "20", "count_measured": "16", "count_flagged": "4"}
    sizes = {"median_volume_um3": "500", "median_equivalent_diameter_um": "9.87654"}
    return row | counts | sizes | {"diameter_um": "10", "diameter_source": "given"} | cells


def failed_row(stack, kind="nuclei", **cells):
    """Return the row of a stack that failed."""
    row = dict.fromkeys(stack_row(stack), "") | {"stack": stack, "object": kind}
    reason = "import_stack: bad.tif: cannot be read; replace it (log: logs/import.log)"
    return row | {"status": "failed", "flags": reason} | cells


def statistics_rows(rows, columns=("sphericity", "mean_intensity_nuclei")):
    """Return rows of statistics.csv."""
    return [
        {"stack": row["stack"], "object": row["object"], "column": name, "median": f"0.{i % 9}5"}
        for i, row in enumerate(rows)
        for name in columns
        if row["status"] == "ok"
    ]


def column_rows(user_columns=()):
    """Return the rows of columns.csv."""
    channels = ["nuclei", "membrane"]
    tables = describe_tables(
        dict.fromkeys(MEASURED, channels), channels, ["nuclei", "cells"], user_columns
    )
    return [
        {"table": table, "column": name, "unit": unit, "definition": definition}
        for table, named in tables.items()
        for name, (unit, definition) in named.items()
    ]


def pictures_of(row, count=0, jpeg=JPEG):
    """Return the pictures of a row of stacks.csv, with some flagged objects."""
    flagged = [
        {"label": i + 1, "reasons": "low contrast;irregular", "width_um": 12.34, "jpeg": jpeg}
        for i in range(count)
    ]
    return {"thumbnail": jpeg, "flagged_count": count, "flagged": flagged}


def quality_of(channels=("nuclei",), planes=30, **cells):
    """Return the content of quality.json."""
    row = dict.fromkeys(QUALITY_COLUMNS, 1.25) | {"flags": ""} | cells
    profile = {
        "step_um": 0.5,
        "mean": [100.0 - z for z in range(planes)],
        "signal": [None, *(float(3 * z) for z in range(1, planes))],
    }
    return {channel: {"row": row, "profile": profile} for channel in channels}


def run_of(rows, **changes):
    """Return a run of stacks, given the rows of stacks.csv."""
    done = [row for row in rows if row["status"] != "failed"]
    given = {
        "stacks": rows,
        "statistics": statistics_rows(rows),
        "columns": column_rows(),
        "user_columns": [],
        "group_by": "condition",
        "facts": {"Sheet": "stacks.csv"},
        "channels": {row["stack"]: ["nuclei"] for row in rows},
        "settings": [],
        "quality": {row["stack"]: quality_of() for row in done},
        "pictures": {(row["stack"], row["object"]): pictures_of(row, 1) for row in done},
        "figures": {f"{row['stack']}/figures/{row['object']}_planes.png": "QUJD" for row in done},
        "further": [],
        "pages": {},
        "provenance": IMAGE,
    }
    return Run(**(given | changes))


def many_stacks(count, seed=5):
    """Return a run with many stacks of two kinds, in four conditions, with pictures of true size.

    A tenth of the stacks are flagged, and every fiftieth failed.
    """
    rng = random.Random(seed)
    rows, pictures, figures = [], {}, {}
    for i in range(count):
        name, condition = f"plate{i // 96 + 1}-well{i % 96:02}", f"dose {10 ** (i % 4)}"
        for kind in ("nuclei", "cells"):
            cells = {"condition": condition, "plate": str(i // 96 + 1)}
            if i % 50 == 7:
                rows.append(failed_row(name, kind, **cells))
                continue
            flags = "haze: volumes can be too large;saturated: 3 objects" * (rng.random() < 0.1)
            numbers = {"count_found": str(rng.randrange(5, 90))}
            numbers["median_volume_um3"] = f"{rng.lognormvariate(6, 0.2):.6g}"
            row = stack_row(name, kind, flags=flags, **numbers, **cells)
            rows.append(row)
            jpeg = base64.b64encode(rng.randbytes(7000)).decode()
            pictures[name, kind] = pictures_of(row, 12, jpeg)
            for figure in ("segmentation", "planes"):
                figures[f"{name}/figures/{kind}_{figure}.png"] = ""
    columns = [f"measurement{i}_um" for i in range(60)]
    statistics = [
        {"stack": row["stack"], "object": row["object"], "column": name}
        | {"median": f"{rng.gauss(10, 2):.9g}"}
        for row in rows
        for name in ("sphericity", "mean_intensity_nuclei", "mean_intensity_membrane", *columns)
        if row["status"] == "ok"
    ]
    users = ["condition", "plate"]
    quality = {
        row["stack"]: quality_of(["nuclei", "membrane"], planes=100)
        for row in rows
        if row["status"] == "ok"
    }
    channels = {row["stack"]: ["nuclei", "membrane"] for row in rows}
    options = {"quality": quality, "channels": channels}
    options |= {"statistics": statistics, "pictures": pictures, "figures": figures}
    return run_of(rows, **options, columns=column_rows(users), user_columns=users)
