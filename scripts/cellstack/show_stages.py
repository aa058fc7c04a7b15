"""The stages of a stack as they are configured, one picture each."""

import fastremap
import numpy as np

from cellstack import figures, gallery_figures, views

TITLE = "The stages as configured"
TEXT = (
    "What each stage made of the plane, from the raw stack to the objects that are measured. Below each are its settings as they are. The "
    "comparisons below show what other settings would give."
)
NEAR = 0.5  # of the diameter: seeds that lie no farther from the plane are shown
BAR = 44  # pixels for the bar of colours


def show_stages(stages, spacing, view, diameter_um, panels):
    """Draw what each stage made of the plane of a view.

    Parameters
    ----------
    stages : dict of str to (Z, Y, X) ndarray
        raw, contrast, denoised, mask, clean, distance, seeds, parts, merged, split and labels, and corrected where there is one.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    view : dict
        As of :func:`cellstack.choose_view.choose_view`.
    diameter_um : float
        Diameter of an object in um.
    panels : list of dict
        Each with its ``title`` and ``snippet``, and the name of its ``image`` in `stages`.

    Returns
    -------
    dict
        ``title``, ``text`` and ``panels`` as of :func:`cellstack.gallery_figures.draw_panels`.
    """
    parts = {name: views.crop(stack, view) for name, stack in stages.items()}
    images = {name: views.plane_of(part, view) for name, part in parts.items()}
    tile = gallery_figures.Tile(images["raw"].shape, spacing[1:], gallery_figures.scale_of(images["raw"].shape, spacing[1:]))

    def draw(panel):
        name = panel["image"]
        image, is_distance = images[name], name == "distance"
        figure, [[axes]], bottom = gallery_figures.tile_figure([[tile]], below=BAR * is_distance)
        if name in ("raw", "corrected", "contrast", "denoised"):
            limits = figures.display_range(image)
            figures.show_image(axes, image, limits)
            caption = f"grey from {limits[0]:.4g} to {limits[1]:.4g}"
        elif name in ("mask", "clean"):
            gallery_figures.show_mask(axes, images["denoised"], figures.display_range(images["denoised"]), image, spacing[1:])
            caption = f"foreground: {stages[name].mean():.1%} of the stack"
        elif is_distance:
            artist = figures.show_image(axes, image, (0, float(image.max(initial=0)) or 1.0), "viridis")
            gallery_figures.colour_bar(figure, artist, bottom, "distance to the background, µm")
            points = gallery_figures.middles(parts["seeds"])
            near = np.abs(points[:, 0] - (view["plane"] - view["region"][0][0])) * spacing[0] <= NEAR * diameter_um
            gallery_figures.show_points(axes, points[near, 1:], spacing[1:])
            caption = f"{stages['seeds'].max(initial=0)} seeds in the stack; marked are those less than half a diameter from the plane"
        else:
            labels, _ = fastremap.renumber(stages[name], in_place=False)  # numbers may have gaps, colours go by their order
            boxes = figures.find_boxes(labels)
            seen = views.plane_of(views.crop(labels, view), view)
            limits = figures.display_range(images["raw"])
            gallery_figures.show_labels(axes, images["raw"], limits, seen, spacing[1:], figures.label_colors(boxes))
            caption = f"{len(boxes)} objects in the stack"
        return figure, () if is_distance else figures.COLORS, f"{panel['title']}: the plane", caption

    return {"title": TITLE, "text": TEXT, "panels": gallery_figures.draw_panels(panels, draw)}
