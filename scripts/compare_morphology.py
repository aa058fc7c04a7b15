"""Draw the morphology of grey values and of the mask side by side."""

from pathlib import Path

from cellstack import io, job, whole_files
from cellstack.compare_morphology import compare_morphology


def main(*, image: Path, mask: Path, view: Path, morphology: Path, panels: list, grey_panels: list):
    """Read an `image`, raw or corrected, its `mask` and the `view` of the gallery; write the section `morphology` of the gallery.

    It has the `grey_panels` of adjust_contrast, then the `panels` of clean_mask.
    """
    stack, spacing = io.read_stack(image)
    foreground, _ = io.read_stack(mask)
    whole_files.write_json(morphology, compare_morphology(stack, foreground, spacing, whole_files.read_json(view), grey_panels, panels))


job.run(main)
