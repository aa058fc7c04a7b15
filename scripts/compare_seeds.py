"""Compare the methods of find_seeds, and the labels that grow from the seeds."""

from pathlib import Path

from cellstack.figures.drawing import use_color_map
from cellstack.files.records import read_json, write_json
from cellstack.files.stacks import open_stack
from cellstack.gallery.compare_seeds import compare_seeds
from cellstack.prepare.seed_points import read_points
from cellstack.run import job


def main(
    *,
    mask_clean: Path,
    components: Path,
    denoised: Path,
    intensity: Path,
    view: Path,
    seeds: Path,
    diameter_um: float,
    panels: list,
    split: dict,
    edges: list[Path] = (),
    points: list[Path] = (),
    color_map: str = "gray",
) -> None:
    """Read the inputs of find_seeds and split_objects and the `view`; write the section `seeds`.

    `split` are the params of split_objects. `edges` and `points` are files that only some methods
    use.
    """
    mask, spacing = open_stack(mask_clean)
    with use_color_map(color_map):
        section = compare_seeds(
            mask,
            *(open_stack(path)[0] for path in (components, denoised, intensity)),
            spacing,
            read_json(view),
            diameter_um,
            panels,
            split,
            edges=open_stack(edges[0])[0] if edges else None,
            points=read_points(points[0]) if points else None,
        )
    write_json(seeds, section)


job.run(main)
