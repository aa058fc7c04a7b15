"""Plot the scores of a sweep over each key that it varies."""

from pathlib import Path

from cellstack import figures, job, table_io
from cellstack.plot_sweep import plot_sweep


def main(*, scores: Path, figure: Path, varied: list):
    """Read the table of scores of all runs and draw a panel for each key of `varied`."""
    figures.save(plot_sweep(list(table_io.read_rows(scores)), varied), figure)


job.run(main)
