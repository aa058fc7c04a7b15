"""Draw the spots of a channel over its projection and over some planes."""

from pathlib import Path

import numpy as np

from cellstack.config.columns import POSITION
from cellstack.figures import marking
from cellstack.figures.drawing import use_color_map
from cellstack.figures.plot_spots import plot_spots
from cellstack.figures.saving import save
from cellstack.files.stacks import open_stack
from cellstack.files.tables import read_rows
from cellstack.run import job


def main(
    *,
    raw: Path,
    spots: Path,
    figure: Path,
    title: str,
    channel: str,
    diameters_um: list[float],
    note: str,
    marks: list = (),
    color_map: str = "gray",
) -> None:
    """Read the `raw` channel and its table of `spots`, and write the `figure` as PNG or PDF."""
    stack, spacing = open_stack(raw)
    found = np.array([[float(row[axis]) for axis in POSITION] for row in read_rows(spots)])
    with use_color_map(color_map):
        drawn = plot_spots(
            stack,
            found.reshape(-1, 3),
            spacing,
            diameters_um,
            title=title,
            channel=channel,
            note=note,
            marks=marks,
        )
        save(drawn, figure, marking.palette(marks))


job.run(main)
