import re

import pytest
import yaml
from gallery_cases import panels_of, stages, view
from pages import SOFTWARE, Reader
from study import DIAMETER_UM, SPACING

from cellstack import __version__
from cellstack.gallery.compare_morphology import compare_morphology
from cellstack.gallery.write_gallery import (
    MEDIUM_WIDTH,
    WIDE_WIDTH,
    as_yaml,
    write_gallery,
)

HOSTILE = """<b>&amp;"'</code>"""


def write(**changes):
    panels = panels_of("morphology", "erosion")
    images = stages()["contrast"], stages()["mask"]
    sections = {
        "morphology": compare_morphology(*images, SPACING, view(), [], panels),
        "shapes": {"title": "Shapes", "text": "a < b", "panels": []},
    }
    options = {
        "stack": "a-stack",
        "note": "simulated data",
        "diameter_um": DIAMETER_UM,
        "preset": "tutorial",
    }
    return write_gallery(sections, view(), **options | changes)


def test_page_is_complete_and_refers_to_no_other_file():
    text = write()
    reader = Reader(text)
    assert "://" not in text
    assert all(link.startswith(("data:", "#")) for link in reader.links)
    anchors = [link[1:] for link in reader.links if link.startswith("#")]
    assert anchors == reader.ids == ["morphology", "shapes"]
    assert all(attributes["alt"] for attributes in reader.attributes_of("img"))


def test_page_shows_what_was_given():
    text = write()
    for part in (
        "simulated data",
        "0.08 d = 0.64 µm",
        "a &lt; b",
        "no objects",
        "<code>tutorial</code>",
        "96 × 96 × 16 voxels",
        "the whole stack",
        f"<footer>cellstack {__version__}",
    ):
        assert part in text
    snippet = r"clean_mask:\n  steps:\n  - erosion: \{shape: ball, radius_um: 0.08 d\}\n"
    assert re.search(f"<pre><code>{snippet}</code></pre>", text)
    assert "preset" not in write(preset="default").split("<nav")[0].split("</dl>")[1]


def test_the_footer_lists_versions_and_images():
    image = {"stack": "a", "channel": "nuclei", "image": HOSTILE, "sha256": None}
    reader = Reader(write(provenance=SOFTWARE | {"images": [image]}))
    assert HOSTILE in reader.texts
    assert any("Python 3.99.1, numpy 9.8.7" in text for text in reader.texts)
    assert any(f"commit {SOFTWARE['commit']}" in text for text in reader.texts)


def panel(**changes):
    drawn = {"title": "a", "snippet": None, "is_own": False, "png": "QUJD", "width": 480}
    return drawn | {"alt": "b", "caption": ""} | changes


def page_of(*panels, text="c", view_changes=(), **changes):
    sections = {"seeds": {"title": "Seeds", "text": text, "panels": list(panels)}}
    options = {"stack": "a-stack", "note": "", "diameter_um": 8, "preset": "default"} | changes
    return write_gallery(sections, view() | dict(view_changes), **options)


def test_text_of_the_user_is_escaped():
    """A name of a preset, a path, a method or a note is text, whatever it contains."""
    snippet = {"find_seeds": {"points": {"path": HOSTILE}}}
    drawn = panel(title=HOSTILE, snippet=snippet, caption=HOSTILE, alt=HOSTILE)
    text = page_of(drawn, text=HOSTILE, stack=HOSTILE, note=HOSTILE, preset=HOSTILE)
    assert "<b>" not in text
    reader = Reader(text)
    assert reader.attributes_of("img")[0]["alt"] == HOSTILE
    # browser title, heading, note, preset (twice), text, title and caption of the panel
    assert sum(each.count(HOSTILE) for each in reader.texts) == 9
    assert [yaml.safe_load(each) for each in reader.texts if "find_seeds" in each] == [snippet]
    assert f"{HOSTILE}: gallery" in reader.texts
    assert f"Gallery of {HOSTILE}" in reader.texts


def test_titles_of_sections_are_escaped():
    sections = {"seeds": {"title": HOSTILE, "text": "", "panels": []}}
    options = {"stack": "s", "note": "", "diameter_um": 8, "preset": "default"}
    reader = Reader(write_gallery(sections, view(), **options))
    assert reader.texts.count(HOSTILE) == 2  # of the link and of the section


def test_a_note_is_an_alert_and_no_note_is_none():
    assert '<p class="alert">simulated</p>' in page_of(panel(), note="simulated")
    assert 'class="alert"' not in page_of(panel())


def test_a_region_is_described_along_x_y_and_z():
    part = {
        "region": [[2, 7], [10, 40], [20, 80]],
        "shape": [16, 96, 120],
        "spacing": [1.3, 0.5, 0.35],
        "plane": 3,
        "row": 17,
    }
    text = page_of(panel(), view_changes=part, diameter_um=7.5)
    assert "120 × 96 × 16 voxels of 0.35 × 0.5 × 1.3 µm (x, y, z): 42 × 48 × 20.8 µm" in text
    assert (
        "21 × 15 × 6.5 µm (x, y, z) of the stack: voxels x 20 to 79, y 10 to 39, z 2 to 6. " in text
    )
    assert "plane 3, counted from 0; profile along row 17." in text
    assert "<dt>Diameter</dt><dd>7.5 µm</dd>" in text


@pytest.mark.parametrize(
    ("width", "grid", "figure"),
    [
        (MEDIUM_WIDTH, "panels", None),
        (MEDIUM_WIDTH + 1, "panels medium", None),
        (WIDE_WIDTH, "panels medium", None),
        (WIDE_WIDTH + 1, "panels", "full"),
    ],
)
def test_wide_pictures_get_more_room(width, grid, figure):
    reader = Reader(page_of(panel(), panel(width=width)))
    assert reader.attributes_of("div")[0]["class"] == grid
    assert [each.get("class") for each in reader.attributes_of("figure")] == [None, figure]


def test_the_panel_with_the_settings_of_the_stack_is_marked():
    reader = Reader(page_of(panel(), panel(is_own=True), panel()))
    assert reader.texts.count("your settings") == 1


def test_a_panel_without_picture_has_its_caption_only():
    reader = Reader(page_of(panel(png=None, caption="No picture: too large")))
    assert reader.attributes_of("img") == []
    assert "No picture: too large" in reader.texts
    assert len(Reader(page_of(panel())).attributes_of("p")) == 2  # how to, and the text


def test_sizes_are_listed_in_um_and_um3():
    steps = [{"a": {"radius_um": "0.5 d", "names": ["x"]}}, {"b": {"max_volume_um3": "0.1 v"}}]
    text = page_of(panel(snippet={"clean_mask": {"steps": steps, "factor": 0.9}}), diameter_um=10)
    assert "<p>0.5 d = 5 µm, 0.1 v = 52.3599 µm³</p>" in text
    assert "<p>0" not in page_of(panel(snippet={"binarize": {"factor": 0.9}}))


def test_snippets_have_the_order_of_the_settings_and_long_lines_and_letters_stay():
    snippet = {"find_seeds": {"method": "points", "a": "µ", "points": {"path": "x " * 200}}}
    written = as_yaml(snippet)
    assert yaml.safe_load(written) == snippet
    assert [line.strip().split(":")[0] for line in written.splitlines()] == [
        "find_seeds",
        "method",
        "a",
        "points",
    ]
    assert "µ" in written


def test_a_section_can_have_a_table():
    row = {"stage": "a", "f1": 2 / 3, "count": 12, "failure": None, "configuration": None}
    rows = [row, row | {"stage": "<b>", "configuration": "x: 1\ny: 2", "f1": None}]
    section = {"title": "Labels", "text": "t", "panels": [], "table": rows}
    sections = {"labels": section}
    text = write_gallery(
        sections, view(), stack="s", note="", diameter_um=DIAMETER_UM, preset="default"
    )
    assert "<th>stage</th><th>f1</th><th>count</th><th>configuration</th>" in text
    assert '<tr><td class="text">a</td><td>0.667</td><td>12</td><td class="text"></td></tr>' in text
    assert '<td class="text">&lt;b&gt;</td>' in text
    assert '<td class="text">x: 1<br>y: 2</td>' in text
    assert "There are no objects to show." not in text
