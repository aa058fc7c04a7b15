"""Draw the worst objects of a stack with their ground truth."""

from pathlib import Path

from cellstack.figures import marking
from cellstack.figures.drawing import use_color_map
from cellstack.figures.plot_errors import NEIGHBOUR_COLORS, plot_errors
from cellstack.figures.saving import save
from cellstack.files.records import read_json
from cellstack.files.stacks import open_stack
from cellstack.run import job


def main(
    *,
    raw: Path,
    ground_truth: Path,
    segmentation: Path,
    scores: Path,
    figure: Path,
    object: str,
    title: str,
    note: str,
    marks: list = (),
    color_map: str = "gray",
) -> None:
    """Read a `raw` channel, both label images and the `scores` of a kind of `object`.

    Write the `figure` as PNG or PDF.
    """
    stack, spacing = open_stack(raw)
    true_labels, labels = open_stack(ground_truth)[0], open_stack(segmentation)[0]
    evaluation = read_json(scores)["objects"][object]
    title = f"{title}: {object}"
    with use_color_map(color_map):
        drawn = plot_errors(
            stack, true_labels, labels, spacing, evaluation, title=title, note=note, marks=marks
        )
        colors = [*NEIGHBOUR_COLORS, *NEIGHBOUR_COLORS.values()]
        save(drawn, figure, marking.palette(marks, colors))


job.run(main)
