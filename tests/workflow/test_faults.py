"""Failures of the machine during a run: afterwards the same command gives the same files.

Each failure is a real one, and the files are compared with those of an undisturbed run.
"""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
import tifffile
from study import SPACING, Study, copy_workflow, environment, wait_for, write_pair

from cellstack.files.stacks import write_stack

KILL_ONCE = '''

def _kill_once(path, temporary):
    """Kill the process halfway through the first write of each result."""
    import os
    marker = Path("killed", str(path).replace("/", "-"))
    if str(path).startswith("results") and not marker.exists():
        marker.parent.mkdir(exist_ok=True)
        marker.touch()
        if temporary.is_file():
            os.truncate(temporary, temporary.stat().st_size // 2)
        os.kill(os.getpid(), 9)
'''
CELLS = "results/colony/cells/segmentation.tif"
TABLES = ("results/objects.csv", "results/stacks.csv", "results/scores.csv")
SLOW = "    import time\n\n    while Path('slow').exists():\n        time.sleep(0.1)\n"
# root that the permissions of files apply to
WITHOUT_OVERRIDE = ["setpriv", "--bounding-set", "-dac_override", "--inh-caps", "-dac_override"]


def new_study(folder):
    """Return a study of one small stack with two channels and a ground truth."""
    study = Study(folder, copy_workflow(folder / "workflow"))
    write_pair(folder, "colony", shape=(8, 64, 64), count=2)
    study.add("colony", image="colony-nuclei.tif", ground_truth="colony-truth.tif", mouse="7")
    study.add("colony", "membrane", image="colony-membrane.tif")
    return study


@pytest.fixture
def study(tmp_path):
    return new_study(tmp_path)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Files of an undisturbed run."""
    study = new_study(tmp_path_factory.mktemp("undisturbed"))
    process = study.run(cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    return study.digest()


def edit(study, name, old, new):
    """Change a file in the study's copy of the workflow."""
    path = study.workflow / "scripts" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def assert_completes(study, undisturbed, *targets, cores=2):
    """Run the study, and compare its files with those of an undisturbed run."""
    process = study.run(*targets, cores=cores)
    assert process.returncode == 0, process.stderr[-4000:]
    files = study.digest()
    assert files == {name: undisturbed[name] for name in files}
    expected = targets or [f"results/{name}" for name in undisturbed]
    assert {name.removeprefix("results/") for name in expected} <= files.keys()
    assert not list(study.folder.rglob(".partial*"))


def start_slowly(study):
    """Start a run whose job of denoise waits until the file `slow` is removed."""
    line = "    stack, spacing = open_stack(contrast)\n"
    edit(study, "denoise.py", line, SLOW + line)
    (study.folder / "slow").touch()
    process = study.start()
    wait_for(study.result("colony", "channels", "nuclei", "contrast.tif").exists)
    wait_for(lambda: "rule denoise:" in (study.folder / "output.txt").read_text())
    return process


def kill_each_write_once(study):
    """Have the process of each job killed halfway through the first write of each result."""
    module = "cellstack/files/atomic.py"
    move = "        temporary.replace(path)\n"
    edit(study, module, move, f"        _kill_once(path, temporary)\n{move}")
    path = study.workflow / "scripts" / module
    path.write_text(path.read_text() + KILL_ONCE)


def test_kill_9_of_each_stage_in_mid_write(study, undisturbed):
    kill_each_write_once(study)
    first = study.run()
    assert first.returncode != 0
    assert "failed: colony: import_stack: no message in the log: killed" in first.stderr
    assert list(study.folder.rglob(".partial*"))  # left by the killed process
    process = study.run("--retries", "5", cores=2)  # some jobs write five files
    assert process.returncode == 0, process.stderr[-4000:]
    killed = {path.name for path in (study.folder / "killed").iterdir()}
    assert killed >= {f"results-{name.replace('/', '-')}" for name in undisturbed}
    assert_completes(study, undisturbed)


def study_in_blocks(folder):
    """Return a study of one small stack with nuclei and cells, which is cut into two blocks."""
    study = Study(folder, copy_workflow(folder / "workflow"))
    write_pair(folder, "colony", shape=(8, 64, 64), count=4)
    study.add("colony", image="colony-nuclei.tif")
    study.add("colony", "membrane", image="colony-membrane.tif")
    study.config["diameter_um"] = {"nuclei": 8, "cells": 11}
    study.config["split_into_blocks"] = {"counts": [1, 1, 2], "overlap_um": 8}
    return study


@pytest.fixture(scope="module")
def in_blocks(tmp_path_factory):
    """Return the study of an undisturbed run in blocks."""
    study = study_in_blocks(tmp_path_factory.mktemp("in-blocks"))
    process = study.run(CELLS, cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    return study


def test_kill_9_of_blocks_and_while_they_are_joined(tmp_path, in_blocks):
    study = study_in_blocks(tmp_path)
    kill_each_write_once(study)
    # each stage of the complete stack, and those of one of the two blocks
    condition = "if str(path).startswith"
    edit(
        study,
        "cellstack/files/atomic.py",
        condition,
        condition.replace("if ", "if '0-0-0' not in str(path) and "),
    )
    process = study.run(CELLS, "--retries", "5", cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    killed = {path.name for path in (tmp_path / "killed").iterdir()}
    undisturbed = in_blocks.digest()
    names = [name.replace("/", "-") for name in undisturbed if "0-0-0" not in name]
    assert len(names) > 30
    assert killed >= {f"results-{name}" for name in names}
    assert study.digest() == undisturbed
    assert hidden_files(study) == hidden_files(in_blocks)


def hidden_files(study):
    return {path.relative_to(study.folder) for path in study.result().rglob(".*")}


@pytest.mark.parametrize("how", ["kill -9", "Ctrl-C"])
def test_snakemake_itself_ends(study, undisturbed, how):
    process = start_slowly(study)
    second = study.run()
    assert second.returncode != 0
    assert "LockException" in second.stderr  # of two runs in one folder, the second one ends
    assert "Traceback" not in second.stderr
    if how == "kill -9":
        os.kill(process.pid, signal.SIGKILL)
    else:
        os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=300) != 0
    assert "Traceback" not in (study.folder / "output.txt").read_text()
    if how == "kill -9":  # its jobs are still running, and the folder is locked
        assert "--unlock" in study.run().stderr
        assert study.run("--unlock").returncode == 0
    (study.folder / "slow").unlink()
    assert_completes(study, undisturbed, *TABLES, cores=4)


def test_an_input_that_is_replaced(tmp_path):
    study = Study(tmp_path)
    image, other = tmp_path / "a.tif", tmp_path / "b.tif"
    first, second, third = (np.full((3, 8, 8), value, np.uint8) for value in (1, 2, 3))
    write_stack(image, first, SPACING)
    size = image.stat().st_size
    study.add("a", image="a.tif")
    raw = "results/a/channels/nuclei/raw.tif"
    assert study.run(raw).returncode == 0
    # newer than the result, and older than it, as after `mv` or `cp -p`
    for stack, age in ((second, 0), (third, 10**6)):
        write_stack(other, stack, SPACING)
        assert other.stat().st_size == size
        time = other.stat().st_mtime - age
        os.utime(other, (time, time))
        other.replace(image)
        assert study.run(raw).returncode == 0
        assert tifffile.imread(tmp_path / raw).max() == stack.max()
    assert "Nothing to be done" in study.run(raw).stderr
    os.utime(image)  # as it is, at another time
    assert "Nothing to be done" in study.run(raw).stderr


def test_inputs_from_the_future(tmp_path):
    study = Study(tmp_path)
    cells = {name: f"{name}.tif" for name in ("image", "labels", "ground_truth")}
    for file in cells.values():
        write_stack(tmp_path / file, np.ones((3, 8, 8), np.uint8), SPACING)
        os.utime(tmp_path / file, (4e9, 4e9))
    study.add("a", **cells)
    names = ("channels/nuclei/raw", "nuclei/segmentation", "nuclei/ground_truth")
    targets = [f"results/a/{name}.tif" for name in names]
    process = study.run(*targets)
    assert process.returncode == 0, process.stderr
    assert "Nothing to be done" in study.run(*targets).stderr


def mount(*arguments):
    """Mount a file system, or skip the test where that is not allowed."""
    process = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    if process.returncode:
        pytest.skip(f"needs the right to mount: {process.stderr.strip()}")


def skip_unless_root_with(program):
    if os.geteuid() != 0 or shutil.which(program) is None:
        pytest.skip(f"needs root and `{program}`")


@pytest.fixture
def small_disk(study):
    """The results of a study on a disk with space for the first stages only."""
    skip_unless_root_with("mount")
    results = study.result()
    results.mkdir()
    mount("-t", "tmpfs", "-o", "size=800k", "none", results)
    yield results
    subprocess.run(["umount", results], check=True)


def resize(disk, size):
    subprocess.run(["mount", "-o", f"remount,size={size}", disk], check=True)


def test_the_disk_fills(study, undisturbed, small_disk):
    raw = [f"results/colony/channels/{name}/raw.tif" for name in ("nuclei", "membrane")]
    assert study.run(*raw).returncode == 0
    resize(small_disk, "400k")
    process = study.run()
    assert process.returncode != 0
    lines = [line for line in process.stderr.splitlines() if not line.startswith("cellstack")]
    messages = [line for line in lines if "cannot be written" in line]
    assert messages, process.stderr[-4000:]
    assert all("free disk space" in line for line in messages)
    assert "Traceback" not in process.stderr
    for path in small_disk.rglob("*.tif"):  # complete, or not there
        assert path.read_bytes() == undisturbed[str(path.relative_to(small_disk))]
    assert not list(small_disk.rglob(".partial*"))
    resize(small_disk, "100m")
    assert_completes(study, undisturbed, *TABLES)


@pytest.mark.parametrize(
    ("stage", "output", "temporary"),  # bytes per voxel of the temporary files
    [
        ("join_blocks", "nuclei/segmentation.tif", 4),
        ("join_cell_seeds", "cells/seeds.tif", 8),
        ("join_regions", "cells/regions.tif", 2),
    ],
)
def test_the_disk_fills_while_blocks_are_joined(tmp_path, in_blocks, stage, output, temporary):
    skip_unless_root_with("mount")
    results = tmp_path / "results"
    results.mkdir()
    mount("-t", "tmpfs", "-o", "size=100m", "none", results)
    try:
        shutil.copytree(in_blocks.result(), results, dirs_exist_ok=True)
        path = results / "colony" / output
        expected = path.read_bytes()
        path.unlink()
        others = sorted(results.rglob("*"))
        log = in_blocks.log("colony", path.parent.name, f"{stage}.log").read_text()
        command = [sys.executable, *shlex.split(log.splitlines()[0])[3:]]
        used = shutil.disk_usage(results).used + 4096
        # without space for the temporary files, and with just enough for them
        places = f"colony/{path.parent.name}", f"colony/{output}"
        for room, place in zip((0, temporary * 8 * 64 * 64), places, strict=True):
            resize(results, used + room)
            process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
            assert process.returncode == 1, process
            line = process.stderr.splitlines()[-1]
            assert line.startswith(f"{stage}: ")
            assert f"results/{place}: cannot be written (" in line
            assert "free disk space" in line
            assert "Traceback" not in process.stderr
            assert sorted(results.rglob("*")) == others
        resize(results, "100m")
        subprocess.run(command, cwd=tmp_path, check=True)
        assert path.read_bytes() == expected
    finally:
        subprocess.run(["umount", results], check=True)


def test_a_disk_that_is_too_small_for_an_image(study, small_disk):
    resize(small_disk, "200k")
    process = study.run()
    assert process.returncode != 0
    lines = [line for line in process.stderr.splitlines() if line.startswith("import_stack colony")]
    assert "takes 0.4 MB of disk space, 0.2 MB are free: free disk space" in lines[0]
    assert "Traceback" not in process.stderr
    assert not list(small_disk.rglob("*.tif"))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("results", "size=64k", "No space left on device); free disk space"),
        ("logs", "size=64k", "No space left on device); free disk space"),
        (".snakemake", "size=64k", "No space left on device); free disk space"),
        ("results", "ro", "Read-only file system); change its permissions"),
    ],
)
def test_a_folder_that_cannot_be_written_to(study, name, options, message):
    skip_unless_root_with("mount")
    folder = study.folder / name
    folder.mkdir()
    mount("-t", "tmpfs", "-o", options, "none", folder)
    try:
        with contextlib.suppress(OSError):
            (folder / "fill").write_bytes(bytes(10**5))
        process = study.run()
    finally:
        subprocess.run(["umount", folder], check=True)
    assert process.returncode != 0
    (line,) = [line for line in process.stderr.splitlines() if "cannot be written to" in line]
    assert line.startswith(f"{name}: cannot be written to ({message}")
    assert "Traceback" not in process.stderr
    assert "rule import_stack" not in process.stderr


@pytest.fixture
def other_disk(study):
    """The images of a study in a read-only folder on another disk."""
    skip_unless_root_with("mount")
    folder = study.folder / 'my "raw" data\'s'
    folder.mkdir()
    mount("-t", "tmpfs", "-o", "size=10m", "none", folder)
    for path in study.folder.glob("*.tif"):
        shutil.move(path, folder)
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_images_that_are_read_only_and_on_another_disk(study, undisturbed, other_disk):
    for row in study.rows:
        for column in {"image", "ground_truth"} & row.keys():
            row[column] = f"{other_disk.name}/{row[column]}"
    process = study.run(*TABLES, cores=4)
    assert process.returncode == 0, process.stderr[-4000:]
    files = study.digest()
    compared = [name for name in files if not name.endswith("import.json")]  # has the path
    assert len(compared) > 30
    assert [name for name in compared if files[name] != undisturbed[name]] == []


@pytest.mark.parametrize(
    ("owned", "message"),
    [("results", "Permission denied"), (".", "this folder cannot be written to")],
)
def test_a_folder_of_another_user(study, owned, message):
    skip_unless_root_with("setpriv")
    study.write()
    folder = study.folder / owned
    folder.mkdir(exist_ok=True)
    os.chown(folder, 12345, 12345)
    folder.chmod(0o755)
    command = [*WITHOUT_OVERRIDE, *study.command()]
    process = subprocess.run(
        command,
        cwd=study.folder,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert process.returncode != 0
    assert message in process.stderr
    assert "Traceback" not in process.stderr
    assert not list(study.folder.glob("results/**/*.*"))
