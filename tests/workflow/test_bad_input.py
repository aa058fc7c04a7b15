"""Bad input: all errors at once before any job, or one stack that fails while others finish."""

import os

import numpy as np
import pytest
import tifffile
from study import SPACING, Study, constant, jobs, write_pair

from cellstack.files.stacks import write_stack


@pytest.fixture
def study(tmp_path):
    study = Study(tmp_path)
    write_stack(study.folder / "good.tif", constant(3), SPACING)
    return study


def errors_of(study):
    """Run a study that must be refused before any job, and return the message."""
    process = study.run()
    assert process.returncode != 0
    assert jobs(process) == {}
    assert "Traceback" not in process.stderr
    return process.stderr


def test_all_errors_in_the_sheet_are_in_one_message(study):
    study.add("a", image="good.tif")
    study.add("a", image="good.tif")
    study.add("b", image="missing.tif", ground_truth="no-truth.tif")
    study.add("../c", image="good.tif")
    study.add("d", image="good.tif", preset="tutoriel")
    study.add("e", image="good.tif", z_um="thick", diameter_um="-3")
    study.add("f", "actin", image="good.tif")
    study.add("g", image="planes/*.tif")
    study.add("h", "cells", image="good.tif")
    study.add("i", image="", include="perhaps", lables="x.tif", volume_um3="3", mouse="7")
    study.add("j", "membrane", image="good.tif", truth="good.tif")
    message = errors_of(study)
    assert "errors in the configuration or the sheet:" in message
    for expected in (
        "stacks.tsv row 3: stack 'a', channel 'nuclei' is already in row 2",
        "stacks.tsv row 4: image 'missing.tif' does not exist",
        "stacks.tsv row 4: ground_truth 'no-truth.tif' does not exist",
        "stacks.tsv row 5.stack: '../c' has the wrong format",
        "stacks.tsv row 6: unknown preset 'tutoriel'; did you mean 'tutorial'?",
        "stacks.tsv row 7.z_um: 'thick' is not a number",
        "stacks.tsv row 7.diameter_um: -3.0 is not above 0",
        "stacks.tsv: stack 'f' has no row for channel 'nuclei' or 'membrane'",
        "stacks.tsv row 12: no diameter of the cells; fill in diameter_um here or "
        "diameter_um.cells in the configuration",
        "stacks.tsv row 9: image 'planes/*.tif' does not exist",
        "stacks.tsv row 10: channel 'cells' is the name of a folder of results",
        "stacks.tsv row 11: image is missing; fill it in",
        "stacks.tsv: column 'lables' resembles 'labels'; rename it",
        "stacks.tsv: column 'volume_um3' has the name of a column of the results; rename it",
        "stacks.tsv: column 'truth' was renamed; use 'ground_truth'",
        "stacks.tsv row 11.include: 'perhaps' is not true or false; give `true` to use the row",
    ):
        assert expected in message


def test_all_errors_in_the_configuration_are_in_one_message(study):
    study.add("a", image="good.tif")
    study.add("b", image="missing.tif")
    study.config |= {
        "diameter_um": {"nuclei": 0, "nucleus": 3},
        "binarise": {},
        "denoise": {"method": "medain", "median": {"radius_um": -1, "radius": 2}},
        "binarize": {"factor": "big", "method": "half_height"},
        "adjust_contrast": {
            "steps": ["percentile_stretch", {"percentile_stretch": {"low": 300}}, "sharpen"]
        },
        "label_components": {"connectivity": 8},
        "clean_mask": {"fill_holes": {"max_volume_um3": "0.1 d"}},
        "presets": {"mine": {"find_seeds": {"method": "maxima"}}},
    }
    message = errors_of(study)
    for expected in (
        "config: unknown key 'binarise'; did you mean 'binarize'?",
        "config.diameter_um: unknown key 'nucleus'; did you mean 'nuclei'?",
        "config.diameter_um.nuclei: 0 is not above 0; give the typical diameter",
        "config.denoise.method: unknown method 'medain'; did you mean 'median'?",
        "config.denoise.median.radius_um: -1 has the wrong format or is out of range; "
        "give a length in um",
        "config.denoise.median: unknown key 'radius'; did you mean 'radius_um'?",
        "config.binarize.factor: 'big' is not a number",
        "config.binarize.method: 'half_height' was renamed; use 'per_object'",
        "config.adjust_contrast.steps.percentile_stretch.low: 300 is above 100",
        "config.adjust_contrast.steps: unknown method 'sharpen'; known: none, percentile_stretch",
        "config.label_components.connectivity: 8 is not one of [6, 18, 26]",
        "config.clean_mask.fill_holes.max_volume_um3: '0.1 d' has the wrong format or is out of "
        "range; give a volume in um3",
        "config.presets.mine.find_seeds.method: unknown method 'maxima'",
        "stacks.tsv row 3: image 'missing.tif' does not exist",
    ):
        assert expected in message


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00\x01\x80", b"stack\tchannel\n"])
def test_a_sheet_that_cannot_be_used(study, content):
    study.write()
    sheet = study.folder / "sheet.tsv"
    if content is not None:
        sheet.write_bytes(content)
    study.config["stacks"] = "sheet.tsv"
    assert "sheet.tsv" in errors_of(study)


def test_a_stack_without_a_diameter(study):
    study.add("a", image="good.tif")
    del study.config["diameter_um"]
    expected = "row 2: no diameter of the nuclei; fill in diameter_um here or diameter_um.nuclei"
    assert expected in errors_of(study)


def test_nothing_to_evaluate(study):
    study.add("a", image="good.tif")
    process = study.run("evaluate", "--dry-run")
    assert process.returncode != 0
    expected = "stacks.tsv: no row names a ground truth; fill in the column `ground_truth`"
    assert expected in process.stderr + process.stdout


def write_bad_images(folder):
    """Write images that cannot be imported."""
    complete = (folder / "colony-nuclei.tif").read_bytes()
    (folder / "truncated.tif").write_bytes(complete[: len(complete) // 2])
    (folder / "text.tif").write_text("this is not an image")
    os.mkfifo(folder / "pipe.tif")
    declared = 'SizeX="8" SizeY="8" SizeC="1" SizeT="1" SizeZ="1000000000" DimensionOrder="XYZCT"'
    text = f"<OME><Image><Pixels {declared}><TiffData/></Pixels></Image></OME>"
    stack = np.zeros((8, 8), np.uint8)
    tifffile.imwrite(folder / "planes.tif", stack, description=text, metadata=None)
    ramp = np.linspace(0, 1, 6 * 40 * 40, dtype=np.float32).reshape(6, 40, 40)
    for name, value in (("nan", np.nan), ("inf", np.inf)):
        stack = ramp.copy()
        stack[2, 3, 4] = value
        write_stack(folder / f"{name}.tif", stack, SPACING)
    tifffile.imwrite(folder / "no-spacing.tif", constant(5), photometric="minisblack")
    (folder / "planes").mkdir()
    for number, size in enumerate((40, 40, 41)):
        tifffile.imwrite(folder / "planes" / f"p{number}.tif", constant(1, (40, size)))


def test_only_stacks_with_bad_images_fail(study):
    write_pair(study.folder, "colony")
    write_bad_images(study.folder)
    um = {"z_um": 1, "y_um": 0.4, "x_um": 0.4}
    study.add("good", image="colony-nuclei.tif")
    study.add("truncated", image="truncated.tif")
    study.add("text", image="text.tif", **um)
    study.add("pipe", image="pipe.tif", **um)
    study.add("many-planes", image="planes.tif", **um)
    study.add("nan", image="nan.tif")
    study.add("inf", image="inf.tif")
    study.add("no-spacing", image="no-spacing.tif")
    study.add("uneven", image="planes", **um)
    study.add("no-such-channel", image="colony-nuclei.tif", channel_index="3")
    study.add("other-spacing", image="colony-nuclei.tif", z_um="3")
    bad = [row["stack"] for row in study.rows[1:]]
    imported = [f"results/{stack}/channels/nuclei/raw.tif" for stack in bad]
    process = study.run("results/good/nuclei/objects.csv", *imported, cores=2)
    assert process.returncode != 0
    assert "Traceback" not in process.stderr
    words = {
        "truncated": ("truncated.tif",),
        "text": ("text.tif",),
        "pipe": ("pipe.tif", "is a pipe"),
        "many-planes": ("planes.tif", "1000000000"),
        "nan": ("nan.tif",),
        "inf": ("inf.tif",),
        "no-spacing": ("no-spacing.tif", "z_um"),
        "uneven": ("p2.tif", "41"),
        "no-such-channel": ("colony-nuclei.tif", "3"),
        "other-spacing": ("colony-nuclei.tif", "z_um"),
    }
    assert list(words) == bad
    lines = process.stderr.splitlines()
    for stack, expected in words.items():
        # a line can begin with that of another job, since two of them run at a time
        messages = [line for line in lines if f"import_stack {stack} nuclei: " in line]
        assert len(messages) == 1, (stack, process.stderr)
        assert all(word in messages[0] for word in expected), messages
        log = study.log(stack, "channels", "nuclei", "import_stack.log").read_text()
        assert "Traceback" in log
        assert [path for path in study.result(stack).rglob("*") if path.is_file()] == []
    assert study.result("good", "nuclei", "objects.csv").exists()
