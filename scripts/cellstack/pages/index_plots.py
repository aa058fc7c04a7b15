"""Data for the script of the page of a run: its rows, and the columns to plot."""

from collections.abc import Sequence
from typing import Any

from natsort import natsorted, ns

from cellstack.config.columns import QUALITY_COLUMNS
from cellstack.config.object_columns import CHANNEL_OF
from cellstack.figures.colors import BLUE, VERMILLION
from cellstack.pages.index_run import FLAGGED, OK, STATES, Row, Run, kinds_of, state_of

MAX_FILTER_VALUES = 20  # of a column of the sheet by whose values rows can be selected
NOT_PLOTTED = ("voxel_size_", "shape_", "diameter_um")  # columns of stacks.csv that are not results


def filters_of(run: Run, rows: Sequence[Row]) -> dict[str, list[str]]:
    """Return the values by which rows can be selected, by name; the state comes first."""
    filters = {"state": list(STATES)}
    if len(kinds := kinds_of(run.stacks)) > 1:
        filters["object"] = kinds
    for name in run.user_columns:
        values = natsorted(sorted({row.get(name, "") for row in rows} - {""}), alg=ns.FLOAT)
        if 2 <= len(values) <= MAX_FILTER_VALUES and name not in filters:
            filters[name] = values
    return filters


def data_of_script(run: Run, rows: Sequence[Row], stacks: Sequence[str]) -> dict[str, Any]:
    """Return the data for the script of the page: the rows, and the columns to plot."""
    kinds = kinds_of(run.stacks)
    places = {name: i for i, name in enumerate(stacks)}
    columns = _plotted_columns(run, rows)
    names = [column["name"] for column in columns]
    filters = [
        [state_of(row) if name == "state" else row.get(name, "") for row in rows]
        for name in filters_of(run, rows)
    ]
    return {
        "stacks": stacks,
        "kinds": kinds,
        "rows": [
            {"stack": places[row["stack"]], "kind": row["object"], "state": state_of(row)}
            for row in rows
        ],
        "columns": columns,
        "groups": [
            {"name": name, "values": [row.get(name, "") for row in rows]}
            for name in run.user_columns
        ],
        "defaults": {kind: _default_plots(kind, names) for kind in kinds},
        "filters": filters,
        "colors": {OK: BLUE, FLAGGED: VERMILLION},
    }


def _default_plots(kind: str, names: Sequence[str]) -> list[int]:
    """Return the columns that are plotted at first: count, volume, intensity and shape."""
    wanted = (
        "count_found",
        "median_volume_um3",
        f"mean_intensity_{CHANNEL_OF[kind]}",
        "sphericity",
    )
    return [names.index(name) if name in names else 0 for name in wanted]


def _plotted_columns(run: Run, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return all numeric columns of stacks.csv, and the median of each measurement."""
    definitions = {(row["table"], row["column"]): row for row in run.columns}
    columns = []
    for name in dict.fromkeys(name for row in rows for name in row):
        table = "stacks.csv" if ("stacks.csv", name) in definitions else "checks.csv"
        known = definitions.get((table, name))
        if name in run.user_columns or known is None or name.startswith(NOT_PLOTTED):
            continue
        values = _numbers([row.get(name, "") for row in rows])
        if values:
            columns.append(_column(table, name, known["definition"], known["unit"], values))
    medians = {(row["stack"], row["object"], row["column"]): row for row in run.statistics}
    shown = {column["name"] for column in columns}
    for name in dict.fromkeys(row["column"] for row in run.statistics):
        if f"median_{name}" in shown:
            continue
        own = [medians.get((row["stack"], row["object"], name), {}) for row in rows]
        values = _numbers([row.get("median", "") for row in own])
        known = definitions.get(("objects.csv", name)) or definitions.get(("pairs.csv", name), {})
        definition = f"Median over the objects: {known.get('definition', '')}"
        if values:
            unit = known.get("unit", "")
            columns.append(_column("objects.csv, median", name, definition, unit, values))
    for name, (unit, definition) in QUALITY_COLUMNS.items():
        if name in ("stack", "channel", "flags") or name in shown:
            continue
        found = [
            run.quality.get(row["stack"], {}).get(CHANNEL_OF[row["object"]], {"row": {}})["row"]
            for row in rows
        ]
        values = _numbers(["" if each.get(name) is None else str(each[name]) for each in found])
        if values:
            table = "quality.csv, channel of the objects"
            columns.append(_column(table, name, definition, unit, values))
    return columns


def _column(
    table: str, name: str, definition: str, unit: str, values: Sequence[float | None]
) -> dict[str, Any]:
    return {"table": table, "name": name, "definition": definition, "unit": unit, "values": values}


def _numbers(cells: Sequence[str]) -> list[float | None] | None:
    """Return the numbers in a column, None for empty cells; None if there are others, or none."""
    numbers: list[float | None] = []
    for cell in cells:
        try:
            number = float(f"{float(cell):.5g}") if cell else None
        except ValueError:
            return None
        numbers.append(number if number is not None and abs(number) < float("inf") else None)
    return numbers if any(number is not None for number in numbers) else None
