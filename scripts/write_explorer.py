"""Write the page to explore a stack: planes, contrast, stages and methods side by side."""

from pathlib import Path
from typing import Any

from cellstack.core.planes import Stack
from cellstack.core.types import Spacing
from cellstack.files.atomic import atomic_write
from cellstack.files.provenance import describe_images
from cellstack.files.records import read_json
from cellstack.files.stacks import open_stack
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
from cellstack.gallery.sections import describe_block
from cellstack.gallery.views import of_block
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
    for path in images[len(layers) :]:
        title = next(title for end, title in swept.items() if path.as_posix().endswith(end))
        layers = [*layers, {"group": "sweep", "title": title, "kind": "labels"}]
    _, spacing = open_stack(images[0])
    grid = choose_grid(_open(images[0], block).shape, spacing)
    drawn = [_layer(path, grid, layer, block) for path, layer in zip(images, layers, strict=True)]
    if view:
        assert diameter_um is not None
        paths = {
            layer["title"]: path
            for path, layer in zip(images, layers, strict=True)
            if layer["group"] == "nuclei"
        }
        stacks = {title: _open(path, block) for title, path in paths.items()}
        drawn += _compared(stacks, spacing, read_json(view[0]), diameter_um, variants, grid)
    described = {}
    for path in objects:
        described |= describe_objects(list(read_rows(path)), path.parent.name)
    text = write_explorer(
        drawn,
        grid,
        spacing,
        described,
        stack=stack,
        note=describe_block(note, block),
        provenance=software | {"images": describe_images(raw, records, sources)},
    )
    with atomic_write(page) as partial:
        partial.write_text(text, encoding="utf-8")


def _open(path: Path, block: dict[str, Any] | None) -> Stack:
    """Open an image of the stack or of the `block` that is shown, or return this part of it."""
    stack, _ = open_stack(path)
    if block is None or stack.shape == tuple(stop - start for start, stop in block["extent"]):
        return stack
    return of_block(stack, block)


def _layer(path: Path, grid: Grid, layer: dict[str, str], block: dict[str, Any] | None) -> Layer:
    draw = grey_layer if layer["kind"] == "grey" else label_layer
    return draw(_open(path, block), grid, layer["group"], layer["title"])


def _compared(
    stacks: dict[str, Stack],
    spacing: Spacing,
    view: Any,
    diameter_um: float,
    variants: list[dict[str, Any]],
    grid: Grid,
) -> list[Layer]:
    found: list[Layer] = []
    for each in variants:
        source = stacks[each["source"]]
        found += compare_in_3d(
            each["stage"],
            source,
            stacks["contrast"],
            spacing,
            view,
            diameter_um,
            each["panels"],
            grid,
        )
    return found


job.run(main)
