"""Draw volume against solidity of all measured objects."""

from pathlib import Path

from cellstack import job, table_io, whole_files
from cellstack.plot_shapes import plot_shapes


def main(*, objects: Path, shapes: Path, channel: str):
    """Read the table of `objects`; write the section `shapes` of the gallery, coloured by the mean intensity of a `channel`."""
    rows = list(table_io.read_rows(objects))
    measured = [[float(row[column]) for row in rows] for column in ("volume_um3", "solidity", f"mean_intensity_{channel}")]
    whole_files.write_json(shapes, plot_shapes(*measured, [int(row["label"]) for row in rows], channel))


job.run(main)
