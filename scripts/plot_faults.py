"""Draw the worst objects of a stack beside their truth, and say what is wrong with each."""

from pathlib import Path

from cellstack import figures, io, job, whole_files
from cellstack.plot_faults import DIM, plot_faults


def main(*, raw: Path, truth: Path, split: Path, scores: Path, faults: Path, object: str, title: str, note: str):
    """Read a channel, the truth, all objects found and what `scores` says of this kind of `object`; write the figure `faults`."""
    stack, spacing = io.read_stack(raw)
    labels = [io.read_stack(path)[0] for path in (truth, split)]
    scored = whole_files.read_json(scores)["objects"][object]
    figure = plot_faults(stack, *labels, spacing, scored, title=f"{title}: {object}", note=note)
    figures.save(figure, faults, [*DIM, *DIM.values()])


job.run(main)
