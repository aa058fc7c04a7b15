"""Show the result of each stage, as configured."""

from pathlib import Path
from typing import Any

from cellstack.figures.drawing import use_color_map
from cellstack.files.records import read_json, write_json
from cellstack.files.stacks import open_stack
from cellstack.gallery.show_stages import show_stages
from cellstack.gallery.views import of_block
from cellstack.run import job


def main(
    *,
    raw: Path,
    contrast: Path,
    denoised: Path,
    mask: Path,
    mask_clean: Path,
    components: Path,
    distance: Path,
    seeds: Path,
    watershed: Path,
    merged: Path,
    segmentation: Path,
    labels: Path,
    view: Path,
    stages: Path,
    diameter_um: float,
    panels: list,
    corrected: list[Path] = (),
    color_map: str = "gray",
    block: dict[str, Any] | None = None,
) -> None:
    """Read the results of the stages and the `view`; write the section `stages`.

    If the results are those of a `block`, `segmentation` and `labels` are those of the stack.
    """
    files = {
        "raw": raw,
        "contrast": contrast,
        "denoised": denoised,
        "mask": mask,
        "mask_clean": mask_clean,
        "components": components,
        "distance": distance,
        "seeds": seeds,
        "watershed": watershed,
        "merged": merged,
        "segmentation": segmentation,
        "labels": labels,
    }
    if corrected:
        files["corrected"] = corrected[0]
    _, spacing = open_stack(raw)
    stacks = {
        name: of_block(open_stack(path)[0], block if name in ("segmentation", "labels") else None)
        for name, path in files.items()
    }
    with use_color_map(color_map):
        section = show_stages(stacks, spacing, read_json(view), diameter_um, panels)
    write_json(stages, section)


job.run(main)
