import matplotlib
import numpy as np
import pytest
from drawn import scale_bars, texts_of
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from matplotlib.text import Text

from cellstack.errors import InputError
from cellstack.figures import drawing
from cellstack.figures.colors import ALERT, SECONDARY

EXTENT = drawing.image_extent((60, 72), (0.5, 0.35))


@given(st.floats(1e-4, 1e6))
def test_scale_bar_is_the_largest_round_length(limit):
    length = drawing.round_length(limit)
    assert limit / 2.5 * (1 - 1e-9) < length <= limit
    assert f"{length:.6e}"[:8] in {"1.000000", "2.000000", "5.000000"}


def test_scale_bar_just_below_a_power_of_ten():
    assert drawing.round_length(np.nextafter(1000, 0)) == 500


def test_display_range():
    stack = np.random.default_rng(0).normal(size=(5, 20, 20)).astype(np.float32)
    expected = np.percentile(stack, (0.5, 99.5))
    assert drawing.display_range(stack[:2], stack[2:]) == pytest.approx(expected)
    sparse = np.zeros(10_000)
    sparse[3] = 8
    assert drawing.display_range(sparse) == (0, 8)
    assert drawing.display_range(np.full((2, 2), 3, np.uint8)) == (3, 3)


def test_header_is_higher_with_a_note():
    assert drawing.header_height("x") > drawing.header_height("")


def test_error_of_different_shapes_names_the_images():
    images = {"raw": np.zeros((3, 8, 8)), "labels": np.zeros((3, 8, 9))}
    with pytest.raises(InputError) as error:
        drawing.check_shapes("a-stack", images)
    assert str(error.value) == (
        "a-stack: images differ in shape (raw (3, 8, 8), labels (3, 8, 9)); delete these files and "
        "run the workflow again"
    )


def text_of(figure, start):
    """Return the text of a figure that starts with these words."""
    (found,) = [text for text in figure.texts if text.get_text().startswith(start)]
    return found


def top_left(figure, text):
    """Return where a text begins, in pixels from the top left corner of its figure."""
    x, y = text.get_position()
    width, height = drawing.figure_size(figure)
    return pytest.approx((x * width, (1 - y) * height))


def test_style_is_that_of_matplotlib_with_plain_text_and_is_restored():
    mine = {"font.size": 33.0, "text.parse_math": True, "axes.facecolor": "red"}
    with matplotlib.rc_context(mine):
        with drawing.default_style():
            assert not Text(text="$x$").get_parse_math()
            assert matplotlib.rcParams["font.size"] == matplotlib.rcParamsDefault["font.size"]
            assert matplotlib.rcParams["axes.facecolor"] == "white"
        assert {key: matplotlib.rcParams[key] for key in mine} == mine


def test_panel_has_its_place_and_scale():
    figure = drawing.new_figure(400, 300)
    assert drawing.figure_size(figure) == (400, 300)
    box = drawing.add_panel(figure, 30, 40, EXTENT, 5).bbox
    # 72 x 0.35 um times 60 x 0.5 um
    assert (box.x0, box.x1) == pytest.approx((30, 30 + 126))
    assert (300 - box.y1, 300 - box.y0) == pytest.approx((40, 40 + 150))


def test_image_covers_its_panel_in_the_range_of_values():
    axes = drawing.add_panel(drawing.new_figure(400, 300), 30, 40, EXTENT, 5)
    image = np.arange(60 * 72).reshape(60, 72)
    shown = drawing.show_image(axes, image, (5, 800), "viridis")
    assert shown.get_extent() == pytest.approx([-0.175, 25.025, 29.75, -0.25])
    assert shown.get_clim() == (5, 800)
    assert shown.get_cmap().name == "viridis"
    np.testing.assert_array_equal(shown.get_array(), image)
    assert drawing.show_image(axes, image, (0, 1)).get_cmap().name == "gray"


@pytest.mark.parametrize(("scale", "interpolation"), [(4.4, "nearest"), (4.2, "hanning")])
def test_only_magnified_voxels_are_squares(scale, interpolation):
    # a column of 0.35 um is 1.54 or 1.47 pixels wide; rows are higher
    axes = drawing.add_panel(drawing.new_figure(400, 300), 0, 0, EXTENT, scale)
    assert drawing.show_image(axes, np.ones((60, 72)), (0, 1)).get_interpolation() == interpolation


def test_tint_is_strongest_at_the_upper_limit():
    axes = drawing.add_panel(drawing.new_figure(400, 300), 0, 0, EXTENT, 5)
    image = np.array([[0, 10], [20, 30], [40, 90]], np.uint8)
    drawing.show_tint(axes, image, (10, 40), "#336699")
    (shown,) = axes.images
    tint = shown.get_array()
    opacity = np.array([[0, 0], [1, 2], [3, 3]]) / 3 * drawing.MAX_TINT_OPACITY
    np.testing.assert_allclose(tint[..., 3], opacity, atol=1e-6)
    np.testing.assert_allclose(tint[..., :3], np.broadcast_to(to_rgb("#336699"), (3, 2, 3)))
    assert shown.get_extent() == pytest.approx(list(EXTENT))
    drawing.show_tint(axes, image, (7, 7), "blue")  # constant: no division by 0
    assert np.isfinite(axes.images[1].get_array()).all()


def test_text_begins_at_its_place():
    figure = drawing.new_figure(400, 300)
    text = drawing.add_text(figure, 30, 40, "abc", color="red")
    assert top_left(figure, text) == (30, 40)
    assert (text.get_va(), text.get_fontsize()) == ("top", drawing.TEXT_SIZE)


@pytest.mark.parametrize(("room", "is_cut"), [(1000, False), (100, True), (40, True)])
def test_text_is_cut_to_its_room(room, is_cut):
    figure = drawing.new_figure(400, 300)
    text = "a name that is somewhat longer"
    short = drawing.shorten(figure, text, room)
    assert (short != text) == is_cut
    assert short.endswith("…") == is_cut
    assert text.startswith(short.removesuffix("…"))

    def width(letters):
        return drawing.add_text(figure, 0, 0, letters).get_window_extent().width

    assert width(short) <= room
    if is_cut:  # one more letter would not fit
        kept = len(short.removesuffix("…")) + (text[len(short) - 1] == " ")
        assert width(f"{text[: kept + 1]}…") > room
    large = drawing.shorten(figure, text, room, fontsize=3 * drawing.TEXT_SIZE)
    assert len(large) < len(short) or not is_cut


def test_text_that_fits_exactly_is_not_cut():
    figure = drawing.new_figure(400, 300)
    width = drawing.add_text(figure, 0, 0, "exactly").get_window_extent().width
    assert drawing.shorten(figure, "exactly", width) == "exactly"
    assert drawing.shorten(figure, "exactly", width - 0.01) != "exactly"
    assert drawing.shorten(figure, "exactly", 0) == "e…"
    assert drawing.shorten(figure, "", 0) == ""


def test_letters_that_the_font_lacks_are_written_as_codes():
    figure = drawing.new_figure(400, 300)
    assert drawing.shorten(figure, "µ Ω ж 対", 300) == "µ Ω ж U+5BFE"


def test_scale_bar_ends_at_its_corner_and_has_its_length():
    figure = drawing.new_figure(400, 300)
    bar = drawing.scale_bar(figure, 350, 200, 7.5, 20)
    assert scale_bars(figure) == [(pytest.approx(150), 20)]
    assert bar.get_xdata()[1] * 400 == pytest.approx(350)
    # the lower edge of a line of 4 pixels
    assert (1 - bar.get_ydata()[0]) * 300 + 2 == pytest.approx(200)
    assert bar.get_ydata()[0] == bar.get_ydata()[1]
    label = text_of(figure, "20 µm")
    assert label.get_window_extent().x1 == pytest.approx(200 - 8, abs=1)
    assert (label.get_ha(), label.get_va()) == ("right", "bottom")


def header(count=12, note="", title="a-stack", spacing=(1.3, 0.5, 0.35)):
    figure = drawing.new_figure(600, 300)
    shape = (14, 60, 72)
    drawing.add_header(figure, title, count, ", 9 measured", shape, spacing, note)
    return figure


def test_header_names_counts_and_sizes_along_x_y_and_z():
    assert texts_of(header()) == [
        "a-stack",
        "12 objects, 9 measured",
        "72 × 60 × 14 voxels of 0.35 × 0.5 × 1.3 µm (x, y, z): 25.2 × 30 × 18.2 µm",
    ]
    assert texts_of(header(1))[1] == "1 object, 9 measured"
    fine = texts_of(header(spacing=(0.58, 0.521875, 0.521875)))[2]
    assert fine.startswith("72 × 60 × 14 voxels of 0.5219 × 0.5219 × 0.58 µm (x, y, z)")
    assert texts_of(header(0, note="simulated"))[1:4:2] == ["no objects found", "simulated"]


def test_header_warns_in_color_and_its_lines_do_not_overlap():
    figure = header(0, note="simulated")
    colors = {text.get_text(): text.get_color() for text in figure.texts}
    assert colors["no objects found"] == colors["simulated"] == ALERT
    assert {text.get_color() for text in header().texts} == {"black", SECONDARY}
    boxes = [text.get_window_extent() for text in figure.texts]
    assert not any(a.overlaps(b) for a in boxes for b in boxes if a is not b)
    height = drawing.figure_size(figure)[1]
    assert all(box.x0 >= drawing.MARGIN - 1 for box in boxes)
    assert height - min(box.y0 for box in boxes) <= drawing.header_height("simulated")
    assert height - min(box.y0 for box in boxes[:3]) <= drawing.header_height("")


def test_a_long_title_ends_inside_of_the_figure():
    figure = header(title="W" * 100)
    assert figure.texts[0].get_window_extent().x1 <= 600 - drawing.MARGIN
    assert figure.texts[0].get_text().endswith("…")
    assert figure.texts[0].get_weight() == "bold"


def test_caption_has_the_range_of_grey_values_after_the_name():
    figure = drawing.new_figure(600, 300)
    drawing.add_caption(figure, 30, 40, "Planes", (0.123456, 98765.4), ", nuclei in blue")
    name, detail = figure.texts
    assert top_left(figure, name) == (30, 40)
    assert detail.get_text() == "grey from 0.1235 to 98770, nuclei in blue"
    assert detail.get_color() == SECONDARY
    gap = detail.get_window_extent().x0 - name.get_window_extent().x1
    assert gap == pytest.approx(12, abs=1)
    drawing.add_caption(figure, 30, 80, "Planes", (7, 7))
    assert figure.texts[3].get_text() == "constant: all values are 7"
    assert figure.texts[3].get_color() == ALERT


def test_legend_is_in_the_top_right_corner():
    figure = drawing.new_figure(600, 300)
    lines = [Line2D([], [], color=color) for color in ("red", "blue", "green")]
    drawing.add_legend(figure, {"one": lines[0], "both": (lines[1], lines[2])}, handlelength=5)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["one", "both"]
    figure.canvas.draw()
    box = legend.get_window_extent()
    assert (box.x1, box.y1) == pytest.approx((600 - drawing.MARGIN, 300 - drawing.MARGIN), abs=1)
    assert legend.get_frame().get_alpha() == 1


def test_images_have_the_chosen_color_map():
    def shown(*cmap):
        axes = drawing.add_panel(drawing.new_figure(50, 50), 0, 0, (0, 5, 5, 0), 10)
        return drawing.show_image(axes, np.eye(4), (0, 1), *cmap).get_cmap().name

    assert shown() == "gray"
    with drawing.use_color_map("cividis"):
        assert shown() == "cividis"
        assert shown("viridis") == "viridis"
        assert drawing.describe_range((1.0, 2.5)) == "cividis from 1 to 2.5"
        assert not drawing.is_grey()
    assert shown() == "gray"
    assert drawing.describe_range((1.0, 2.5)) == "grey from 1 to 2.5"


def test_every_color_map_of_the_configuration_exists_and_is_monotonic_in_lightness():
    import matplotlib
    import yaml
    from study import ROOT

    schema = yaml.safe_load((ROOT / "config/schemas/config.schema.yaml").read_text())
    names = schema["properties"]["figures"]["properties"]["color_map"]["enum"]
    for name in names:
        red, green, blue, _ = matplotlib.colormaps[name](np.linspace(0, 1, 64)).T
        lightness = 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2
        assert (np.diff(lightness) > 0).all(), name
