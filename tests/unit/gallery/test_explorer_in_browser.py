"""The page to explore a stack in a real browser: sliders, choices, outlines, pointer."""

import browser
import numpy as np
import pytest

from cellstack.gallery.explorer_layers import Grid, choose_grid, grey_layer, label_layer
from cellstack.gallery.write_explorer import write_explorer

SPACING = (2.0, 0.5, 0.25)
SHAPE = (8, 24, 40)
IDLE = """new Promise(done => { const look = () =>
  document.querySelector('[aria-busy]') ? setTimeout(look, 20) : done(0); look(); })"""
HOSTILE = '</script><img src=x onerror="window.hit=1">'


def stack():
    """Return planes of rising brightness with a bright box, and its label."""
    image = np.zeros(SHAPE, np.uint16) + 100 * np.arange(8, dtype=np.uint16)[:, None, None]
    image[3:6, 8:16, 16:32] = 2000
    return image, (image == 2000).astype(np.uint16) * 300


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    running = browser.start(tmp_path_factory.mktemp("profile"))
    yield running
    running.close()


@pytest.fixture
def page(chromium, tmp_path):
    """Return the browser with the page of the stack, in which some planes have a method."""
    image, labels = stack()
    grid = choose_grid(SHAPE, SPACING)
    layers = [
        grey_layer(image, grid, "nuclei", "raw"),
        grey_layer(3000.0 - image, grid, "nuclei", "denoised"),
        label_layer(labels, grid, "nuclei", "segmentation"),
        grey_layer(image[5:7, :, 8:] // 2, grid, "denoise", HOSTILE, (5, 0, 8)),
    ]
    return show(chromium, tmp_path, layers, grid)


def show(chromium, folder, layers, grid):
    objects = {"nuclei/segmentation": {300: "12 µm³, irregular"}}
    text = write_explorer(layers, grid, SPACING, objects, stack="colony", note="")
    (folder / "explore.html").write_text(text, encoding="utf-8")
    chromium.requested.clear()
    chromium.open((folder / "explore.html").as_uri())
    chromium.evaluate(IDLE)
    return chromium


def set_value(page, selector, value, event="input", panel=None):
    """Set a slider or a choice, as a user does."""
    place = f"panels[{panel}].node" if panel is not None else "document"
    page.evaluate(
        f"""(() => {{ const input = {place}.querySelector({selector!r});
        input.value = {value!r}; input.dispatchEvent(new Event({event!r})); }})(), 0"""
    )
    page.evaluate(IDLE)


def grey_at(page, panel, across, down):
    """Return red, green and blue of a panel at fractions of its width and height."""
    return page.evaluate(
        f"""(() => {{ const {{canvas}} = panels[{panel}]; return Array.from(canvas.getContext('2d')
        .getImageData(canvas.width * {across}, canvas.height * {down}, 1, 1).data).slice(0, 3);
        }})()"""
    )


def texts(page, selector):
    return page.evaluate(
        f"Array.from(document.querySelectorAll({selector!r}), each => each.textContent)"
    )


def test_pixels_have_their_true_proportions_and_the_bar_is_in_um(page):
    size = page.evaluate("[panels[0].canvas.width, panels[0].canvas.height]")
    assert size[0] / size[1] == pytest.approx(40 * 0.25 / (24 * 0.5), rel=0.01)
    page.evaluate("document.querySelector('#sides').click(), 0")
    views = page.evaluate("panels[0].layout().views.map(view => [view.width, view.height])")
    scale = views[0][0] / 10
    expected = [[10, 12], [16, 12], [10, 16]]  # xy, yz, xz in um
    np.testing.assert_allclose(np.array(views) / scale, expected, rtol=1e-6)


def test_the_slider_goes_through_the_planes(page):
    assert texts(page, "output[for=z]") == ["plane 4, 8.00 µm"]
    levels = []
    for plane in (0, 7):
        set_value(page, "#z", plane)
        levels.append(grey_at(page, 0, 0.1, 0.1)[0])
    assert levels[0] + 50 < levels[1]
    assert texts(page, "output[for=z]") == ["plane 7, 14.00 µm"]


def test_contrast_limits_are_values_of_the_image(page):
    low, high = page.evaluate("panels[0].limits()")
    assert (low, high) == (0, pytest.approx(2000, rel=0.02))
    set_value(page, "input[name=white]", 26, panel=0)
    assert page.evaluate("panels[0].limits()")[1] == pytest.approx(204, abs=2)
    assert grey_at(page, 0, 0.1, 0.1) == [255, 255, 255]
    page.evaluate("document.querySelector('#linked').click(), 0")
    first, second = page.evaluate("panels.map(panel => panel.limits())")
    # the other image begins at 1000
    assert second[0] == 1000
    set_value(page, "input[name=white]", 191, panel=0)
    first, second = page.evaluate("panels.map(panel => panel.limits())")
    assert second[1] == pytest.approx(first[1], abs=10)


def test_outlines_surround_the_labels_and_pointing_reads_them(page):
    outlined = grey_at(page, 1, 16.2 / 40, 0.5)
    assert len(set(outlined)) > 1  # in colour
    assert len(set(grey_at(page, 1, 24 / 40, 12 / 24))) == 1  # within the object
    set_value(page, "select[name=outlines]", "", "change", panel=1)
    assert len(set(grey_at(page, 1, 16.2 / 40, 0.5))) == 1
    set_value(page, "select[name=outlines]", "2", "change", panel=1)
    point(page, "mousemove", 24.5 / 40, 12.5 / 24)
    (read,) = texts(page, "#pointed")
    assert read.startswith("z 8.00, y 6.00, x 6.00 µm")
    assert "panel 1: 1" in read or "panel 1: 2" in read or "at least" in read
    assert read.endswith("label 300: 12 µm³, irregular")


def point(page, event, across, down):
    page.evaluate(
        f"""(() => {{ const box = panels[0].canvas.getBoundingClientRect();
        panels[0].canvas.dispatchEvent(new MouseEvent({event!r}, {{
          clientX: box.left + box.width * {across}, clientY: box.top + box.height * {down}}}));
        }})(), 0"""
    )


def test_a_click_moves_all_views(page):
    point(page, "click", 30.5 / 40, 2.5 / 24)
    assert page.evaluate("at") == [4, 2, 30]
    assert texts(page, "#controls .sides output") == ["1.00 µm", "7.50 µm"]


def test_a_method_is_shown_where_it_was_computed(page):
    set_value(page, "select[name=image]", "3", "change", panel=0)
    assert page.evaluate("at[0]") == 5
    assert texts(page, "figure .value")[0] == "computed for planes 5 to 6"
    assert max(grey_at(page, 0, 4 / 40, 0.5)) == 0  # outside the region
    assert min(grey_at(page, 0, 20.5 / 40, 0.5)) > 200


def test_text_of_the_user_is_text_and_nothing_is_requested(page):
    assert page.evaluate("window.hit === undefined")
    assert HOSTILE in texts(page, "select[name=image] option")
    local = ("file:", "data:")
    assert [each for each in page.requested if not each.startswith(local)] == []


def test_panels_can_be_added_and_removed(page):
    for count in (4, 1):
        set_value(page, "#count", str(count), "change")
        assert page.evaluate("document.querySelectorAll('figure canvas').length") == count


def test_a_reduced_stack_has_its_positions(chromium, tmp_path):
    image, labels = stack()
    grid = Grid(SHAPE, 2, 4)
    layers = [
        grey_layer(image, grid, "nuclei", "raw"),
        label_layer(labels, grid, "nuclei", "segmentation"),
    ]
    page = show(chromium, tmp_path, layers, grid)
    assert texts(page, "output[for=z]") == ["plane 5, 10.00 µm"]
    set_value(page, "select[name=outlines]", "1", "change", panel=0)
    point(page, "mousemove", 4.5 / 10, 2.5 / 6)
    (read,) = texts(page, "#pointed")
    # the middle of rows 8 to 11 and of columns 16 to 19
    assert read.startswith("z 10.00, y 4.75, x 4.38 µm")
    assert "label 300" in read
    (facts,) = texts(page, "dl.facts")
    assert "squares of 4 × 4 pixels in x and y are averaged" in facts
    assert "one of every 2 planes is shown" in facts
