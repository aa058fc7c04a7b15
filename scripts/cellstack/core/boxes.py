"""Boxes around objects: parts of a stack, as slices along z, y and x."""

from collections.abc import Sequence

from cellstack.core.types import Box


def widen_box(box: Box, margins: Sequence[int] = (1, 1, 1)) -> Box:
    """Widen a box on all sides by a number of voxels along z, y and x.

    It begins with the first voxel of the stack at the earliest. It can end after the last one,
    which makes no difference to the part of an array that it selects.

    Examples
    --------
    >>> widen_box((slice(0, 3), slice(2, 8), slice(4, 5)), (1, 4, 1))
    (slice(0, 4, None), slice(0, 12, None), slice(3, 6, None))
    """
    return tuple(
        slice(max(0, side.start - margin), side.stop + margin)
        for side, margin in zip(box, margins, strict=True)
    )


def unite_boxes(*boxes: Box) -> Box:
    """Return the box that contains some boxes.

    Examples
    --------
    >>> unite_boxes((slice(0, 3), slice(2, 8)), (slice(1, 5), slice(4, 6)))
    (slice(0, 5, None), slice(2, 8, None))
    """
    return tuple(
        slice(min(side.start for side in sides), max(side.stop for side in sides))
        for sides in zip(*boxes, strict=True)
    )
