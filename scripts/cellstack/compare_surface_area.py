"""The surface area of objects with the true voxel size, and as if voxels were cubes of 1."""

import numpy as np

from cellstack import figures, gallery_figures
from cellstack.relabel import find_boxes
from cellstack.surface_area import surface_area

TITLE = "Surface area"
TEXT = (
    "One object of middling size, drawn with the true distance of planes and as if voxels were cubes, as a measurement without spacing "
    "takes them; then all measured objects. To compare the two in µm², the area in units of voxel sides is multiplied by the area of a "
    "pixel. The table of objects has both, surface_area_um2 and surface_area_unit_spacing. There is nothing to set."
)
SIZE = 420  # pixels
LIGHT = (315, 60)  # azimuth and altitude of the light in degrees
COLOR = "#56b4e9"


def compare_surface_area(labels, spacing):
    """Draw an object with true and with unit spacing, and the surface area of all objects in both.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray of uint16 or uint32
        The selected objects.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.

    Returns
    -------
    dict
        ``title``, ``text`` and ``panels`` as of :func:`cellstack.gallery_figures.draw_panels`; no panels where there are no objects.
    """
    masks = [labels[box] == label for label, box in find_boxes(labels).items()]
    if not masks:
        return {"title": TITLE, "text": TEXT, "panels": []}
    order = np.argsort([np.count_nonzero(mask) for mask in masks], kind="stable")
    chosen = masks[order[len(order) // 2]]
    true, unit = (np.array([surface_area(mask, steps) for mask in masks]) for steps in (spacing, (1, 1, 1)))

    def draw(panel):
        if panel["title"] == "all objects":
            return _draw_all(true, unit * spacing[1] * spacing[2])
        steps, length = (spacing, "µm") if panel["title"] == "true spacing" else ((1, 1, 1), "voxels")
        size = " × ".join(f"{count * step:.3g}" for count, step in zip(chosen.shape, steps, strict=True))
        caption = f"{surface_area(chosen, steps):.4g} {length}²; {size} {length} along z, y, x"
        return _draw_mesh(chosen, steps), (), f"An object in 3D with {panel['title']}", caption

    panels = [{"title": title} for title in ("true spacing", "unit spacing", "all objects")]
    return {"title": TITLE, "text": TEXT, "panels": gallery_figures.draw_panels(panels, draw)}


def _draw_mesh(mask, spacing):
    from matplotlib.colors import LightSource
    from skimage.measure import marching_cubes

    points, faces, _, _ = marching_cubes(np.pad(mask, 1).astype(np.float32), 0.5, spacing=spacing)
    figure = figures.new_figure(SIZE, SIZE)
    axes = figure.add_axes((0.02, 0.02, 0.9, 0.96), projection="3d")
    z, y, x = points.T
    axes.plot_trisurf(x, y, faces, z, color=COLOR, lightsource=LightSource(*LIGHT), linewidth=0, antialiased=False)
    axes.set_box_aspect([np.ptp(each) for each in (x, y, z)], zoom=0.95)
    axes.view_init(elev=18, azim=-60)
    axes.tick_params(labelsize=gallery_figures.SMALL, pad=0)
    for name in "xyz":
        getattr(axes, f"set_{name}label")(name, fontsize=gallery_figures.SMALL, labelpad=0)
        axes.locator_params(axis=name, nbins=4)
    return figure


def _draw_all(true, unit):
    figure = figures.new_figure(SIZE, SIZE)
    axes = gallery_figures.plot_axes(figure, 0, SIZE, left=64)
    highest = 1.08 * max(true.max(), unit.max())
    axes.plot((0, highest), (0, highest), color="0.6", linewidth=1 * figures.PT)
    axes.plot(true, unit, "o", color=COLOR, markeredgecolor="black", markeredgewidth=0.6 * figures.PT, markersize=7 * figures.PT)
    axes.set(xlim=(0, highest), ylim=(0, highest))
    gallery_figures.label_axes(axes, "with true spacing, µm²", "with unit spacing, times the area of a pixel, µm²")
    ratio = np.median(unit / true)
    return figure, (), "Surface area of all objects with unit against true spacing", f"unit over true spacing: {ratio:.3g} (median)"
