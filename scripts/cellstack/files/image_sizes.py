"""Shapes and voxel sizes of images, from their headers; kept, since jobs parse the workflow too."""

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from cellstack.errors import InputError
from cellstack.files import fingerprints, images
from cellstack.files.atomic import atomic_write


class ImageSize(NamedTuple):
    """Shape and voxel size of one channel of an image.

    Attributes
    ----------
    shape : tuple of int
        Numbers of planes, rows and columns.
    spacing : tuple of float or None
        Voxel size along z, y and x in um; None if it is not looked for, or not known.
    """

    shape: tuple[int, ...]
    spacing: tuple[float, ...] | None


class ImageSizes:
    """Sizes of images.

    Parameters
    ----------
    file : path-like, optional
        File in which they are kept. By default they are not.
    """

    def __init__(self, file: str | Path | None = None) -> None:
        self._file = None if file is None else Path(file)
        self._known: dict[str, Any] = {}
        self._is_changed = False
        if self._file is not None:
            with suppress(OSError, ValueError):
                self._known = json.loads(self._file.read_text(encoding="utf-8"))

    def find(self, row: Mapping[str, Any], spacing_above: int = 0) -> ImageSize | None:
        """Return the size of the image of a row of the sheet.

        Parameters
        ----------
        row : dict
            Its `image` is a file, a folder or a pattern.
        spacing_above : int
            Number of voxels up to which the voxel size is not looked for, since that can take long.

        Returns
        -------
        ImageSize or None
            None if the image cannot be read; the job that imports it reports why.
        """
        files = images.find_images(row["image"]) or [row["image"]]
        cells = [row.get(name) for name in ("scene", "time", "axes", "z_um", "y_um", "x_um")]
        key = json.dumps([row["image"], fingerprints.stamp_of(files), cells, spacing_above])
        if key not in self._known:
            self._known[key] = _read(Path(row["image"]), row, spacing_above)
            self._is_changed = True
        found = self._known[key]
        if found is None:
            return None
        shape, spacing = found
        return ImageSize(tuple(shape), None if spacing is None else tuple(spacing))

    def save(self) -> None:
        """Keep the sizes for later, if that is possible."""
        if self._file is None or not self._is_changed:
            return
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(self._file) as temporary:
                temporary.write_text(json.dumps(self._known), encoding="utf-8")


def _read(
    image: Path, row: Mapping[str, Any], spacing_above: int
) -> tuple[tuple[int, ...], list[float] | None] | None:
    # slow to import, and not needed where all sizes are known
    from cellstack.files.readers import opening, parts, voxel_size

    try:
        part = parts.Part(row.get("scene"), row.get("time"), row.get("axes"))
        with opening.open_image([image], part) as source:
            shape = (source.count, *source.plane_shape)
            if math.prod(shape) <= spacing_above:
                return shape, None
            given = {axis: row.get(f"{axis}_um") for axis in "zyx"}
            measured = source.measure_z() if source.measure_z and given["z"] is None else None
            stored = source.spacing | ({"z": measured} if measured else {})
            try:
                chosen, _ = voxel_size.choose(str(image), stored, given, source.count)
            except InputError:
                return shape, None
            return shape, [chosen[axis]["um"] for axis in "zyx"]
    except (InputError, OSError):
        return None
