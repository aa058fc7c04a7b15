"""Plot the scores of a sweep over each key that it varies."""

from pathlib import Path

from cellstack.figures import pdf, png
from cellstack.figures.plot_sweep import plot_sweep
from cellstack.files.tables import read_rows
from cellstack.run import job


def main(*, scores: Path, figure: Path, vector: Path, varied: list) -> None:
    """Read the table of `scores` of all runs.

    Write the `figure` with a panel per `varied` key as PNG and as PDF (`vector`).
    """
    drawn = plot_sweep(list(read_rows(scores)), varied)
    png.save(drawn, figure)
    pdf.save(drawn, vector)


job.run(main)
