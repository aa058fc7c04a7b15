"""Types of the arrays that pass between stages; axes are ordered Z, Y, X."""

from collections.abc import Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)
"""Any element type that a function keeps."""

Volume: TypeAlias = NDArray[np.float32]
"""Intensities of shape (Z, Y, X), usually in [0, 1]."""

RawVolume: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32]
"""Intensities of shape (Z, Y, X) in the type of the image file."""

Labels: TypeAlias = NDArray[np.unsignedinteger[Any]]
"""Labels 1..n of shape (Z, Y, X), uint16 or uint32; 0 is background."""

Mask: TypeAlias = NDArray[np.uint8]
"""Foreground 1 and background 0, of shape (Z, Y, X)."""

BoolVolume: TypeAlias = NDArray[np.bool_]
"""Marked voxels, of shape (Z, Y, X)."""

Spacing: TypeAlias = Sequence[float]
"""Voxel size along z, y and x in um."""

Box: TypeAlias = tuple[slice, ...]
"""Bounding box of an object: one slice per axis."""

Boxes: TypeAlias = dict[int, Box]
"""Bounding boxes by label, in ascending order."""
