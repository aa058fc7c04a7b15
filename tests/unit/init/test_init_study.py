"""The files of a new study, and the rows that are added to an existing one."""

import subprocess
import sys

import numpy as np
import pytest
import tifffile
import yaml
from study import ROOT

from cellstack.errors import InputError
from cellstack.files.stacks import write_stack
from cellstack.init.describe import describe
from cellstack.init.init_study import init_study
from cellstack.init.stacks import Options

SPACING = (1.0, 0.5, 0.4)


def add(images, *names):
    images.mkdir(exist_ok=True)
    for name in names:
        write_stack(images / f"{name}.tif", np.zeros((5, 30, 31), np.uint16), SPACING)


def init(folder, study="study", *, dry_run=False, **options):
    given = Options(**options)
    outcome = init_study(folder / "images", folder / study, ROOT, given, dry_run=dry_run)
    return "\n".join(describe(outcome, folder / study, given, dry_run=dry_run))


def test_all_files_of_a_study_are_written(tmp_path):
    add(tmp_path / "images", "m1_DAPI", "m1_GFP")
    text = init(tmp_path, diameter=7.5)
    study = tmp_path / "study"
    files = [path.relative_to(study) for path in study.rglob("*") if path.is_file()]
    names = ["Snakefile", "config.yaml", "profiles/default/config.yaml", "stacks.csv"]
    assert sorted(map(str, files)) == names
    assert (study / "stacks.csv").read_text().splitlines()[1:] == [
        "m1,nuclei,../images/m1_DAPI.tif,,,,,,,,",
        "m1,GFP,../images/m1_GFP.tif,,,,,,,,",
    ]
    assert yaml.safe_load((study / "config.yaml").read_text()) == {
        "stacks": "stacks.csv",
        "diameter_um": {"nuclei": 7.5},
    }
    profile = "profiles/default/config.yaml"
    assert (study / profile).read_text() == (ROOT / profile).read_text()
    assert f'"{ROOT / "Snakefile"}"' in (study / "Snakefile").read_text()
    assert "m1     nuclei, GFP  5 x 30 x 31  1 x 0.5 x 0.4" in text
    assert "nuclei is DAPI: m1" in text
    assert text.endswith(f"cd {study} && snakemake --cores all")


def test_a_dry_run_writes_nothing(tmp_path):
    add(tmp_path / "images", "a")
    text = init(tmp_path, dry_run=True)
    assert "Nothing was written" in text
    assert not (tmp_path / "study").exists()


def test_images_of_another_place_have_absolute_paths(tmp_path):
    add(tmp_path / "images", "a")
    init(tmp_path, "far/away/study")
    row = (tmp_path / "far/away/study/stacks.csv").read_text().splitlines()[1]
    assert row == f"a,nuclei,{tmp_path}/images/a.tif,,,,,,,,"


def test_a_file_named_after_its_channel_has_the_name_of_its_folder(tmp_path):
    add(tmp_path / "images", "nuclei")
    (tmp_path / "images/nuclei_truth.tif").write_bytes(b"")
    text = init(tmp_path)
    assert text.startswith("1 stack, 1 of them new, in 2 files\n")
    assert "to score the results" in text
    assert (tmp_path / "study/stacks.csv").read_text().splitlines()[1].startswith("images,nuclei,")


@pytest.mark.parametrize(
    ("separator", "end"), [(",", "\n"), (";", "\n"), ("\t", ""), (",", "\r\n")]
)
def test_a_second_run_adds_rows_and_changes_nothing_else(tmp_path, separator, end):
    add(tmp_path / "images", "a")
    init(tmp_path, diameter=8.0)
    assert "--diameter was not used" not in init(tmp_path, diameter=8.0)
    study = tmp_path / "study"
    sheet, config = study / "stacks.csv", study / "config.yaml"
    lines = [line.replace(",", separator) for line in sheet.read_text().splitlines()]
    lines = [f"{lines[0]}{separator}Condition", f"{lines[1]}{separator}control"]
    before = (end or "\n").join(lines) + end
    sheet.write_bytes(before.encode())
    config.write_text("# mine\n")
    add(tmp_path / "images", "b")
    text = init(tmp_path, diameter=9.0)
    empty = separator * 9
    assert sheet.read_bytes().decode() == (
        f"{before}{'' if end else chr(10)}b{separator}nuclei{separator}../images/b.tif{empty}\n"
    )
    assert config.read_text() == "# mine\n"
    assert "2 stacks, 1 of them new" in text
    assert "Kept as they were: config.yaml, Snakefile" in text
    assert "--diameter was not used, because config.yaml has another value" in text
    unchanged = sheet.read_bytes()
    assert "Written to" in init(tmp_path)
    assert sheet.read_bytes() == unchanged


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"stack,channel,image\n", "has no column include"),
        ("stack,channel,image,include\n".encode("utf-16"), "UTF-16"),
        (b"stack,channel,\xff\n", "save it as a table in UTF-8"),
    ],
    ids=["no column", "UTF-16", "no text"],
)
def test_a_sheet_that_cannot_be_extended_is_kept(tmp_path, content, problem):
    add(tmp_path / "images", "a")
    study = tmp_path / "study"
    study.mkdir()
    (study / "stacks.csv").write_bytes(content)
    with pytest.raises(InputError, match=problem):
        init(tmp_path, diameter=100.0)  # larger than the field of view: include is needed
    assert (study / "stacks.csv").read_bytes() == content


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(InputError, match="is not a folder"):
        init(tmp_path)
    (tmp_path / "images").mkdir()
    with pytest.raises(InputError, match="contains no image"):
        init(tmp_path)


def test_what_is_missing_and_what_cannot_be_read_is_named(tmp_path):
    add(tmp_path / "images", "a")
    (tmp_path / "images" / "broken.tif").write_bytes(b"II*\0")
    (tmp_path / "images" / "notes.txt").write_text("notes")
    for number in (1, 2, 4):
        write_stack(tmp_path / f"images/p_z{number}.tif", np.zeros((1, 30, 31), np.uint16), SPACING)
    text = init(tmp_path, diameter=100.0)
    assert "Left out of the run" in text
    assert "100 um, is more than the field of view" in text
    assert "Cannot be read:\n" in text
    assert text.count("images/broken.tif") == 1
    assert "images/p_z*.tif: planes are missing" in text
    assert "not an image (.txt): notes.txt" in text
    assert "no stack can run yet" in text
    again = init(tmp_path, diameter=100.0)  # the rows in the sheet may be complete now
    assert "Left out of the run" not in again
    assert "no stack can run yet" not in again


def test_without_a_diameter_the_next_step_is_to_fill_it_in(tmp_path):
    add(tmp_path / "images", "a")
    assert "fill in the diameter of a nucleus" in init(tmp_path)


@pytest.mark.parametrize(
    ("option", "values"),
    [
        ("--diameter", ["ten"]),
        ("--diameter", ["-3"]),
        ("--cell-diameter", ["inf"]),
        ("--voxel-size", ["1", "0", "1"]),
    ],
)
def test_options_that_are_no_lengths_are_refused(tmp_path, option, values):
    add(tmp_path / "images", "a")
    command = [sys.executable, ROOT / "scripts/init_study.py", "images", "study", option, *values]
    refused = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert refused.returncode == 2
    assert f"argument {option}: " in refused.stderr
    assert "is not a number above 0: give a length in um" in refused.stderr
    assert not (tmp_path / "study").exists()


def test_outside_the_environment_the_command_that_activates_it_is_named(tmp_path):
    # -S: without the installed packages
    command = [sys.executable, "-S", ROOT / "scripts/init_study.py", tmp_path, tmp_path / "study"]
    refused = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert f"source {ROOT}/.venv/bin/activate" in refused.stderr


def test_time_points_of_an_image_are_one_line(tmp_path):
    (tmp_path / "images").mkdir()
    tifffile.imwrite(
        tmp_path / "images/a.tif", np.zeros((3, 5, 30, 31), np.uint16), metadata={"axes": "TZYX"}
    )
    assert "and 2 more time points  nuclei" in init(tmp_path, voxel_size=SPACING)
