"""Compare the surface areas of objects with true and with unit spacing."""

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from cellstack.core.planes import section
from cellstack.files.records import read_json, write_json
from cellstack.files.stacks import open_stack
from cellstack.gallery.compare_surface_area import compare_surface_area
from cellstack.gallery.views import of_block
from cellstack.run import job


def main(
    *, labels: Path, view: Path, surface_area: Path, block: dict[str, Any] | None = None
) -> None:
    """Read the selected `labels` and the `view`; write the section `surface_area`.

    If a `block` of the stack is shown, objects that extend beyond it are left out.
    """
    stack, spacing = open_stack(labels)
    objects = of_block(stack, block)[:]
    if block is not None:
        for axis, index in product(range(3), (0, -1)):
            cut = np.unique(section(objects, axis, index))
            objects[np.isin(objects, cut)] = 0
    compared = compare_surface_area(objects, spacing, read_json(view)["object_label"])
    write_json(surface_area, compared)


job.run(main)
