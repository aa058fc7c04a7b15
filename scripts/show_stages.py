"""Draw what each stage made of a stack, as it is configured."""

from pathlib import Path

from cellstack import io, job, whole_files
from cellstack.show_stages import show_stages


def main(
    *,
    raw: Path,
    contrast: Path,
    denoised: Path,
    mask: Path,
    clean: Path,
    distance: Path,
    seeds: Path,
    parts: Path,
    merged: Path,
    split: Path,
    labels: Path,
    view: Path,
    stages: Path,
    diameter_um: float,
    panels: list,
    corrected: list[Path] = (),
):
    """Read the results of the stages and the `view`; write the section `stages` of the gallery, with one of the `panels` for each stage."""
    made = {"raw": raw, "contrast": contrast, "denoised": denoised, "mask": mask, "clean": clean, "distance": distance}
    made |= {"seeds": seeds, "parts": parts, "merged": merged, "split": split, "labels": labels}
    if corrected:
        made["corrected"] = corrected[0]
    _, spacing = io.read_stack(raw)
    stacks = {name: io.read_stack(path)[0] for name, path in made.items()}
    whole_files.write_json(stages, show_stages(stacks, spacing, whole_files.read_json(view), diameter_um, panels))


job.run(main)
