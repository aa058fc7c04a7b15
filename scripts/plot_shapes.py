"""Plot volume against solidity of all measured objects."""

from pathlib import Path

from cellstack.errors import InputError
from cellstack.figures import pdf
from cellstack.files.records import write_json
from cellstack.files.tables import read_columns, read_rows
from cellstack.gallery.plot_shapes import draw_shapes, plot_shapes
from cellstack.run import job


def main(*, objects: Path, shapes: Path, vector: Path, channel: str) -> None:
    """Read the table of `objects`; write the section `shapes`, and its plot as PDF (`vector`).

    Objects are coloured by their mean intensity in the `channel`.
    """
    columns = ("volume_um3", "solidity", f"mean_intensity_{channel}")
    if not set(columns) <= set(read_columns(objects)):
        raise InputError(
            f"{objects}: plot_shapes needs the columns {', '.join(columns)}; "
            "add hull and intensity to measure_objects.columns"
        )
    rows = list(read_rows(objects))
    measured = [[float(row[column]) for row in rows] for column in columns]
    labels = [int(row["label"]) for row in rows]
    write_json(shapes, plot_shapes(*measured, labels, channel))
    pdf.save(draw_shapes(*measured, labels, channel), vector)


job.run(main)
