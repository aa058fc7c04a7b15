"""What a PDF file of a figure contains, read from its objects."""

import os
import re
import subprocess
import sys
import zlib

import numpy as np
import pytest
from study import ROOT

from cellstack.figures import drawing, pdf, png
from cellstack.figures.saving import save

DRAW = """
import sys
sys.path.insert(0, sys.argv[1])
from cellstack.figures import drawing, pdf
figure = drawing.new_figure(300, 200)
drawing.add_text(figure, 10, 10, "volume in µm³, $5, Übersicht")
pdf.save(figure, sys.argv[2])
"""


@pytest.fixture
def figure():
    with drawing.default_style():
        figure = drawing.new_figure(600, 300)
        drawing.add_text(figure, 10, 10, "two nuclei, 5 µm³")
        axes = drawing.add_panel(figure, 10, 40, drawing.image_extent((20, 30), (1, 1)), 8)
        drawing.show_image(axes, np.arange(600).reshape(20, 30), (0, 600))
        axes.plot([2, 25], [3, 17], color="red")
    return figure


def streams_of(content):
    """Return the dictionary and the unpacked content of each stream of a PDF file."""
    found = re.findall(rb"<<((?:(?!endobj).)*?)>>\s*stream\n(.*?)\nendstream", content, re.DOTALL)
    return [
        (head, zlib.decompress(data) if b"FlateDecode" in head else data) for head, data in found
    ]


def test_text_is_text_lines_are_lines_and_images_are_pixels(figure, tmp_path):
    pdf.save(figure, tmp_path / "a.pdf")
    content = (tmp_path / "a.pdf").read_bytes()
    assert content.startswith(b"%PDF-1.4")
    assert b"/FontFile2" in content and b"/Subtype /Type3" not in content  # TrueType
    page = next(data for _, data in streams_of(content) if b" Tf" in data)
    assert page.count(b"BT") >= 1  # a block of text
    assert re.search(rb"\d l\n", page)  # a line
    (image,) = [head for head, _ in streams_of(content) if b"/Image" in head]
    width, height = (
        int(re.search(rb"/%b (\d+)" % name, image)[1]) for name in (b"Width", b"Height")
    )
    factor = pdf.IMAGE_DPI / drawing.DPI
    assert (width, height) == pytest.approx((240 * factor, 160 * factor), abs=2)
    box = re.search(rb"/MediaBox \[ 0 0 (\S+) (\S+) \]", content)
    assert [float(side) for side in box.groups()] == pytest.approx(
        [600 * drawing.PIXEL, 300 * drawing.PIXEL]
    )


@pytest.mark.slow
def test_same_bytes_in_another_process_on_another_day(tmp_path):
    for name, seed, day in (("one", "1", "1000000000"), ("two", "2", "1700000000")):
        environment = os.environ | {"PYTHONHASHSEED": seed, "SOURCE_DATE_EPOCH": day}
        words = [sys.executable, "-c", DRAW, str(ROOT / "scripts"), str(tmp_path / f"{name}.pdf")]
        subprocess.run(words, env=environment, check=True)
    one, two = ((tmp_path / f"{name}.pdf").read_bytes() for name in ("one", "two"))
    assert one == two
    assert b"Date" not in one


def test_log_of_a_job_has_no_lines_about_fonts(figure, tmp_path, caplog):
    with caplog.at_level("INFO"):
        pdf.save(figure, tmp_path / "a.pdf")
    assert caplog.text == ""


def test_png_after_pdf_is_the_same(figure, tmp_path):
    before = png.to_png(figure)
    save(figure, tmp_path / "a.pdf")
    save(figure, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes() == before
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
