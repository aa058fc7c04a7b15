"""Section of the gallery: the methods of find_seeds, and the labels that grow from the seeds."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import cc3d
import numpy as np
from numpy.typing import NDArray

from cellstack.core.counting import counted
from cellstack.core.labels import find_boxes
from cellstack.core.types import Labels, Mask, Spacing, Volume
from cellstack.core.voxels import volume_voxels
from cellstack.figures import drawing, outlines
from cellstack.gallery import panel_figures, views
from cellstack.gallery.sections import Panel, Section
from cellstack.gallery.views import View
from cellstack.segment.choose_planes import choose_planes
from cellstack.segment.find_seeds import seeds_of_mask
from cellstack.segment.split_objects import split_objects

TITLE = "Seeds and labels"
TEXT = (
    "First row: the maximum along z of the distance to the background in µm, with all seeds of the "
    "region, and the labels in the plane. Below, enlarged, the objects on which the methods "
    "disagree most: the distance map in a plane through them, with the seeds near that plane, and "
    "the labels that split_objects, as configured, grows from the seeds. Two seeds in one object "
    "split it; one seed in two objects merges them."
)
AGREEMENT = "; all methods put one seed into each object here"
MAX_PLACES = 2
MIN_RELATIVE_VOLUME = 0.2  # of an object, relative to a ball of the given diameter
DISTANCE_DIAMETERS = 1.5  # smallest distance of two places
WINDOW_DIAMETERS = 2.6  # side of the enlarged part
NEAR_DIAMETERS = 0.5  # largest distance of a seed from a plane in which it is shown

Window = tuple[slice, ...]
Place = tuple[int, ...]


class _Result(NamedTuple):
    """The results of one panel, within the region."""

    distance: Volume
    seeds: NDArray[np.float64]  # centroids in voxels
    labels: Labels


class _TileRow(NamedTuple):
    """A distance map and labels side by side."""

    distance: NDArray[np.float32]
    seeds: NDArray[np.float64]
    plane: int  # of the labels, in the region
    window: Window
    name: str


def compare_seeds(
    mask_clean: Mask,
    components: Labels,
    denoised: Volume,
    intensity: Volume,
    spacing: Spacing,
    view: View,
    diameter_um: float,
    panels: Sequence[Panel],
    split: Mapping[str, Any],
    edges: Volume | None = None,
    points: NDArray[np.float64] | None = None,
) -> Section:
    """Compare settings of find_seeds.

    Parameters
    ----------
    mask_clean : (Z, Y, X) ndarray of uint8
        Cleaned mask.
    components : (Z, Y, X) ndarray of uint16 or uint32
        Its connected components.
    denoised : (Z, Y, X) ndarray of float32
        Denoised intensities.
    intensity : (Z, Y, X) ndarray of float32
        Intensities that split_objects uses, denoised or not.
    spacing, view, panels
        See :mod:`cellstack.gallery.sections`.
    diameter_um : float
        Diameter of the objects in um.
    split : dict
        Arguments of split_objects.
    edges : (Z, Y, X) ndarray of float32, optional
        Edges, if split_objects uses them.
    points : (n, 3) ndarray of float, optional
        Seed points given by the user, for the method ``points``.

    Returns
    -------
    Section
    """
    mask, parts = views.crop(mask_clean, view), views.crop(components, view)
    stack, flooded = views.crop(denoised, view), views.crop(intensity, view)
    slopes = None if edges is None else views.crop(edges, view)
    results = {}
    for panel in panels:
        arguments = dict(panel["arguments"])
        allowed = choose_planes(
            mask_clean, spacing, arguments.pop("planes"), arguments.pop("plane_range_um")
        )
        distance, seeds = seeds_of_mask(
            mask,
            parts,
            spacing,
            stack=stack,
            points=_shift_points(points, view, arguments["options"]),
            allowed=_shift_planes(allowed, view),
            **arguments,
        )
        labels = split_objects(seeds, mask, flooded, distance, spacing, edges=slopes, **split)
        results[panel["title"]] = _Result(distance, panel_figures.centroids(seeds), labels)
    places = find_places(
        [(each.seeds, each.labels) for each in results.values()], spacing, diameter_um
    )
    windows = [_window_around(place, spacing, diameter_um, mask.shape) for place in places]
    grey = drawing.display_range(views.plane_of(stack, view))
    deepest = max((float(each.distance.max(initial=0)) for each in results.values()), default=0)
    first = view["region"][0][0]

    def draw(panel: Panel) -> panel_figures.Picture:
        distance, seeds, labels = results[panel["title"]]
        whole_plane = (slice(0, mask.shape[1]), slice(0, mask.shape[2]))
        plane, name = view["plane"] - first, "seeds in all planes"
        rows = [_TileRow(distance.max(axis=0), seeds, plane, whole_plane, name)]
        for (z, *_), window in zip(places, windows, strict=True):
            is_near = np.abs(seeds[:, 0] - z) * spacing[0] <= NEAR_DIAMETERS * diameter_um
            name = f"seeds near plane {first + z}"
            rows.append(_TileRow(distance[z], seeds[is_near], z, window, name))
        tiles = []
        for row in rows:
            shape = row.distance[row.window].shape
            scale = panel_figures.choose_scale(shape, spacing[1:])
            names = (row.name, f"labels in plane {first + row.plane}")
            tiles.append([panel_figures.Tile(shape, spacing[1:], scale, name) for name in names])
        figure, axes, bottom = panel_figures.tile_figure(tiles, panel_figures.COLOR_BAR_HEIGHT)
        colors = outlines.label_colors(find_boxes(labels))
        for (left, right), row in zip(axes, rows, strict=True):
            image = row.distance[row.window]
            artist = drawing.show_image(left, image, (0, deepest or 1.0), "viridis")
            panel_figures.show_points(left, _points_in(row.seeds, row.window), spacing[1:])
            background, seen = stack[row.plane][row.window], labels[row.plane][row.window]
            panel_figures.show_labels(right, background, grey, seen, spacing[1:], colors)
        panel_figures.add_color_bar(figure, artist, bottom, "distance to background, µm")
        alt = f"{panel['title']}: distance map with seeds, and labels; whole and enlarged"
        caption = f"{counted(len(seeds), 'seeds')} in the region" + ("" if places else AGREEMENT)
        return figure, (), alt, caption

    return {"title": TITLE, "text": TEXT, "panels": panel_figures.draw_panels(panels, draw)}


def _shift_points(
    points: NDArray[np.float64] | None, view: View, options: Mapping[str, Any]
) -> NDArray[np.float64] | None:
    """Return seed points relative to the first voxel of the region."""
    if points is None:
        return None
    start = np.array([first for first, _ in view["region"]], float)
    if options.get("coordinates") == "world":
        start *= view["spacing"]
    shifted: NDArray[np.float64] = points - start
    return shifted


def _shift_planes(allowed: slice | None, view: View) -> slice | None:
    """Return a range of planes relative to the first plane of the region."""
    if allowed is None:
        return None
    first, last = view["region"][0]
    start, stop = (min(max(plane, first), last) - first for plane in (allowed.start, allowed.stop))
    return slice(start, stop)


def find_places(
    found: Sequence[tuple[NDArray[np.float64], Labels]], spacing: Spacing, diameter_um: float
) -> list[Place]:
    """Find the objects on which methods disagree most.

    Each method that does not put exactly one seed into an object of another method counts as a
    disagreement on that object.

    Parameters
    ----------
    found : list of ((n, 3) ndarray of float, (Z, Y, X) ndarray of uint16 or uint32)
        For each method the seeds in voxels, and the labels.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    diameter_um : float
        Diameter of the objects in um.

    Returns
    -------
    list of (3,) tuple of int
        Centroids of :data:`MAX_PLACES` objects at most in voxels, sorted by disagreement, then by
        size.
    """
    min_voxels = MIN_RELATIVE_VOLUME * volume_voxels(np.pi / 6 * diameter_um**3, spacing)
    disputed = []
    for _, labels in found:
        objects = cc3d.statistics(labels)
        disagreements = np.zeros(len(objects["voxel_counts"]), int)
        for seeds, _ in found:
            label_of_seed = labels[tuple(np.floor(seeds + 0.5).astype(int).T)]
            disagreements += np.bincount(label_of_seed, minlength=len(disagreements)) != 1
        sizes = objects["voxel_counts"].astype(int)
        sizes[0] = 0  # the background
        for i in np.flatnonzero((sizes >= min_voxels) & (disagreements > 0)):
            disputed.append((-disagreements[i], -sizes[i], tuple(objects["centroids"][i])))
    places: list[Place] = []
    for _, _, centroid in sorted(disputed):
        distances = [np.linalg.norm(np.subtract(centroid, place) * spacing) for place in places]
        is_apart = min(distances, default=np.inf) >= DISTANCE_DIAMETERS * diameter_um
        if len(places) < MAX_PLACES and is_apart:
            places.append(tuple(int(index + 0.5) for index in centroid))
    return places


def _window_around(
    place: Place, spacing: Spacing, diameter_um: float, shape: tuple[int, ...]
) -> Window:
    """Return the slices along y and x of a square around a place, within the plane."""
    window = []
    for at, step, size in zip(place[1:], spacing[1:], shape[1:], strict=True):
        side = min(size, max(1, round(WINDOW_DIAMETERS * diameter_um / step)))
        start = min(max(0, at - side // 2), size - side)
        window.append(slice(start, start + side))
    return tuple(window)


def _points_in(seeds: NDArray[np.float64], window: Window) -> NDArray[np.float64]:
    """Return the seeds in a window, as (n, 2) rows and columns relative to its corner."""
    start, stop = [side.start for side in window], [side.stop for side in window]
    is_inside = np.all((seeds[:, 1:] >= start) & (seeds[:, 1:] < stop), axis=1)
    points: NDArray[np.float64] = seeds[is_inside, 1:] - start
    return points
