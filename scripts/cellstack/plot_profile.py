"""The intensities of all channels along one row of a plane."""

import numpy as np

from cellstack import figures, gallery_figures

TITLE = "Profile"
TEXT = (
    "Raw values along the marked row, one channel below the other. How far the objects stand above what lies between them, and how much "
    "the values jump from voxel to voxel, says how hard the stack is. Choose another row with choose_view."
)
WIDTH, LINES = 960, 170  # pixels across at most, and of each channel's axes
LEFT = 70  # pixels for the labels of the axes


def plot_profile(raws, spacing, view, panels):
    """Draw the plane of a view with its row, and the raw values along the row.

    Parameters
    ----------
    raws : dict of str to (Z, Y, X) ndarray
        The raw stacks by channel.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    view : dict
        As of :func:`cellstack.choose_view.choose_view`.
    panels : list of dict
        One, with the ``snippet`` that gives this plane and row.

    Returns
    -------
    dict
        ``title``, ``text`` and ``panels`` as of :func:`cellstack.gallery_figures.draw_panels`.
    """
    plane, row = view["plane"], view["row"]

    def draw(panel):
        images = [raw[plane] for raw in raws.values()]
        shape = images[0].shape
        scale = gallery_figures.scale_of(shape, spacing[1:], min(gallery_figures.WIDTH, WIDTH / len(images)))
        tiles = [gallery_figures.Tile(shape, spacing[1:], scale, name) for name in raws]
        figure, [axes], bottom = gallery_figures.tile_figure([tiles], below=LINES * len(images) + 10)
        positions = np.arange(shape[1]) * spacing[2]
        for number, (name, image) in enumerate(zip(raws, images, strict=True)):
            figures.show_image(axes[number], image, figures.display_range(image))
            color = figures.COLORS[number % len(figures.COLORS)]
            axes[number].axhline(row * spacing[1], color=color, linewidth=1.2 * figures.PT)
            lines = gallery_figures.plot_axes(figure, bottom + 10 + LINES * number, LINES, left=LEFT)
            lines.plot(positions, image[row], color=color, linewidth=1.4 * figures.PT, drawstyle="steps-mid")
            lines.set(xlim=figures.edges(shape[1], spacing[2]))
            gallery_figures.label_axes(lines, "x, µm", f"{name}, raw value")
        return figure, (), f"Plane {plane} of each channel, and its values along row {row}", f"plane {plane}, row {row}, counted from 0"

    return {"title": TITLE, "text": TEXT, "panels": gallery_figures.draw_panels(panels, draw)}
