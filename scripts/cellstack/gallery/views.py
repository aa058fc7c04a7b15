"""The part of a stack that the gallery shows, and the arrays cut out of it."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, TypeVar, cast

from numpy.typing import NDArray

from cellstack.core.planes import Stack, part_of

Array = TypeVar("Array", bound=NDArray[Any])


class View(TypedDict):
    """A region of a stack with one plane and one row in it.

    Ranges are first and last + 1 voxel; all indices count from 0 in the whole stack.
    """

    plane: int
    row: int
    """Row of the plane for side views and profiles; it may lie outside the region."""
    region: list[list[int]]
    """Ranges along z, y, x."""
    zoom: list[list[int]]
    """Ranges along y, x of a part of the plane with two objects, within the region."""
    shape: list[int]
    """Shape of the stack."""
    spacing: list[float]
    """Voxel size along z, y, x in um."""


def of_block(stack: Stack, block: Mapping[str, Sequence[Sequence[int]]] | None) -> Stack:
    """Return the part of a complete stack that a block covers.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or stack
        Of the complete stack.
    block : dict or None
        With the ``extent`` of the block, see
        :meth:`cellstack.config.block_plan.BlockPlan.geometry_of`; None for a stack that is not cut.

    Returns
    -------
    stack
    """
    if block is None:
        return stack
    return part_of(stack, tuple(slice(*side) for side in block["extent"]))


def crop(stack: Stack, view: View) -> NDArray[Any]:
    """Return the region of a stack; of an ndarray, without a copy.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or stack
    view : View

    Returns
    -------
    (z, y, x) ndarray
    """
    return cast(NDArray[Any], stack[tuple(slice(*span) for span in view["region"])])


def read_plane(stack: Stack, view: View) -> NDArray[Any]:
    """Return the plane of the view from a complete stack, without other planes of the region.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or stack
    view : View

    Returns
    -------
    (y, x) ndarray
        As :func:`plane_of` of :func:`crop`.
    """
    _, rows, columns = view["region"]
    return cast(NDArray[Any], stack[view["plane"], slice(*rows), slice(*columns)])


def slab(part: Array, view: View, reach_um: float) -> tuple[Array, View]:
    """Reduce a region to the planes near that of the view, without a copy.

    Parameters
    ----------
    part : (z, y, x) ndarray
        The region of a stack, see :func:`crop`.
    view : View
    reach_um : float
        Largest distance of a plane from that of the view in um.

    Returns
    -------
    part : (z', y, x) ndarray
    view : View
        A view with this region.
    """
    (first, last), *sides = view["region"]
    reach = int(reach_um / view["spacing"][0])
    begin, end = max(first, view["plane"] - reach), min(last, view["plane"] + reach + 1)
    reduced = view.copy()
    reduced["region"] = [[begin, end], *sides]
    return cast(Array, part[begin - first : end - first]), reduced


def plane_of(part: Array, view: View, zoomed: bool = False) -> Array:
    """Return the plane of the view from a region.

    Parameters
    ----------
    part : (z, y, x) ndarray
        The region of a stack, see :func:`crop`, or an image computed from it.
    view : View
    zoomed : bool
        Whether to return only the part with two objects.

    Returns
    -------
    (y, x) ndarray
    """
    (first, _), *sides = view["region"]
    plane = cast(Array, part[view["plane"] - first])
    if zoomed:
        ranges = [
            slice(low - start, high - start)
            for (low, high), (start, _) in zip(view["zoom"], sides, strict=True)
        ]
        plane = cast(Array, plane[tuple(ranges)])
    return plane


def row_of(part: Array, view: View) -> Array:
    """Return a side view of a region along the row of the view.

    Parameters
    ----------
    part : (z, y, x) ndarray
        The region of a stack, see :func:`crop`, or an image computed from it.
    view : View

    Returns
    -------
    (z, x) ndarray
        If the row lies outside the region, the nearest row of the region.
    """
    first, end = view["region"][1]
    return cast(Array, part[:, min(max(view["row"], first), end - 1) - first])
