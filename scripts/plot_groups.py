"""Plot the objects and the means of units of each group."""

from pathlib import Path

from cellstack.compare.unit_means import UnitMean
from cellstack.config.paging import COLUMNS_PER_PAGE
from cellstack.figures import pdf, png
from cellstack.figures.plot_groups import plot_groups
from cellstack.files.tables import read_rows
from cellstack.run import job


def main(
    *,
    objects: Path,
    groups: Path,
    units: Path,
    figure: Path,
    vector: Path,
    samples: dict[str, dict[str, str]],
    columns: list[str],
    object: str,
    group_by: str,
    unit: str | None = None,
    note: str = "",
    page: int = 1,
) -> None:
    """Draw a kind of `object`, and write the `figure` as PNG and as PDF (`vector`).

    `objects`, `groups` and `units` are tables, and `samples` are the group and the unit of stacks,
    by "stack/object". A `page` shows up to 12 of the `columns`; the last one also shows the
    fractions of classes.
    """
    pages = -(-len(columns) // COLUMNS_PER_PAGE)
    others = set(columns) if page == pages else None
    shown = columns[(page - 1) * COLUMNS_PER_PAGE : page * COLUMNS_PER_PAGE]
    means = [
        UnitMean(
            row["object"],
            row["column"],
            row["group"],
            row["pair"],
            row["unit_name"],
            int(row["count_stacks"]),
            int(row["count_objects"]),
            float(row["mean"]),
        )
        for row in read_rows(units)
        if row["object"] == object
        and (row["column"] in shown or (others is not None and row["column"] not in others))
    ]
    values: dict[str, dict[tuple[str, str, str], list[float]]] = {}
    for row in read_rows(objects):
        sample = samples.get(f"{row['stack']}/{object}")
        if sample is None or row["object"] != object:
            continue
        for column in shown:
            if cell := row.get(column):
                of_column = values.setdefault(column, {})
                unit_key = (sample["group"], sample["pair"], sample["unit"])
                of_column.setdefault(unit_key, []).append(float(cell))
    drawn = plot_groups(
        means,
        [row for row in read_rows(groups) if row["object"] == object],
        values,
        kind=object,
        group_by=group_by,
        unit=unit or "stacks",
        note=note,
    )
    png.save(drawn, figure)
    pdf.save(drawn, vector)


job.run(main)
