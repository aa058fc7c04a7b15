"""The picture of the surfaces of all objects, and their meshes."""

import matplotlib
import numpy as np
import pytest
import trimesh
from drawn import boxes_image, panels, texts_of
from matplotlib.colors import rgb_to_hsv, to_rgb

import plot_surfaces as surfaces_script
import write_meshes as meshes_script
from cellstack.core.labels import find_boxes
from cellstack.core.meshes import surface_mesh
from cellstack.figures import outlines, rendering
from cellstack.figures import plot_surfaces as module
from cellstack.figures.outlines import Number
from cellstack.figures.plot_surfaces import OTHERS_COLOR, plot_surfaces
from cellstack.files.stacks import write_stack

SPACING = (2.0, 0.5, 0.4)
RED, GREEN, BLUE = "#ff0000", "#00ff00", "#0000ff"


@pytest.fixture(autouse=True)
def small_figures(monkeypatch):
    """Make the figures small, as most of the time is spent on their pixels."""
    monkeypatch.setattr(module, "MAX_WIDTH", 330)
    monkeypatch.setattr(module, "MAX_HEIGHT", 240)


def ball(start, spacing=(0.5, 0.5, 0.5), radius=6):
    z, y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1, -radius : radius + 1]
    return surface_mesh(z**2 + y**2 + x**2 <= radius**2, spacing, start)


VIEW = rendering.View(scale=4.0, left=-10.0, top=-10.0)
SIZE = (200.0, 200.0)


def place_of(color, picture):
    """Return the mean row and column of the pixels of a colour, with the number of pixels."""
    rgb = picture[..., :3].astype(int)
    main = np.argmax(to_rgb(color))
    others = [i for i in range(3) if i != main]
    mask = (rgb[..., main] > rgb[..., others].max(axis=2) + 30) & (picture[..., 3] > 0)
    rows, columns = np.nonzero(mask)
    return rows.mean(), columns.mean(), mask.sum()


@pytest.mark.parametrize(
    ("axis", "down", "right"),
    [(0, 1, 0), (1, 1, -1), (2, 1, 1)],  # z downwards, rows to the front, columns to the right
)
def test_directions_of_the_axes(axis, down, right):
    start = np.zeros(3, int)
    start[axis] = 30
    picture = rendering.render([(ball((0, 0, 0)), RED), (ball(start), GREEN)], VIEW, SIZE)
    row, column, _ = place_of(RED, picture)
    other_row, other_column, _ = place_of(GREEN, picture)
    assert np.sign(other_row - row) == down
    if right:
        assert np.sign(other_column - column) == right
    else:
        assert other_column == pytest.approx(column, abs=1)


def test_nearer_objects_hide_farther_ones():
    # one ball behind the other, along the line of sight
    away = np.array([np.sin(rendering.TILT), 0, 0]) + np.cos(rendering.TILT) * np.array(
        [0, -np.cos(rendering.TURN), -np.sin(rendering.TURN)]
    )
    behind = np.round(14 * away / 0.5).astype(int) + 2  # the smaller ball has the same centre
    for order in (1, -1):
        shown = [(ball((0, 0, 0)), RED), (ball(behind, radius=4), GREEN)][::order]
        picture = rendering.render(shown, VIEW, SIZE)
        red, green = (picture[..., i].astype(int) for i in (0, 1))
        counts = (red > green + 30).sum(), (green > red + 30).sum()
        assert counts[0] > 300 and counts[1] == 0


def test_picture_does_not_depend_on_how_many_triangles_are_drawn_at_once(monkeypatch):
    shown = [(ball((0, 0, 0)), RED), (ball((5, 4, 3)), GREEN), (ball((9, -4, 8)), BLUE)]
    expected = rendering.render(shown, VIEW, SIZE)
    monkeypatch.setattr(rendering, "FACES_AT_ONCE", 1)
    for order in (1, -1):
        np.testing.assert_array_equal(rendering.render(shown[::order], VIEW, SIZE), expected)


def test_surfaces_are_lit_from_the_upper_left():
    picture = rendering.render([(ball((0, 0, 0)), "#808080")], VIEW, SIZE)
    seen = picture[..., 3] == 255
    rows, columns = np.nonzero(seen)
    middle = round(rows.mean()), round(columns.mean())
    reach = int(0.6 * (np.ptp(rows) / 2) / np.sqrt(2))
    light = picture[middle[0] - reach, middle[1] - reach, 0]
    dark = picture[middle[0] + reach, middle[1] + reach, 0]
    assert light > dark + 40
    assert np.ptp(rows) == pytest.approx(2 * 6 * 0.5 * VIEW.scale, abs=2)  # 6 voxels of 0.5 um


def test_the_box_of_the_stack_fits():
    corners = np.array([[z, y, x] for z in (0, 9) for y in (0, 30) for x in (0, 50)], float)
    view, (width, height) = rendering.fit_view(corners, 400, 300)
    places = view.project(corners)[:, :2]
    assert places.min(axis=0) == pytest.approx([0, 0], abs=1e-6)
    assert places.max(axis=0) == pytest.approx([height, width])
    assert (width == pytest.approx(400) and height <= 300) or height == pytest.approx(300)


def labels():
    return boxes_image((9, 60, 80), [(1, 5), (5, 25), (5, 30)], [(3, 8), (30, 55), (45, 75)])


def test_figure_shows_measured_objects_in_their_colours_and_others_grey():
    figure = plot_surfaces(
        labels(), SPACING, title="s", note="simulated data", numbers={2: Number(1, False)}
    )
    image = panels(figure)["surfaces"].images[0].get_array()
    seen = image[image[..., 3] == 255][:, :3] / 255
    hues = rgb_to_hsv(seen)
    colored = hues[hues[:, 1] > 0.2]
    color = outlines.label_colors(find_boxes(labels()))[2]
    assert np.median(colored[:, 0]) == pytest.approx(rgb_to_hsv(to_rgb(color))[0], abs=0.02)
    assert (hues[:, 1] < 0.05).sum() > 100  # the other object
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["measured (1)", "found, not measured (1)"]
    texts = texts_of(figure)
    assert {"s", "2 objects, 1 measured", "simulated data", "x, µm", "y, µm", "z, µm"} <= set(texts)
    assert {"0", "10", "20", "30"} <= set(texts)  # 32 um along x
    assert color != OTHERS_COLOR


@pytest.mark.parametrize("shape", [(9, 60, 80), (1, 60, 80)])
def test_stack_without_objects(shape):
    figure = plot_surfaces(np.zeros(shape, np.uint16), SPACING, title="s")
    assert "no objects found" in texts_of(figure)
    assert not panels(figure)["surfaces"].images[0].get_array().any()
    figure.canvas.draw()


@pytest.mark.slow
def test_scripts_write_the_same_bytes_for_any_style_and_meshes_of_the_measured_volume(tmp_path):
    segmentation = labels()
    write_stack(tmp_path / "segmentation.tif", segmentation, SPACING)
    (tmp_path / "objects.csv").write_text("label,segmentation_label,flags\n1,2,low contrast\n")
    inputs = {"segmentation": tmp_path / "segmentation.tif", "objects": tmp_path / "objects.csv"}

    def write():
        files = [tmp_path / name for name in ("a.png", "a.pdf", "a.glb", "a.ply")]
        surfaces_script.main(**inputs, figure=files[0], vector=files[1], title="s", note="")
        meshes_script.main(**inputs, meshes=files[2], ply=files[3], object="nuclei", title="s")
        return [file.read_bytes() for file in files]

    first = write()
    with matplotlib.rc_context({"font.size": 30, "font.family": "serif"}):
        assert write() == first
    scene = trimesh.load(tmp_path / "a.glb")
    assert list(scene.geometry) == ["nuclei-1"]
    volume = (segmentation == 2).sum() * np.prod(SPACING)
    assert scene.geometry["nuclei-1"].volume == pytest.approx(volume, rel=1e-5)
