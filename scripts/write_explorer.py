"""Write the page to explore a stack: planes, contrast, stages and methods side by side."""

from pathlib import Path
from typing import Any

from cellstack.core.types import Box, Spacing
from cellstack.files.atomic import atomic_write
from cellstack.files.provenance import describe_images
from cellstack.files.records import read_json
from cellstack.files.stacks import open_stack, read_stack
from cellstack.files.tables import read_rows
from cellstack.gallery.compare_in_3d import compare_in_3d
from cellstack.gallery.explorer_layers import (
    Grid,
    Layer,
    choose_grid,
    describe_objects,
    grey_layer,
    label_layer,
)
from cellstack.gallery.write_explorer import write_explorer
from cellstack.run import job


def main(
    *,
    images: list[Path],
    objects: list[Path],
    raw: list[Path],
    records: list[Path],
    page: Path,
    stack: str,
    note: str,
    layers: list[dict[str, Any]],
    swept: dict[str, str],
    variants: list[dict[str, Any]],
    sources: list[dict[str, str]],
    software: dict[str, Any],
    diameter_um: float | None = None,
    view: list[Path] = (),
    block: dict[str, Any] | None = None,
) -> None:
    """Read the `images` of the `layers`, and write the `page`.

    The `images` after those of the `layers` are nuclei of runs of a sweep; `swept` has the settings
    of each run by the end of its path. `objects` are the tables of the measured objects. The
    methods in `variants` are computed in the region of the `view`. The page lists the `software`
    and the images of the sheet, `sources`; `raw` and `records` are the imported stacks and the
    records of their import. If the stack is cut into blocks, only `block` is shown, and some
    `images` are those of this block.
    """
    box = None
    if block is not None:
        box = tuple(slice(*side) for side in block["extent"])
        voxels = ", ".join(
            f"{axis} {side.start} to {side.stop - 1}" for axis, side in zip("zyx", box, strict=True)
        )
        shown = (
            f"Block {block['name']} of the stack is shown, with its overlap: voxels {voxels}. "
            "Planes and positions count from the first of them"
        )
        note = f"{note}. {shown}" if note else shown
    for path in images[len(layers) :]:
        title = next(title for end, title in swept.items() if path.as_posix().endswith(end))
        layers = [*layers, {"group": "sweep", "title": title, "kind": "labels"}]
    first, spacing = open_stack(images[0])
    grid = choose_grid(first.shape if box is None else _lengths(box), spacing)
    drawn = [_layer(path, grid, layer, box) for path, layer in zip(images, layers, strict=True)]
    if view:
        assert diameter_um is not None
        paths = {
            layer["title"]: path
            for path, layer in zip(images, layers, strict=True)
            if layer["group"] == "nuclei"
        }
        drawn += _compared(paths, spacing, read_json(view[0]), diameter_um, variants, grid)
    described = {}
    for path in objects:
        described |= describe_objects(list(read_rows(path)), path.parent.name)
    text = write_explorer(
        drawn,
        grid,
        spacing,
        described,
        stack=stack,
        note=note,
        provenance=software | {"images": describe_images(raw, records, sources)},
    )
    with atomic_write(page) as partial:
        partial.write_text(text, encoding="utf-8")


def _lengths(box: Box) -> tuple[int, ...]:
    return tuple(side.stop - side.start for side in box)


def _layer(path: Path, grid: Grid, layer: dict[str, str], box: Box | None) -> Layer:
    """Return a layer, of the block `box` if there is one; the image can be that of the block."""
    image, _ = read_stack(path, mapped=layer["kind"] == "grey") if box is None else open_stack(path)
    if box is not None:
        image = image[:] if image.shape == _lengths(box) else image[box]
    draw = grey_layer if layer["kind"] == "grey" else label_layer
    return draw(image, grid, layer["group"], layer["title"])


def _compared(
    paths: dict[str, Path],
    spacing: Spacing,
    view: Any,
    diameter_um: float,
    variants: list[dict[str, Any]],
    grid: Grid,
) -> list[Layer]:
    contrast, _ = read_stack(paths["contrast"])
    found: list[Layer] = []
    for each in variants:
        source, _ = read_stack(paths[each["source"]])
        found += compare_in_3d(
            each["stage"], source, contrast, spacing, view, diameter_um, each["panels"], grid
        )
    return found


job.run(main)
