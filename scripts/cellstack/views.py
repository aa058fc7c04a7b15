"""What the gallery shows of a stack: the region, the plane and the row that were chosen, cut out without a copy."""


def crop(stack, view):
    """Cut the region out of a stack, without a copy."""
    return stack[tuple(slice(*span) for span in view["region"])]


def slab(part, view, reach_um):
    """Keep the planes of a region that are not farther than `reach_um` from that of the view.

    Parameters
    ----------
    part : (Z, Y, X) ndarray
        What :func:`crop` gives.
    view : dict
        As of :func:`cellstack.choose_view.choose_view`.
    reach_um : float
        In um.

    Returns
    -------
    part : (Z, Y, X) ndarray
    view : dict
        With a region that has these planes alone.
    """
    (first, last), *sides = view["region"]
    reach = int(reach_um / view["spacing"][0])
    begin, end = max(first, view["plane"] - reach), min(last, view["plane"] + reach + 1)
    return part[begin - first : end - first], view | {"region": [[begin, end], *sides]}


def plane_of(part, view, zoomed=False):
    """Show the plane of the view in a region: the whole of it, or what is zoomed in on.

    Parameters
    ----------
    part : (Z, Y, X) ndarray
        What :func:`crop` gives, or made of that.
    view : dict
        As of :func:`cellstack.choose_view.choose_view`.
    zoomed : bool
        Whether to show the zoom alone.

    Returns
    -------
    (Y, X) ndarray
    """
    (first, _), *starts = view["region"]
    plane = part[view["plane"] - first]
    if zoomed:
        plane = plane[tuple(slice(low - start, high - start) for (low, high), (start, _) in zip(view["zoom"], starts, strict=True))]
    return plane


def row_of(part, view):
    """Show the row of the view in a region from the side, (Z, X); the row of the region that is nearest to it, where it lies outside."""
    first, end = view["region"][1]
    return part[:, min(max(view["row"], first), end - 1) - first]
