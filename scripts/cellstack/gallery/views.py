"""The part of a stack that the gallery shows, and the arrays cut out of it without a copy."""

from typing import Any, TypedDict, TypeVar, cast

from numpy.typing import NDArray

Array = TypeVar("Array", bound=NDArray[Any])


class View(TypedDict):
    """A region of a stack with one plane and one row in it.

    Ranges are first and last + 1 voxel; all indices count from 0 in the whole stack.
    """

    plane: int
    row: int
    """Row of the plane for side views and profiles; it may lie outside of the region."""
    region: list[list[int]]
    """Ranges along z, y, x."""
    zoom: list[list[int]]
    """Ranges along y, x of a part of the plane with two objects, within the region."""
    shape: list[int]
    """Shape of the stack."""
    spacing: list[float]
    """Voxel size along z, y, x in um."""


def crop(stack: Array, view: View) -> Array:
    """Return the region of a stack, without a copy.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray
    view : View

    Returns
    -------
    (z, y, x) ndarray
    """
    return cast(Array, stack[tuple(slice(*span) for span in view["region"])])


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
        If the row lies outside of the region, the nearest row of the region.
    """
    first, end = view["region"][1]
    return cast(Array, part[:, min(max(view["row"], first), end - 1) - first])
