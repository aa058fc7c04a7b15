import re

from gallery_cases import panels_of, stages, view
from pages import Reader
from study import DIAMETER_UM, SPACING

from cellstack import __version__
from cellstack.gallery.compare_morphology import compare_morphology
from cellstack.gallery.write_gallery import write_gallery


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
        f"<footer>cellstack {__version__}</footer>",
    ):
        assert part in text
    snippet = r"clean_mask:\n  steps:\n  - erosion: \{shape: ball, radius_um: 0.08 d\}\n"
    assert re.search(f"<pre><code>{snippet}</code></pre>", text)
    assert "preset" not in write(preset="default").split("<nav")[0].split("</dl>")[1]
