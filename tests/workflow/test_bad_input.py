"""What bad input gets: all faults at once before any job, or one failed stack while the others finish."""

import numpy as np
import pytest
import tifffile
from study import SPACING, Study, constant, jobs, write_pair

from cellstack import io


@pytest.fixture
def study(tmp_path):
    return Study(tmp_path)


def faults_of(study):
    process = study.run()
    assert process.returncode != 0
    assert jobs(process) == {}
    assert "Traceback" not in process.stderr
    return process.stderr


def test_all_faults_of_the_sheet_in_one_message(study):
    io.write_stack(study.folder / "good.tif", constant(3), SPACING)
    study.add("a", image="good.tif")
    study.add("a", image="good.tif")
    study.add("b", image="missing.tif", truth="no-truth.tif")
    study.add("../c", image="good.tif")
    study.add("d", image="good.tif", preset="tutoriel")
    study.add("e", image="good.tif", z_um="thick", diameter_um="-3")
    study.add("f", "actin", image="good.tif")
    study.add("g", image="planes/*.tif")
    study.add("h", "cells", image="good.tif")
    study.add("i", image="", use="perhaps", lables="x.tif", volume_um3="3", mouse="7")
    study.add("j", "membrane", image="good.tif")
    message = faults_of(study)
    for expected in (
        "stacks.tsv row 2: stack 'a', channel 'nuclei' stands in row 1 already",
        "stacks.tsv row 3: image 'missing.tif' does not exist",
        "stacks.tsv row 3: truth 'no-truth.tif' does not exist",
        "stacks.tsv row 4.stack: '../c' is not of the right form",
        "stacks.tsv row 5: unknown preset 'tutoriel'; did you mean 'tutorial'?",
        "stacks.tsv row 6.z_um: 'thick' is not of type number",
        "stacks.tsv row 6.diameter_um: -3.0 is not above 0",
        "stacks.tsv: stack 'f' has no row for channel 'nuclei' or 'membrane'",
        "stacks.tsv row 11: no diameter of the cells; fill in diameter_um here or diameter_um.cells in the configuration",
        "stacks.tsv row 8: image 'planes/*.tif' does not exist",
        "stacks.tsv row 9: channel 'cells' is the name of a folder of results",
        "stacks.tsv row 10: image is missing; fill it in",
        "stacks.tsv: column 'lables' is like 'labels'; rename it",
        "stacks.tsv: column 'volume_um3' bears the name of a column of the results; rename it",
        "stacks.tsv row 10.use: 'perhaps' is not of type boolean; give true or false",
    ):
        assert expected in message


def test_all_faults_of_the_configuration_in_one_message(study):
    io.write_stack(study.folder / "good.tif", constant(3), SPACING)
    study.add("a", image="good.tif")
    study.add("b", image="missing.tif")
    study.config |= {
        "diameter_um": {"nuclei": 0, "nucleus": 3},
        "binarise": {},
        "denoise": {"method": "medain", "median": {"radius_um": -1, "radius": 2}},
        "binarize": {"factor": "big"},
        "adjust_contrast": {"steps": ["stretch", {"stretch": {"low": 300}}, "sharpen"]},
        "label_components": {"connectivity": 8},
        "clean_mask": {"fill_holes": {"max_volume_um3": "0.1 d"}},
        "presets": {"mine": {"find_seeds": {"method": "maxima"}}},
    }
    message = faults_of(study)
    for expected in (
        "config: unknown key 'binarise'; did you mean 'binarize'?",
        "config.diameter_um: unknown key 'nucleus'; did you mean 'nuclei'?",
        "config.diameter_um.nuclei: 0 is not above 0; give the typical diameter",
        "config.denoise.method: unknown method 'medain'; did you mean 'median'?",
        "config.denoise.median.radius_um: -1 is not of the right form or range; give a length in um",
        "config.denoise.median: unknown key 'radius'; did you mean 'radius_um'?",
        "config.binarize.factor: 'big' is not of type number",
        "config.adjust_contrast.steps.stretch.low: 300 is above 100",
        "config.adjust_contrast.steps: unknown method 'sharpen'; known: none, stretch",
        "config.label_components.connectivity: 8 is not one of [6, 18, 26]",
        "config.clean_mask.fill_holes.max_volume_um3: '0.1 d' is not of the right form or range; give a volume in um3",
        "config.presets.mine.find_seeds.method: unknown method 'maxima'",
        "stacks.tsv row 2: image 'missing.tif' does not exist",
    ):
        assert expected in message


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00\x01\x80", b"stack\tchannel\n"])
def test_a_sheet_that_is_none(study, content):
    study.write()
    sheet = study.folder / "sheet.tsv"
    if content is not None:
        sheet.write_bytes(content)
    study.config["stacks"] = "sheet.tsv"
    assert "sheet.tsv" in faults_of(study)


def test_a_stack_without_a_diameter_is_named(study):
    io.write_stack(study.folder / "good.tif", constant(3), SPACING)
    study.add("a", image="good.tif")
    del study.config["diameter_um"]
    assert "row 1: no diameter of the nuclei; fill in diameter_um here or diameter_um.nuclei" in faults_of(study)


def test_nothing_to_evaluate_is_said(study):
    io.write_stack(study.folder / "good.tif", constant(3), SPACING)
    study.add("a", image="good.tif")
    process = study.run("evaluate", "--dry-run")
    assert process.returncode != 0
    assert "stacks.tsv: no row names a truth; fill in the column `truth`" in process.stderr + process.stdout


def test_bad_images_fail_alone(study):
    folder = study.folder
    write_pair(folder, "good")
    whole = folder.joinpath("good-nuclei.tif").read_bytes()
    folder.joinpath("truncated.tif").write_bytes(whole[: len(whole) // 2])
    folder.joinpath("text.tif").write_text("this is no image")
    ratio = np.linspace(0, 1, 6 * 40 * 40, dtype=np.float32).reshape(6, 40, 40)
    for name, value in (("nan", np.nan), ("inf", np.inf)):
        stack = ratio.copy()
        stack[2, 3, 4] = value
        io.write_stack(folder / f"{name}.tif", stack, SPACING)
    tifffile.imwrite(folder / "unknown.tif", constant(5), photometric="minisblack")
    tifffile.imwrite(folder / "signed.tif", constant(5, dtype=np.int16), photometric="minisblack")
    (folder / "planes").mkdir()
    for number, size in enumerate((40, 40, 41)):
        tifffile.imwrite(folder / "planes" / f"p{number}.tif", constant(1, (40, size)))
    um = {"z_um": 1, "y_um": 0.4, "x_um": 0.4}
    study.add("good", image="good-nuclei.tif")
    study.add("truncated", image="truncated.tif")
    study.add("text", image="text.tif", **um)
    study.add("nan", image="nan.tif")
    study.add("inf", image="inf.tif")
    study.add("unknown", image="unknown.tif")
    study.add("signed", image="signed.tif", **um)
    study.add("uneven", image="planes", **um)
    study.add("lacking", image="good-nuclei.tif", index="3")
    study.add("contrary", image="good-nuclei.tif", z_um="3")
    process = study.run("results/good/nuclei/objects.csv", *(f"results/{row['stack']}/nuclei/raw.tif" for row in study.rows[1:]), cores=2)
    assert process.returncode != 0
    assert "Traceback" not in process.stderr
    lines = process.stderr.splitlines()
    words = {
        "truncated": ("truncated.tif",),
        "text": ("text.tif",),
        "nan": ("nan.tif",),
        "inf": ("inf.tif",),
        "unknown": ("unknown.tif", "z_um"),
        "signed": ("signed.tif", "int16"),
        "uneven": ("p2.tif", "41"),
        "lacking": ("good-nuclei.tif", "3"),
        "contrary": ("good-nuclei.tif", "z_um"),
    }
    for stack, expected in words.items():
        said = [line for line in lines if line.startswith(f"import_stack {stack} nuclei: ")]
        assert len(said) == 1, stack
        assert all(word in said[0] for word in expected), said
        log = (folder / "logs" / stack / "nuclei" / "import_stack.log").read_text()
        assert "Traceback" in log
        assert not study.result(stack).exists() or not any(path.is_file() for path in study.result(stack).rglob("*"))
    assert study.result("good", "nuclei", "objects.csv").exists()
