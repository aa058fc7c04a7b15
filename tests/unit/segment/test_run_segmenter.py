"""Another program as a segmenter: its command, its end, and the labels that it writes."""

import logging
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from study import SPACING

import run_segmenter as script
from cellstack.errors import InputError
from cellstack.files.stacks import read_stack, write_stack
from cellstack.segment.run_segmenter import METHODS, placeholders, run_program

VALUES = placeholders("in put.tif", "/tmp/out put.tif", (0.5, 0.2, 0.25), 8.0, 2)
STACK = np.arange(240, dtype="uint16").reshape(6, 5, 8)


def words(command, files=()):
    return METHODS["command"](VALUES, command=command, files=list(files))


def test_placeholders_are_filled_in_word_by_word():
    assert words("run --in={image} '{output}' {spacing_z},{spacing_x} $HOME *.tif {{}}") == [
        "run",
        "--in=in put.tif",
        "/tmp/out put.tif",
        "0.5,0.25",
        "$HOME",
        "*.tif",
        "{}",
    ]
    filled = words("'my program' {output} {spacing} {diameter} {threads}")
    assert filled == ["my program", "/tmp/out put.tif", "0.5,0.2,0.25", "8", "2"]
    assert placeholders("a", "b", SPACING, None, 1)["diameter"] == ""


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("", "run_segmenter.command.command is empty; give the command"),
        ("run 'a", "no closing quotation; quote words as for a shell"),
        ("run {output} {model}", "'{model}' has an unknown placeholder; known: {image}, {output}"),
        ("run {output} {image.x}", "has an unknown placeholder"),
        ("run {output} {", "has an unknown placeholder"),
        ("run {image}", "does not contain {output}; add it where the program takes the file"),
    ],
)
def test_errors_of_a_command(command, message):
    with pytest.raises(InputError) as error:
        words(command)
    assert message in str(error.value)


def test_files_must_exist():
    with pytest.raises(InputError, match=r"'model\.pt' does not exist; correct the path"):
        words("run {output}", ["model.pt"])


PROGRAM = """
import sys, time, tifffile, numpy as np
image, output, what = sys.argv[1:]
labels = np.zeros(tifffile.imread(image).shape, "uint16")
labels[:2] = 5
if what == "silent": sys.exit()
if what == "fails": sys.exit("no model\\n")
if what == "other shape": labels = labels[1:]
if what == "fractions": labels = labels / 3
if what == "no objects": labels[:] = 0
if what == "killed":
    import os, signal
    os.kill(os.getpid(), signal.SIGKILL)
print("found", labels.max())
tifffile.imwrite(output, labels)
"""


def segment(folder, what, command=None, **options):
    """Run the script with a program that does what is named, and return the labels."""
    program = folder / "my program.py"
    program.write_text(PROGRAM)
    write_stack(folder / "raw.tif", STACK, SPACING)
    command = command or f"'{sys.executable}' '{program}' {{image}} {{output}} '{what}'"
    script.main(
        raw=folder / "raw.tif",
        segmentation=folder / "nuclei" / "segmentation.tif",
        object="nuclei",
        objects=["nuclei"],
        method="command",
        options={"command": command, "files": [str(program)]},
        **{"time_limit_minutes": 1} | options,
    )
    return read_stack(folder / "nuclei" / "segmentation.tif")


def test_the_labels_of_a_program_are_renumbered_and_get_the_voxel_size(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    labels, spacing = segment(tmp_path, "works")
    assert spacing == SPACING
    assert labels.dtype == np.uint16
    assert (labels[:2] == 1).all()
    assert not labels[2].any()
    assert "| found 5" in caplog.text
    assert [path.name for path in (tmp_path / "nuclei").iterdir()] == ["segmentation.tif"]


def test_no_objects_are_a_result(tmp_path):
    assert not segment(tmp_path, "no objects")[0].any()


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("silent", "did not write labels.tif; make it write the labels to the path {output}"),
        ("fails", "ended with exit status 1: no model; see the log, and correct the command"),
        ("killed", "was killed by SIGKILL; it may need more memory; see the log"),
        ("other shape", "labels of shape (5, 5, 8) do not fit"),
        ("fractions", "has values that are not integers"),
    ],
)
def test_a_program_that_fails_leaves_no_result(tmp_path, what, message):
    with pytest.raises(InputError) as error:
        segment(tmp_path, what)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert list((tmp_path / "nuclei").iterdir()) == []


def test_a_program_that_does_not_exist(tmp_path):
    with pytest.raises(InputError, match=r"cannot be started .* install the program where the job"):
        segment(tmp_path, "", "no-such-program {output}")


def test_a_program_and_its_children_end_at_the_time_limit(tmp_path):
    alive = tmp_path / "alive"
    child = f"import time; time.sleep(2); open({str(alive)!r}, 'w')"
    program = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}])"
    start = time.monotonic()
    with pytest.raises(InputError, match=r"did not end within .* raise run_segmenter\.time_limit"):
        run_program([sys.executable, "-c", f"{program}; time.sleep(60)"], 0.7)
    assert time.monotonic() - start < 10
    time.sleep(max(0, 2.5 - (time.monotonic() - start)))
    assert not alive.exists()


def test_a_kind_that_is_not_named_is_refused(tmp_path):
    with pytest.raises(InputError, match="does not contain 'nuclei'; add it"):
        script.main(
            raw=Path("raw.tif"),
            segmentation=tmp_path / "segmentation.tif",
            object="nuclei",
            objects=["cells"],
            method="command",
            options={},
            time_limit_minutes=1,
        )


def test_classical_is_no_program():
    with pytest.raises(InputError, match="classical needs no program"):
        METHODS["classical"](VALUES)
