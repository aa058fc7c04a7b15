"""The methods of find_seeds side by side: seeds over the distance map, and the labels that grow from them."""

import cc3d
import numpy as np

from cellstack import figures, gallery_figures, units, views
from cellstack.find_seeds import distance_map, find_seeds
from cellstack.split_objects import split_objects

TITLE = "Seeds and labels"
TEXT = (
    "First row: the greatest distance to the background along z, in µm, with all seeds of the region; the labels in the plane. Below, "
    "enlarged, the objects over which the methods disagree most: the distance in a plane through them, with the seeds near that plane, and "
    "the labels that grow from the seeds as split_objects is configured. Two seeds in one object cut it in two, one seed in two objects "
    "leaves them together."
)
AGREED = " Here all methods put one seed into each object."
MOST_PLACES = 2
LEAST = 0.2  # of the volume of an object: what is smaller is no object to zoom in on
APART = 1.5  # diameters between two places
WINDOW = 2.6  # diameters: side of what is enlarged
NEAR = 0.5  # of the diameter: seeds that lie no farther from a plane are shown in it


def compare_seeds(clean, components, denoised, intensities, spacing, view, diameter_um, panels, split, edges=None, points=None):
    """Draw seeds and labels under several settings of find_seeds.

    Parameters
    ----------
    clean : (Z, Y, X) ndarray of uint8
        The mask.
    components : (Z, Y, X) ndarray of uint16 or uint32
        Its connected parts.
    denoised : (Z, Y, X) ndarray of float32
    intensities : (Z, Y, X) ndarray of float32
        What split_objects goes by: denoised, or as they were before.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    view : dict
        As of :func:`cellstack.choose_view.choose_view`.
    diameter_um : float
        Diameter of an object in um.
    panels : list of dict
        As of :func:`cellstack.gallery_panels.list_panels` for find_seeds.
    split : dict
        The params of split_objects for the stack at hand.
    edges : (Z, Y, X) ndarray of float32, optional
        Where split_objects goes by them.
    points : (N, 3) ndarray of float, optional
        Seed points set by hand, for a panel of that method.

    Returns
    -------
    dict
        ``title``, ``text`` and ``panels`` as of :func:`cellstack.gallery_figures.draw_panels`.
    """
    mask, parts, stack, raw = (views.crop(each, view) for each in (clean, components, denoised, intensities))
    slopes = None if edges is None else views.crop(edges, view)
    found = {}
    for panel in panels:
        method, options, smoothing_um = (panel["arguments"][key] for key in ("method", "options", "smoothing_um"))
        distance = distance_map(mask, spacing, smoothing_um)
        seeds = find_seeds(distance, parts, spacing, method, options, stack, _in_region(points, view, options))
        found[panel["title"]] = distance, gallery_figures.middles(seeds), split_objects(seeds, mask, raw, distance, edges=slopes, **split)
    places = find_places([(middles, labels) for _, middles, labels in found.values()], spacing, diameter_um)
    windows = [_window(place, spacing, diameter_um, mask.shape) for place in places]
    grey = figures.display_range(views.plane_of(stack, view))
    deepest = max((float(distance.max(initial=0)) for distance, _, _ in found.values()), default=0) or 1.0
    first = view["region"][0][0]
    plane = view["plane"] - first

    def draw(panel):
        distance, middles, labels = found[panel["title"]]
        everything = (slice(0, mask.shape[1]), slice(0, mask.shape[2]))
        rows = [(distance.max(axis=0), middles, plane, everything, "seeds in all planes")]
        for (z, _, _), window in zip(places, windows, strict=True):
            near = middles[np.abs(middles[:, 0] - z) * spacing[0] <= NEAR * diameter_um]
            rows.append((distance[z], near, z, window, f"seeds near plane {first + z}"))
        tiles = []
        for image, _, z, window, name in rows:
            shape = image[window].shape
            scale = gallery_figures.scale_of(shape, spacing[1:])
            tiles.append([gallery_figures.Tile(shape, spacing[1:], scale, text) for text in (name, f"labels in plane {first + z}")])
        figure, axes, bottom = gallery_figures.tile_figure(tiles, below=44)
        colors = figures.label_colors(figures.find_boxes(labels))
        for (left, right), (image, seeds, z, window, _) in zip(axes, rows, strict=True):
            artist = figures.show_image(left, image[window], (0, deepest), "viridis")
            gallery_figures.show_points(left, _within(seeds, window), spacing[1:])
            gallery_figures.show_labels(right, stack[z][window], grey, labels[z][window], spacing[1:], colors)
        gallery_figures.colour_bar(figure, artist, bottom, "distance to the background, µm")
        caption = f"{len(middles)} seeds in the region" + ("" if places else AGREED)
        return figure, (), f"{panel['title']}: distance map with seeds, and labels; whole and enlarged", caption

    return {"title": TITLE, "text": TEXT, "panels": gallery_figures.draw_panels(panels, draw)}


def _in_region(points, view, options):
    """Count seed points set by hand from the region's first voxel."""
    if points is None:
        return None
    start = np.array([first for first, _ in view["region"]])
    return points - (start * view["spacing"] if options.get("coordinates") == "world" else start)


def find_places(found, spacing, diameter_um):
    """Find the objects over which methods disagree most.

    An object of one method counts once for each method that puts another number of seeds than one into it.

    Parameters
    ----------
    found : list of ((N, 3) ndarray of float, (Z, Y, X) ndarray of uint16 or uint32)
        Of each method, the seeds in voxels, and the labels.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    diameter_um : float
        Diameter of an object in um.

    Returns
    -------
    list of (3,) tuple of int
        Middles of at most :data:`MOST_PLACES` objects in voxels, those with the most disagreement first, larger ones before smaller ones.
    """
    least = LEAST * units.volume_voxels(np.pi / 6 * diameter_um**3, spacing)
    disputed = []
    for _, labels in found:
        objects = cc3d.statistics(labels)
        at_odds = np.zeros(len(objects["voxel_counts"]), int)
        for middles, _ in found:
            within = labels[tuple(np.floor(middles + 0.5).astype(int).T)]
            at_odds += np.bincount(within, minlength=len(at_odds)) != 1
        sizes = objects["voxel_counts"].astype(int)
        sizes[0] = 0  # the background
        large = np.flatnonzero((sizes >= least) & (at_odds > 0))
        disputed += [(-at_odds[i], -sizes[i], tuple(objects["centroids"][i])) for i in large]
    places = []
    for _, _, middle in sorted(disputed):
        apart = [np.linalg.norm(np.subtract(middle, place) * spacing) for place in places]
        if len(places) < MOST_PLACES and min(apart, default=np.inf) >= APART * diameter_um:
            places.append(tuple(int(index + 0.5) for index in middle))
    return places


def _window(place, spacing, diameter_um, shape):
    """Give the slices along y and x of the square about a place, moved into the plane."""
    sides = [min(size, max(1, round(WINDOW * diameter_um / step))) for size, step in zip(shape[1:], spacing[1:], strict=True)]
    starts = [min(max(0, at - side // 2), size - side) for at, side, size in zip(place[1:], sides, shape[1:], strict=True)]
    return tuple(slice(start, start + side) for start, side in zip(starts, sides, strict=True))


def _within(seeds, window):
    """Keep the seeds in a window, (N, 2) rows and columns from its corner."""
    corner, end = ([getattr(side, name) for side in window] for name in ("start", "stop"))
    inside = np.all((seeds[:, 1:] >= corner) & (seeds[:, 1:] < end), axis=1)
    return seeds[inside, 1:] - corner
