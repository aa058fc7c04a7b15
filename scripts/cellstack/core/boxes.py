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


def box_within(box: Box, outer: Box) -> Box:
    """Return a box, counted from the first voxel of a box that contains it.

    Examples
    --------
    >>> box_within((slice(3, 5), slice(8, 9)), (slice(2, 7), slice(4, 9)))
    (slice(1, 3, None), slice(4, 5, None))
    """
    return move_box(box, [-side.start for side in outer])


def move_box(box: Box, steps: Sequence[int]) -> Box:
    """Move a box by a number of voxels along each axis.

    Examples
    --------
    >>> move_box((slice(1, 3), slice(4, 5)), (2, 4))
    (slice(3, 5, None), slice(8, 9, None))
    """
    return tuple(
        slice(side.start + step, side.stop + step) for side, step in zip(box, steps, strict=True)
    )
