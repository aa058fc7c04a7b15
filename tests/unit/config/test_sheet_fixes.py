"""Each message about the sheet names a fix, and applying it makes the sheet valid."""

import subprocess
import sys

import pytest
import yaml
from study import ROOT

from cellstack.config import sheet

SCHEMA = yaml.safe_load(
    (ROOT / "config" / "schemas" / "stacks.schema.yaml").read_text(encoding="utf-8")
)
SHEET = "stack,channel,image\na,nuclei,x.tif\n"


def errors_of(path):
    rows, errors = sheet.read_sheet(str(path), SCHEMA)
    return errors or sheet.find_errors(
        rows,
        SCHEMA,
        where="stacks.csv",
        presets={"default", "tutorial"},
        diameters={"nuclei": 10},
        objects=["nuclei", "cells"],
        made={"x.tif", "labels.tif"},
    )


def with_column(column, cell):
    return f"stack,channel,image,{column}\na,nuclei,x.tif,{cell}\n"


CASES = {  # the text of the message, a sheet with the error, and the sheet after the fix
    "a row twice": (
        "remove one of the two rows",
        SHEET + "a,nuclei,x.tif\n",
        SHEET,
    ),
    "the same folder": (
        "write them the same way, or choose another name",
        SHEET + "A,nuclei,x.tif\n",
        SHEET + "b,nuclei,x.tif\n",
    ),
    "a folder of results": (
        "is the name of a folder of results; choose another name",
        SHEET + "a,cells,x.tif\n",
        SHEET + "a,cell,x.tif\n",
    ),
    "a name": (
        "give letters, digits, hyphens and underscores",
        SHEET.replace("a,", "a b,"),
        SHEET.replace("a,", "a-b,"),
    ),
    "another voxel size": (
        "z_um is 0.4, but 0.5 in row 2 of the same stack",
        "stack,channel,image,z_um\na,nuclei,x.tif,0.5\na,membrane,x.tif,0.4\n",
        "stack,channel,image,z_um\na,nuclei,x.tif,0.5\na,membrane,x.tif,0.5\n",
    ),
    "another voxel size, of a channel that a preset downsamples": (
        "or import the finer channel with a preset that sets import_stack.downsample",
        "stack,channel,image,z_um\na,nuclei,x.tif,0.5\na,membrane,x.tif,0.25\n",
        "stack,channel,image,z_um,preset\na,nuclei,x.tif,0.5,\na,membrane,x.tif,0.25,tutorial\n",
    ),
    "a voxel size in another unit": (
        "give the voxel size in um in the column 'z_um', or rename it",
        with_column("z_nm", 500),
        with_column("z_um", 0.5),
    ),
    "a voxel size under another name": (
        "give the voxel size in um in the column 'z_um', or rename it",
        with_column("Z-step (µm)", 0.5),
        with_column("z_um", 0.5),
    ),
    "a pixel size": (
        "give the voxel size in um in the columns 'y_um', 'x_um', or rename it",
        with_column("pixel_size", 0.5),
        "stack,channel,image,y_um,x_um\na,nuclei,x.tif,0.5,0.5\n",
    ),
    "a diameter under another name": (
        "give the diameter in um in the column 'diameter_um', or rename it",
        with_column("Nucleus diameter", 7),
        with_column("diameter_um", 7),
    ),
    "rows to be left out under another name": (
        "to leave rows out, give false in the column 'include', or rename it",
        with_column("exclude", "") + "b,nuclei,x.tif,yes\n",
        with_column("include", "") + "b,nuclei,x.tif,false\n",
    ),
    "a column without a name": (
        "column 4 has no name in the header, but 'control' in row 2; name it, or delete its cells",
        with_column("", "control"),
        with_column("condition", "control"),
    ),
    "no image": ("image is missing; fill it in", SHEET.replace("x.tif", ""), SHEET),
    "a lost image": (
        "correct the path, which is relative to the working directory",
        SHEET.replace("x.tif", "y.tif"),
        SHEET,
    ),
    "an unknown preset": (
        "did you mean 'tutorial'?",
        with_column("preset", "tutoriel"),
        with_column("preset", "tutorial"),
    ),
    "no number": (
        "is not a number; give a voxel size in um, above 0",
        with_column("z_um", "thick"),
        with_column("z_um", "0.5"),
    ),
    "no time": (
        "give the time point of the file, as a number from 0",
        with_column("time", "first"),
        with_column("time", "0"),
    ),
    "thousands": (
        "give a voxel size in um, above 0",
        with_column("z_um", '"1,234"'),
        with_column("z_um", "1.234"),
    ),
    "include": (
        "give `true` to use the row, or `false` to leave it out",
        with_column("include", "perhaps"),
        with_column("include", "true"),
    ),
    "no diameter": (
        "fill in diameter_um here",
        with_column("diameter_um", "") + "b,membrane,x.tif,\n",
        with_column("diameter_um", "") + "b,membrane,x.tif,9\n",
    ),
    "auto for cells": (
        "fill in a number of um",
        with_column("diameter_um", "") + "b,membrane,x.tif,auto\n",
        with_column("diameter_um", "") + "b,membrane,x.tif,9\n",
    ),
    "no channel to segment": (
        "add one, or set `include` to false",
        with_column("include", "") + "b,actin,x.tif,\n",
        with_column("include", "") + "b,actin,x.tif,false\n",
    ),
    "no rows": ("add rows with stack, channel and image", "stack,channel,image\n", SHEET),
    "a misspelt column": (
        "column 'lables' resembles 'labels'; rename it to 'labels'",
        with_column("lables", "labels.tif"),
        with_column("labels", "labels.tif"),
    ),
    "a former column": (
        "column 'truth' was renamed; use 'ground_truth'",
        with_column("truth", "labels.tif"),
        with_column("ground_truth", "labels.tif"),
    ),
    "a column of the results": (
        "has the name of a column of the results; rename it",
        with_column("volume_um3", "1"),
        with_column("expected", "1"),
    ),
    "a column twice": (
        "occurs 2 times; remove all but one",
        "stack,channel,image,image\na,nuclei,x.tif,x.tif\n",
        SHEET,
    ),
    "a column twice but for capitals": (
        "have the same name; remove all but one",
        "stack,channel,image,Image\na,nuclei,x.tif,x.tif\n",
        SHEET,
    ),
    "surplus cells": (
        "remove the surplus cells, or quote cells that contain the separator",
        with_column("remark", "dim, old"),
        with_column("remark", '"dim, old"'),
    ),
    "a title": (
        "add what is missing, or remove the lines above the header",
        "my stacks\n" + SHEET,
        SHEET,
    ),
    "remote labels": (
        "is an address, which only `image` can be; download it, and give its folder",
        with_column("labels", "https://example.org/labels.zarr"),
        with_column("labels", "labels.tif"),
    ),
    "a secret": (
        "download the image, and give its folder",
        SHEET.replace("x.tif", "https://example.org/x.zarr?token=1"),
        SHEET,
    ),
    "an encoding": (
        "save it in UTF-8, as .csv separated by commas, or as .tsv separated by tabs",
        with_column("remark", "µ").encode("latin-1"),
        with_column("remark", "µ"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_fix_in_a_message_works(tmp_path, monkeypatch, case):
    monkeypatch.chdir(tmp_path)
    expected, before, after = CASES[case]
    path = tmp_path / "stacks.csv"
    path.write_bytes(before if isinstance(before, bytes) else before.encode())
    (message,) = errors_of(path)
    assert expected in message
    path.write_text(after, encoding="utf-8")
    assert errors_of(path) == []


def test_an_absolute_path_is_not_called_relative(tmp_path):
    path = tmp_path / "stacks.csv"
    path.write_text(SHEET.replace("x.tif", "/nowhere/x.tif"), encoding="utf-8")
    (message,) = errors_of(path)
    assert message.endswith("image '/nowhere/x.tif' does not exist; correct the path")


def test_a_sheet_is_read_when_its_path_is_corrected(tmp_path):
    (message,) = errors_of(tmp_path / "none.csv")
    assert "does not exist; correct the path" in message
    (tmp_path / "stacks.csv").write_text(SHEET, encoding="utf-8")
    assert errors_of(tmp_path / "stacks.csv") == []


def test_a_workbook_is_read_when_openpyxl_is_installed_or_as_csv(tmp_path, monkeypatch):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for line in SHEET.splitlines():
        book.active.append(line.split(","))
    book.save(tmp_path / "stacks.xlsx")
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "openpyxl", None)
        (message,) = errors_of(tmp_path / "stacks.xlsx")
    assert "install it with `python -m pip install openpyxl`, or save the table as .csv" in message
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-index", "openpyxl"]
    subprocess.run(command, check=True, capture_output=True)
    assert errors_of(tmp_path / "stacks.xlsx") == []
    (tmp_path / "stacks.csv").write_text(SHEET, encoding="utf-8")
    assert errors_of(tmp_path / "stacks.csv") == []


@pytest.mark.parametrize("cell", [r"images\a.tif", "'images/a.tif'", r'"""images\a.tif"""'])
def test_a_path_with_backslashes_or_quotation_marks_is_suggested_without(
    tmp_path, monkeypatch, cell
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.tif").touch()
    path = tmp_path / "stacks.csv"
    path.write_text(SHEET.replace("x.tif", cell), encoding="utf-8")
    (message,) = errors_of(path)
    meant = message.partition("write ")[2].partition(", without")[0]
    path.write_text(SHEET.replace("x.tif", meant), encoding="utf-8")
    assert errors_of(path) == []


@pytest.mark.parametrize(
    ("stored", "cell"),
    [
        ("a b.tif", "a%20b.tif"),
        ("a b.tif", "file://{folder}/a%20b.tif"),
        ("a.tif", "$FOLDER/a.tif"),
        ("a.tif", "~/a.tif"),
        ("a.tif", "a.TIF"),
        ("A.tif", "a.tif"),
        ("gr\u00f6\u00dfe.tif", "gro\u0308\u00dfe.tif"),
        ("gro\u0308\u00dfe.tif", "gr\u00f6\u00dfe.tif"),
    ],
)
def test_the_path_that_is_meant_is_suggested(tmp_path, monkeypatch, stored, cell):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("FOLDER", str(tmp_path))
    (tmp_path / stored).touch()
    path = tmp_path / "stacks.csv"
    sheet._names_in.cache_clear()
    path.write_text(SHEET.replace("x.tif", cell.format(folder=tmp_path)), encoding="utf-8")
    (message,) = errors_of(path)
    meant = message.partition("does not exist; write ")[2].partition(" (")[0]
    assert ("accents" in message) == ("\u0308" in cell + stored)
    path.write_text(SHEET.replace("x.tif", meant), encoding="utf-8")
    assert errors_of(path) == []


def test_a_damaged_workbook_is_saved_again(tmp_path):
    pytest.importorskip("openpyxl")
    (tmp_path / "stacks.xlsx").write_bytes(b"PK")
    (message,) = errors_of(tmp_path / "stacks.xlsx")
    assert "cannot be read as an Excel workbook (" in message
    assert "save it in a spreadsheet, or save the table as .csv" in message
