"""Draw the methods of find_seeds side by side, with the labels that grow from the seeds."""

from pathlib import Path

from cellstack import io, job, whole_files
from cellstack.compare_seeds import compare_seeds
from cellstack.seed_points import read_points


def main(
    *,
    clean: Path,
    components: Path,
    denoised: Path,
    stack: Path,
    view: Path,
    seeds: Path,
    diameter_um: float,
    panels: list,
    split: dict,
    edges: list[Path] = (),
    points: list[Path] = (),
):
    """Read what find_seeds and split_objects read, and the `view`; write the section `seeds` of the gallery, with all of its `panels`.

    Labels grow as `split`, the params of split_objects, says; `edges` and `points` are read where a method goes by them.
    """
    mask, spacing = io.read_stack(clean)
    parts, smooth, intensities = (io.read_stack(path)[0] for path in (components, denoised, stack))
    slopes = io.read_stack(*edges)[0] if edges else None
    by_hand = read_points(*points) if points else None
    images = (mask, parts, smooth, intensities)
    section = compare_seeds(*images, spacing, whole_files.read_json(view), diameter_um, panels, split, slopes, by_hand)
    whole_files.write_json(seeds, section)


job.run(main)
