"""Plot F1 over the IoU threshold."""

from pathlib import Path

from cellstack.figures import pdf, png
from cellstack.figures.plot_scores import plot_scores
from cellstack.files.tables import read_rows
from cellstack.run import job


def main(*, scores: Path, figure: Path, vector: Path, object: str) -> None:
    """Read the table of `scores`; write the curves of a kind of `object`.

    They are written as PNG (`figure`) and as PDF (`vector`).
    """
    drawn = plot_scores(list(read_rows(scores)), object)
    png.save(drawn, figure)
    pdf.save(drawn, vector)


job.run(main)
