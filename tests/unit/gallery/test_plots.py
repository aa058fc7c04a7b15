"""What the plots and tiles of the gallery show, at a voxel size that differs along z, y and x."""

import numpy as np
import pytest
from drawn import panels, pixels_per_um, scale_bars, texts_of
from gallery_cases import record_figures, view_of
from matplotlib.colors import to_hex, to_rgb
from matplotlib.text import Text

from cellstack.core.surface_area import mesh_surface_area, surface_area
from cellstack.enhance.denoise import denoise
from cellstack.figures import drawing
from cellstack.figures.colors import COLORS
from cellstack.gallery import panel_figures
from cellstack.gallery.compare_background import compare_background
from cellstack.gallery.compare_contrast import compare_contrast
from cellstack.gallery.compare_denoising import compare_denoising
from cellstack.gallery.compare_edges import compare_edges
from cellstack.gallery.compare_morphology import compare_morphology
from cellstack.gallery.compare_surface_area import compare_surface_area
from cellstack.gallery.compare_thresholds import compare_thresholds
from cellstack.gallery.plot_profile import list_profile, plot_profile
from cellstack.gallery.plot_shapes import draw_shapes, plot_shapes

SPACING = (1.3, 0.5, 0.35)
SHAPE = (6, 20, 30)
VIEW = view_of(SHAPE, SPACING)
STACK = np.random.default_rng(1).random(SHAPE, np.float32)
STACK.setflags(write=False)


@pytest.fixture
def figures(monkeypatch):
    """All figures of panels, in order."""
    return record_figures(monkeypatch)


def extents_of(figure):
    """Return the extent in um of each image: left, right, bottom and top."""
    return [image.get_extent() for axes in figure.axes for image in axes.images]


def extent(rows, columns):
    """Return the extent of an image with these numbers of voxels and voxel sizes."""
    (down, row_step), (across, column_step) = rows, columns
    right, bottom = (across - 0.5) * column_step, (down - 0.5) * row_step
    return pytest.approx([-column_step / 2, right, bottom, -row_step / 2])


def assert_true_scale(figure):
    """Assert that the images of a figure have the scale that their scale bars have."""
    shown = [axes for axes in figure.axes if axes.images and axes.get_label() != "<colorbar>"]
    scales = [scale for axes in shown for scale in pixels_per_um(axes)]
    bars = scale_bars(figure)
    assert bars
    for pixels, length in bars:
        assert any(pixels / length == pytest.approx(scale) for scale in scales)


def plane(count=(20, 30)):
    return extent((count[0], SPACING[1]), (count[1], SPACING[2]))


def side():
    return extent((SHAPE[0], SPACING[0]), (SHAPE[2], SPACING[2]))


def test_background_is_shown_in_a_plane_and_from_the_side(figures):
    (panel,) = compare_background(
        STACK, SPACING, VIEW, [{"title": "none", "arguments": {"steps": []}}]
    )["panels"]
    above, below = figures[0].axes
    assert extents_of(figures[0]) == [plane(), side()]
    limits = np.percentile(np.concatenate([STACK[1].ravel(), STACK[:, 3].ravel()]), (0.5, 99.5))
    for axes in (above, below):
        assert axes.images[0].get_clim() == pytest.approx(tuple(limits))
    assert panel["caption"] == f"grey from {limits[0]:.4g} to {limits[1]:.4g}"
    assert panel["alt"] == "none: plane and side view"
    assert above.bbox.y0 > below.bbox.y1
    assert_true_scale(figures[0])


def test_distribution_of_contrast(figures):
    steps = [("percentile_stretch", {"low": 0, "high": 100})]
    panels_of = [{"title": "stretched", "arguments": {"steps": steps}}]
    (panel,) = compare_contrast(STACK, SPACING, VIEW, panels_of)["panels"]
    stretched = (STACK - STACK.min()) / np.ptp(STACK)
    image, plot, cumulative = figures[0].axes
    assert image.images[0].get_clim() == (0, 1)
    counts, edges = np.histogram(stretched, 128, (0, 1))
    values, found, _ = plot.patches[0].get_data()
    assert np.abs(values - counts).sum() <= 4  # rounding may move a value to the next bin
    np.testing.assert_allclose(found, edges)
    (line,) = cumulative.lines
    expected = [0, *np.cumsum(counts) / STACK.size]
    np.testing.assert_allclose(line.get_ydata(), expected, atol=0.002)
    np.testing.assert_allclose(line.get_xdata(), edges)
    assert plot.get_xlim() == (0, 1)
    assert plot.get_ylim() == (0, 2 * values.max())
    assert cumulative.get_ylim() == (0, 1.03)
    labels = [label.get_text() for label in plot.get_yticklabels()]
    assert labels == ["1", "100", "10,000", "1,000,000"]
    assert (plot.get_xlabel(), plot.get_ylabel()) == ("intensity", "voxels")
    assert panel["caption"] == f"grey from 0 to 1; mean {stretched.mean():.3g}"
    assert_true_scale(figures[0])


def test_denoising_shows_the_region_and_the_zoom(figures):
    chosen = VIEW | {"zoom": [[4, 10], [11, 25]]}
    arguments = {"method": "gaussian", "options": {"sigma_um": 0.6}}
    shown = [{"title": "gaussian", "arguments": arguments}]
    (panel,) = compare_denoising(STACK, SPACING, chosen, 4.0, shown)["panels"]
    whole, zoom = figures[0].axes
    # planes up to half of 4 um from plane 1 are used
    smooth = denoise(STACK[:3], SPACING, **arguments)
    np.testing.assert_array_equal(whole.images[0].get_array(), smooth[1])
    np.testing.assert_array_equal(zoom.images[0].get_array(), smooth[1, 4:10, 11:25])
    assert extents_of(figures[0]) == [plane(), plane((6, 14))]
    limits = pytest.approx(tuple(np.percentile(STACK[1], (0.5, 99.5))))
    assert whole.images[0].get_clim() == zoom.images[0].get_clim() == limits
    change = np.sqrt(((smooth - STACK[:3]) ** 2).mean())
    assert panel["caption"] == f"values change by {change:.2g} (root mean square)"
    assert len(scale_bars(figures[0])) == 2
    assert_true_scale(figures[0])


def test_edges_are_shown_along_three_axes_in_one_range(figures):
    shown = [
        {"title": name, "arguments": {"method": name, "options": {}}}
        for name in ("sobel", "sobel_2d")
    ]
    drawn = compare_edges(STACK, SPACING, VIEW, shown)["panels"]
    assert [panel["title"] for panel in drawn] == ["sobel", "sobel_2d", "sobel − sobel_2d"]
    column = extent((SHAPE[1], SPACING[1]), (SHAPE[0], SPACING[0]))
    highest = []
    for figure in figures:
        assert extents_of(figure)[:3] == [plane(), column, side()]
        assert "per µm" in texts_of(figure)
        assert_true_scale(figure)
        images = [axes.images[0] for axes in figure.axes[:3]]
        assert len({image.get_clim() for image in images}) == 1
        values = np.concatenate([np.asarray(image.get_array()).ravel() for image in images])
        highest.append(np.percentile(values, 99.8))
    ranges = [figure.axes[0].images[0].get_clim() for figure in figures]
    assert ranges[0] == ranges[1] == pytest.approx((0, max(highest[:2])))
    largest = max(np.abs(axes.images[0].get_array()).max() for axes in figures[2].axes[:3])
    assert ranges[2] == pytest.approx((-largest, largest))
    names = [figure.axes[0].images[0].get_cmap().name for figure in figures]
    assert names == ["viridis", "viridis", "PuOr_r"]
    assert [bool(panel["caption"]) for panel in drawn] == [False, False, True]


def test_morphology_paints_what_is_kept_removed_and_added(figures):
    mask = np.zeros(SHAPE, np.uint8)
    mask[1:5, 4:16, 5:25] = 1
    steps = [("erosion", {"shape": "ball", "radius_um": 0.5})]
    shown = [{"title": "erosion", "arguments": {"steps": steps}}]
    (panel,) = compare_morphology(STACK, mask, SPACING, VIEW, [], shown)["panels"]
    painted = figures[0].axes[0].images[0].get_array()
    assert extents_of(figures[0]) == [plane()]
    kept, removed = to_rgb(panel_figures.KEPT_COLOR), to_rgb(panel_figures.REMOVED_COLOR)
    assert tuple(painted[10, 15]) == pytest.approx(kept)
    assert tuple(painted[4, 15]) == pytest.approx(removed)
    assert tuple(painted[0, 0]) == (0, 0, 0)
    assert panel["caption"].endswith("added 0.0% of the foreground")
    assert_true_scale(figures[0])


def test_histogram_has_a_line_for_each_threshold_of_the_stack(figures):
    denoised = np.clip(STACK * np.float32(0.8), 0, 1)
    shown = [
        {
            "title": "low one",
            "arguments": {"method": "fixed", "factor": 1.0, "options": {"value": 0.3}},
        },
        {"title": "mean", "arguments": {"method": "mean", "factor": 0.5, "options": {}}},
    ]
    section = compare_thresholds(STACK, denoised, SPACING, VIEW, shown)["panels"]
    assert [panel["title"] for panel in section] == ["histogram", "low one", "mean"]
    plot = figures[-1].axes[0]
    values = [line.get_xdata()[0] for line in plot.lines]
    assert values == pytest.approx([denoised.mean() / 2, 0.3], abs=0.01)
    assert "threshold 0.3; foreground" in section[1]["caption"]
    assert [line.get_color() for line in plot.lines] == list(COLORS[:2])
    before, after = (patch.get_data() for patch in plot.patches)
    np.testing.assert_array_equal(before.values, np.histogram(STACK, 200, (0, 1))[0])
    np.testing.assert_array_equal(after.values, np.histogram(denoised, 200, (0, 1))[0])
    legend = [text.get_text() for text in plot.get_legend().get_texts()]
    names = [f"mean {values[0]:.3g}", "low one 0.3"]
    assert legend == ["before denoising", "denoised", *names]
    assert section[0]["alt"].endswith(f"with the thresholds {', '.join(names)}")
    highest = max(before.values.max(), after.values.max())
    assert plot.get_ylim() == pytest.approx((0.8, 2 * highest))
    assert plot.get_xlim() == (0, 1)
    figures[-1].canvas.draw()
    for figure in figures:
        for text in figure.findobj(Text):
            assert not text.get_parse_math()
            assert "$" not in text.get_text()


def test_more_thresholds_than_colors_differ_by_line_style(figures):
    shown = [
        {
            "title": f"t{i}",
            "arguments": {"method": "fixed", "factor": 1.0, "options": {"value": 0.1 + i / 20}},
        }
        for i in range(len(COLORS) + 1)
    ]
    compare_thresholds(STACK, STACK, SPACING, VIEW, shown)
    lines = figures[-1].axes[0].lines
    styles = [(line.get_color(), line.get_linestyle()) for line in lines]
    assert styles == [*((color, "-") for color in COLORS), (COLORS[0], "--")]


def test_profile_is_along_x_at_the_marked_row(figures):
    raws = {"nuclei": STACK, "marker": STACK[::-1] * 9}
    (panel,) = plot_profile(raws, SPACING, VIEW, [{"title": "profile"}])["panels"]
    *images, first, second = figures[0].axes
    for axes, plot, raw, color, name in zip(
        images, (first, second), raws.values(), COLORS[:2], raws, strict=True
    ):
        (mark,) = axes.lines
        assert list(mark.get_ydata()) == pytest.approx([3 * 0.5] * 2)
        (line,) = plot.lines
        np.testing.assert_allclose(line.get_xdata(), np.arange(30) * 0.35)
        np.testing.assert_allclose(line.get_ydata(), raw[1, 3])
        assert line.get_color() == mark.get_color() == color
        assert plot.get_xlim() == pytest.approx((-0.175, 29.5 * 0.35))
        assert (plot.get_xlabel(), plot.get_ylabel()) == ("x, µm", f"{name}, raw value")
        assert axes.images[0].get_clim() == pytest.approx(tuple(np.percentile(raw[1], (0.5, 99.5))))
    assert first.bbox.y0 > second.bbox.y1
    assert images[0].bbox.y0 > first.bbox.y1
    assert {"nuclei", "marker"} <= set(texts_of(figures[0]))
    assert panel["alt"] == "Plane 1 of each channel, and its values along row 3"
    assert_true_scale(figures[0])


def test_the_table_of_the_profile_has_the_values_of_the_plot():
    raws = {"nuclei": STACK, "marker": STACK[::-1] * 9}
    rows = list_profile(raws, SPACING, VIEW)
    assert [row["nuclei"] for row in rows] == STACK[1, 3].tolist()
    assert [row["marker"] for row in rows] == (STACK[::-1] * 9)[1, 3].tolist()
    assert [row["x_um"] for row in rows] == pytest.approx(np.arange(30) * 0.35)


def test_shapes_are_placed_colored_and_numbered(figures):
    rng = np.random.default_rng(2)
    volumes, solidities, intensities = (
        rng.normal(mean, sd, 20) for mean, sd in ((500, 20), (0.9, 0.01), (80, 4))
    )
    volumes[4], solidities[9], intensities[13] = 900, 0.5, 300
    labels = list(range(101, 121))
    (panel,) = plot_shapes(volumes, solidities, intensities, labels, "marker")["panels"]
    axes = figures[0].axes[0]
    (points,) = axes.collections
    np.testing.assert_array_equal(points.get_offsets(), np.stack([volumes, solidities], axis=1))
    np.testing.assert_array_equal(points.get_array(), intensities)
    marked = {int(text.get_text()): text.xy for text in axes.texts}
    assert len(marked) == 12
    assert {105, 110, 114} <= marked.keys()
    assert marked[105] == (900, solidities[4])
    assert axes.get_xlim() == pytest.approx((0, 1.08 * 900))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("volume, µm³", "solidity")
    assert "mean intensity of marker, raw value" in texts_of(figures[0])
    deviations = [
        np.abs(v - np.median(v)) / np.median(np.abs(v - np.median(v)))
        for v in (volumes, solidities, intensities)
    ]
    worst = 101 + np.max(deviations, axis=0).argmax()
    assert panel["caption"].startswith(f"20 objects; number {worst} differs most")


def test_objects_that_are_all_the_same_have_shapes(figures):
    (panel,) = plot_shapes([5.0] * 3, [1.0] * 3, [7.0] * 3, [1, 2, 3], "nuclei")["panels"]
    assert panel["png"]


def test_surface_areas_of_all_objects_and_a_mesh_of_the_median_one(figures):
    labels = np.zeros((8, 40, 60), np.uint16)
    z, y, x = (index * step for index, step in zip(np.indices(labels.shape), SPACING, strict=True))
    for label, (at, radius) in enumerate(((4, 3.5), (10, 2.6), (16, 3.0)), 1):
        labels[(z - 4.5) ** 2 + (y - 10) ** 2 + (x - at) ** 2 < radius**2] = label
    true, unit, every = compare_surface_area(labels, SPACING)["panels"]
    areas, units = ([surface_area(labels == n, s) for n in (1, 2, 3)] for s in (SPACING, (1, 1, 1)))
    where = np.argwhere(labels == 3)
    sides = np.ptp(where, axis=0) + 1
    listed = " × ".join(f"{side * step:.3g}" for side, step in zip(sides, SPACING, strict=True))
    meshes = [
        [f"{mesh_surface_area(labels == 3, steps, level):.4g}" for level in (0.5, 0)]
        for steps in (SPACING, (1, 1, 1))
    ]
    name, (first, second) = "object 3, of median volume", meshes[0]
    assert true["caption"] == (
        f"{name}: {areas[2]:.4g} µm², mesh {first} and {second} µm²; {listed} µm along z, y, x"
    )
    listed = " × ".join(f"{side}" for side in sides)
    first, second = meshes[1]
    assert unit["caption"] == (
        f"{name}: {units[2]:.4g} voxels², mesh {first} and {second} voxels²; "
        f"{listed} voxels along z, y, x"
    )
    plot = figures[2].axes[0]
    equal, points = plot.lines
    np.testing.assert_allclose(points.get_xdata(), areas)
    np.testing.assert_allclose(points.get_ydata(), np.array(units) * 0.5 * 0.35)
    highest = 1.08 * max(*points.get_xdata(), *points.get_ydata())
    np.testing.assert_allclose(equal.get_xydata(), [(0, 0), (highest, highest)])
    assert plot.get_xlim() == plot.get_ylim() == pytest.approx((0, highest))
    ratio = np.median(np.divide(units, areas)) * 0.5 * 0.35
    assert every["caption"] == f"unit / true spacing: {ratio:.3g} (median)"
    other, *_ = compare_surface_area(labels, SPACING, 1)["panels"]
    assert other["caption"].startswith(f"object 1: {areas[0]:.4g} µm², mesh ")
    absent, *_ = compare_surface_area(labels, SPACING, 9)["panels"]
    assert absent["caption"] == true["caption"]
    for figure, steps in zip(figures[:2], (SPACING, (1, 1, 1)), strict=True):
        # the mesh is half a voxel beyond the centres, so that n voxels are n wide
        flat, depth = figure.axes[0].xy_dataLim, figure.axes[0].zz_dataLim
        assert (depth.width, flat.height, flat.width) == pytest.approx(tuple(sides * steps))
        # as does the box that it is drawn in, along x, y and z
        aspect = figure.axes[0].get_box_aspect()
        np.testing.assert_allclose(aspect / aspect[2], (sides * steps)[::-1] / (sides * steps)[0])


@pytest.mark.parametrize(
    ("shape", "spacing", "expected"),
    [
        ((20, 30), (0.5, 0.35), 16 / 0.35),  # 480 pixels are 16 per voxel
        ((200, 30), (0.5, 0.35), 2 / 0.35),  # 640 pixels of height are 2.24 per voxel of width
        ((20, 720), (0.5, 0.35), 1 / 0.35),  # one pixel per voxel instead of 0.67
        ((20, 1000), (0.5, 0.35), 480 / 350),  # shrunk
    ],
)
def test_voxels_are_whole_pixels_wide_where_possible(shape, spacing, expected):
    assert panel_figures.choose_scale(shape, spacing) == pytest.approx(expected)
    assert panel_figures.choose_scale(shape, spacing, 2 * panel_figures.WIDTH) >= expected


def test_tiles_are_in_rows_with_names_above_and_bars_below():
    tiles = [
        [
            panel_figures.Tile((20, 30), SPACING[1:], 10, "one"),
            panel_figures.Tile((10, 10), SPACING[1:], 10),
        ],
        [panel_figures.Tile((6, 30), SPACING[::2], 10, has_bar=False)],
    ]
    figure, rows, bottom = panel_figures.tile_figure(tiles, below=50)
    (one, two), (three,) = rows
    height = figure.bbox.height
    gap, name, bar = panel_figures.GAP, panel_figures.NAME, panel_figures.BAR

    def place(axes):
        box = axes.bbox
        return pytest.approx((box.x0, height - box.y1, box.width, box.height))

    assert (1, 1 + name, 105, 100) == place(one)
    assert (1 + 105 + gap, 1 + name, 35, 50) == place(two)
    assert (1, 1 + name + 100 + bar + gap, 105, 78) == place(three)
    assert bottom == pytest.approx(1 + name + 100 + bar + gap + 78)
    assert figure.bbox.height == pytest.approx(bottom + 50 + 1)
    assert figure.bbox.width == pytest.approx(105 + gap + 35 + 2)
    # a quarter of 10.5 and of 3.5 um, at 10 pixels per um
    assert scale_bars(figure) == [(pytest.approx(20), 2), (pytest.approx(5), 0.5)]
    assert texts_of(figure)[0] == "one"
    for bar_line, axes in zip(
        figure.findobj(lambda a: getattr(a, "get_solid_capstyle", str)() == "butt")[:2],
        (one, two),
        strict=True,
    ):
        assert bar_line.get_xdata()[1] * figure.bbox.width == pytest.approx(axes.bbox.x1)
        below_axes = axes.bbox.y0 - bar_line.get_ydata()[0] * height
        assert below_axes > 0


def test_plot_and_color_bar_have_their_place():
    figure = drawing.new_figure(400, 300)
    box = panel_figures.add_plot(figure, 100, 150, left=50, right=20).bbox
    assert (box.x0, box.x1) == pytest.approx((50, 380))
    assert (300 - box.y1, 300 - box.y0) == pytest.approx((108, 100 + 150 - 36))
    axes = drawing.add_panel(figure, 0, 0, (0, 10, 10, 0), 5)
    image = drawing.show_image(axes, np.eye(4), (0, 7), "viridis")
    panel_figures.add_color_bar(figure, image, 220, "um", width=200)
    bar = figure.axes[-1]
    assert (bar.bbox.x0, bar.bbox.width) == pytest.approx((panel_figures.COLOR_BAR_LEFT, 200))
    assert (300 - bar.bbox.y1, bar.bbox.height) == pytest.approx((220 + 6, 10))
    assert bar.get_xlim() == (0, 7)
    (label,) = figure.texts
    assert label.get_text() == "um"
    assert label.get_window_extent().x0 > bar.bbox.x1
    assert to_hex(axes.get_facecolor()) == "#000000"
    assert panels(figure)


def test_shapes_of_a_stack_without_objects():
    assert plot_shapes([], [], [], [], "nuclei")["panels"] == []
    figure = draw_shapes([], [], [], [], "nuclei")
    assert texts_of(figure) == ["no measured objects"]
