"""Section of the gallery: surface areas with the true voxel size and with unit spacing."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cellstack.core.counting import significant
from cellstack.core.labels import find_boxes
from cellstack.core.surface_area import mesh_surface_area, surface_area
from cellstack.core.types import BoolVolume, Labels, Spacing
from cellstack.figures import drawing
from cellstack.figures.colors import SKY_BLUE
from cellstack.gallery import panel_figures
from cellstack.gallery.sections import Panel, Section

TITLE = "Surface area"
TEXT = (
    "An object, drawn with the true distance between planes and as if voxels were cubes, as in a "
    "measurement without spacing; then all measured objects. Areas are those of Crofton's formula. "
    "Those of the mesh by marching cubes follow, at level 0.5 and, as in scikit-image's tutorial, "
    "at level 0; a mesh follows the steps between voxels, and its area is too large. For "
    "comparison in µm², the area in voxel units is multiplied by the area of a pixel. The table of "
    "objects has both areas by Crofton's formula, surface_area_um2 and surface_area_unit_spacing. "
    "Choose another object with choose_view."
)
SIZE = 420  # pixels
LIGHT = (315, 60)  # azimuth and altitude of the light in degrees
COLOR = SKY_BLUE
TRUE, UNIT, ALL = "true spacing", "unit spacing", "all objects"  # titles of the panels


def compare_surface_area(
    labels: Labels, spacing: Spacing, object_label: int | None = None
) -> Section:
    """Compare surface areas with true and with unit spacing.

    Parameters
    ----------
    labels : (Z, Y, X) ndarray of uint16 or uint32
        The selected objects.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    object_label : int, optional
        The object to be drawn. By default, or if there is none with this label, that of median
        volume.

    Returns
    -------
    Section
        Without panels if there are no objects.
    """
    boxes = find_boxes(labels)
    masks = [labels[box] == label for label, box in boxes.items()]
    if not masks:
        return {"title": TITLE, "text": TEXT, "panels": []}
    order = np.argsort([np.count_nonzero(mask) for mask in masks], kind="stable")
    median = list(boxes)[order[len(order) // 2]]
    label = object_label if object_label in boxes else median
    name = f"object {label}" + ("" if label == object_label else ", of median volume")
    chosen = masks[list(boxes).index(label)]
    unit_spacing = (1, 1, 1)
    areas = np.array([surface_area(mask, spacing) for mask in masks])
    unit_areas = np.array([surface_area(mask, unit_spacing) for mask in masks])

    def draw(panel: Panel) -> panel_figures.Picture:
        if panel["title"] == ALL:
            return _draw_all(areas, unit_areas * spacing[1] * spacing[2])
        steps: Sequence[float]
        steps, unit = (spacing, "µm") if panel["title"] == TRUE else (unit_spacing, "voxels")
        sides = [f"{size * step:.3g}" for size, step in zip(chosen.shape, steps, strict=True)]
        area = surface_area(chosen, steps)
        meshes = [significant(mesh_surface_area(chosen, steps, level), 4) for level in (0.5, 0)]
        caption = (
            f"{name}: {significant(area, 4)} {unit}², mesh {meshes[0]} and {meshes[1]} {unit}²; "
            f"{' × '.join(sides)} {unit} along z, y, x"
        )
        return _draw_mesh(chosen, steps), (), f"An object in 3D with {panel['title']}", caption

    panels: list[Panel] = [{"title": title} for title in (TRUE, UNIT, ALL)]
    return {"title": TITLE, "text": TEXT, "panels": panel_figures.draw_panels(panels, draw)}


def _draw_mesh(mask: BoolVolume, spacing: Sequence[float]) -> Figure:
    from matplotlib.colors import LightSource
    from skimage.measure import marching_cubes

    points, faces, _, _ = marching_cubes(np.pad(mask, 1).astype(np.float32), 0.5, spacing=spacing)
    figure = drawing.new_figure(SIZE, SIZE)
    axes: Any = figure.add_axes((0.02, 0.02, 0.9, 0.96), projection="3d")
    z, y, x = points.T
    light = LightSource(*LIGHT)
    axes.plot_trisurf(
        x, y, faces, z, color=COLOR, lightsource=light, linewidth=0, antialiased=False
    )
    axes.set_box_aspect([np.ptp(each) for each in (x, y, z)], zoom=0.95)
    axes.view_init(elev=18, azim=-60)
    axes.tick_params(labelsize=panel_figures.SMALL_TEXT_SIZE, pad=0)
    for name in "xyz":
        label = getattr(axes, f"set_{name}label")
        label(name, fontsize=panel_figures.SMALL_TEXT_SIZE, labelpad=0)
        axes.locator_params(axis=name, nbins=4)
    return figure


def _draw_all(areas: NDArray[np.float64], unit_areas: NDArray[np.float64]) -> panel_figures.Picture:
    figure = drawing.new_figure(SIZE, SIZE)
    axes = panel_figures.add_plot(figure, 0, SIZE, left=64)
    highest = 1.08 * max(areas.max(), unit_areas.max())
    axes.plot((0, highest), (0, highest), color="0.6", linewidth=1 * drawing.PIXEL)
    axes.plot(
        areas,
        unit_areas,
        "o",
        color=COLOR,
        markeredgecolor="black",
        markeredgewidth=0.6 * drawing.PIXEL,
        markersize=7 * drawing.PIXEL,
    )
    axes.set(xlim=(0, highest), ylim=(0, highest))
    unit_label = "with unit spacing, times the area of a pixel, µm²"
    panel_figures.label_axes(axes, "with true spacing, µm²", unit_label)
    alt = "Surface area of all objects with unit against true spacing"
    return figure, (), alt, f"unit / true spacing: {np.median(unit_areas / areas):.3g} (median)"
