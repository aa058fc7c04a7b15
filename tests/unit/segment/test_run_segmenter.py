"""Another program as a segmenter: its command, its end, and the labels that it writes."""

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from study import DIAMETER_UM, SPACING, simulated

import run_segmenter as script
from cellstack.errors import InputError
from cellstack.files.stacks import read_stack, write_stack
from cellstack.segment.run_segmenter import METHODS, placeholders, run_program

VALUES = placeholders("in put.tif", "out put/labels.tif", (0.5, 0.2, 0.25), 8.0, 2)
STACK = np.arange(240, dtype="uint16").reshape(6, 5, 8)


def words(command, files=()):
    return METHODS["command"](VALUES, command=command, files=list(files))


def test_placeholders_are_filled_in_word_by_word():
    assert words("run --in={image} '{output}' {spacing_z},{spacing_x} $HOME *.tif {{}}") == [
        "run",
        "--in=in put.tif",
        "out put/labels.tif",
        "0.5,0.25",
        "$HOME",
        "*.tif",
        "{}",
    ]
    filled = words("'my program' {output} {spacing} {diameter} {threads}")
    assert filled == ["my program", "out put/labels.tif", "0.5,0.2,0.25", "8", "2"]
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
if what == "real-time signal":
    import os, signal
    os.kill(os.getpid(), signal.SIGRTMIN + 1)
if what == "a folder":
    import os
    os.mkdir(output)
    sys.exit()
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
        ("fails", "ended with exit status 1: no model; see the log, and correct the command or"),
        ("killed", "was killed by SIGKILL; it may need more memory; see the log"),
        ("real-time signal", f"was killed by signal {signal.SIGRTMIN + 1}; see the log"),
        ("a folder", "did not write labels.tif; make it write the labels to the path {output}"),
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


@pytest.mark.slow
@pytest.mark.parametrize("first", ["", "import signal; signal.signal(15, signal.SIG_IGN); "])
def test_a_program_and_its_children_end_at_the_time_limit(tmp_path, first):
    alive = tmp_path / "alive"
    child = f"{first}import time; time.sleep(2); open({str(alive)!r}, 'w')"
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


@pytest.mark.parametrize("method", ["cellpose", "stardist"])
def test_a_runner_gets_what_it_needs(method):
    found = METHODS[method](VALUES, python="/envs/bin/python", model="my model")
    assert found[0] == "/envs/bin/python"
    assert Path(found[1]).name == f"run_{method}.py"
    given = dict(zip(found[2::2], found[3::2], strict=True))
    assert given["--model"] == "my model"
    assert (given["--image"], given["--output"]) == (VALUES["image"], VALUES["output"])
    assert METHODS[method](VALUES, python=None, model="a")[0] == sys.executable
    with pytest.raises(InputError, match=rf"{method}\.model is empty; give a model"):
        METHODS[method](VALUES, python=None, model="")


MAKE_MODEL = {  # with random weights
    "cellpose": """
import sys, torch
from cellpose.models import CellposeModel
torch.manual_seed(1)
CellposeModel(gpu=False, pretrained_model=None).net.save_model(sys.argv[1])
""",
    "stardist": """
import sys, os
import numpy as np, tensorflow as tf
from stardist import Rays_GoldenSpiral
from stardist.models import Config3D, StarDist3D
tf.random.set_seed(1)
config = Config3D(rays=Rays_GoldenSpiral(16), grid=(1, 2, 2), unet_n_depth=1,
                  unet_n_filter_base=4, net_conv_after_unet=4)
folder, name = os.path.split(sys.argv[1])
model = StarDist3D(config, name=name, basedir=folder)
model.keras_model.save_weights(os.path.join(sys.argv[1], "weights_best.h5"))
""",
}


@pytest.fixture(scope="module", params=MAKE_MODEL)
def package(request, tmp_path_factory):
    """A package, the Python that has it, and a model with random weights."""
    variable = f"CELLSTACK_{request.param.upper()}"
    python = os.environ.get(variable)
    if python is None:
        pytest.skip(f"set {variable} to a Python of envs/{request.param}.yaml")
    model = tmp_path_factory.mktemp("models") / "tiny"
    subprocess.run([python, "-c", MAKE_MODEL[request.param], model], check=True)
    return request.param, python, str(model)


def segment_with(folder, method, python, model):
    colony = simulated(shape=(8, 48, 48), count=2)
    write_stack(folder / "raw.tif", colony.nuclei_image, SPACING)
    script.main(
        raw=folder / "raw.tif",
        segmentation=folder / "segmentation.tif",
        object="nuclei",
        objects=["nuclei"],
        method=method,
        options={"python": python, "model": model},
        time_limit_minutes=5,
        diameter_um=float(DIAMETER_UM),
    )
    return read_stack(folder / "segmentation.tif")


def test_the_package_predicts_with_a_model_of_a_file(package, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    labels, spacing = segment_with(tmp_path, *package)
    assert labels.shape == (8, 48, 48)
    assert spacing == SPACING
    assert f"| {labels.max()} objects" in caplog.text


def test_a_model_that_does_not_exist_is_refused(package, tmp_path):
    method, python, _ = package
    with pytest.raises(InputError, match=rf"run_segmenter\.{method}\.model: 'no-model' is neither"):
        segment_with(tmp_path, method, python, "no-model")


@pytest.mark.parametrize("method", MAKE_MODEL)
def test_a_package_that_is_absent_is_named(method, tmp_path):
    hidden = tmp_path / method.lower()
    with pytest.raises(InputError, match=rf"as run_segmenter\.{method}\.python"):
        segment_with(tmp_path, method, without_package(hidden, method), "model")


def without_package(folder, method):
    """Return a Python that cannot import a package."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(f"import sys; sys.modules[{method!r}] = None")
    program = folder / "python"
    program.write_text(f"#!/bin/sh\nPYTHONPATH='{folder}' exec '{sys.executable}' \"$@\"\n")
    program.chmod(0o755)
    return str(program)
