"""Plot the scores of a sweep over each key that it varies."""

from pathlib import Path

from cellstack.figures import png
from cellstack.figures.plot_sweep import plot_sweep
from cellstack.files.tables import read_rows
from cellstack.run import job


def main(*, scores: Path, figure: Path, varied: list) -> None:
    """Read the table of `scores` of all runs; write the `figure` with a panel per `varied` key."""
    png.save(plot_sweep(list(read_rows(scores)), varied), figure)


job.run(main)
