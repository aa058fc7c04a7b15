"""Faults of the machine and of users during a run, each on the real thing: then a plain run must give the bytes of an undisturbed one."""

import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
import tifffile
from study import SPACING, Study, copy_workflow, environment, wait_for, write_pair

from cellstack import io

KILL_ONCE = '''
def _kill_once(path, partial):
    """Die half-way through the first write of each result."""
    import os
    marker = Path("killed", str(path).replace("/", "-"))
    if str(path).startswith("results") and not marker.exists():
        marker.parent.mkdir(exist_ok=True)
        marker.touch()
        if partial.is_file():
            os.truncate(partial, partial.stat().st_size // 2)
        os.kill(os.getpid(), 9)
'''
SLOW = "    import time\n\n    while Path('slow').exists():\n        time.sleep(0.1)\n"


def colony(folder, workflow=None):
    """A study of one small stack with two channels and a truth."""
    study = Study(folder, workflow or copy_workflow(folder / "workflow"))
    write_pair(folder, "colony", shape=(8, 64, 64), count=2)
    study.add("colony", image="colony-nuclei.tif", truth="colony-truth.tif", mouse="7")
    study.add("colony", "membrane", image="colony-membrane.tif")
    return study


@pytest.fixture
def study(tmp_path):
    return colony(tmp_path)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    study = colony(tmp_path_factory.mktemp("undisturbed"))
    process = study.run(cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    return study.digest()


def edit(study, name, old, new):
    """Change a file of the study's own copy of the workflow."""
    path = study.workflow / "scripts" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def completes(study, undisturbed, **options):
    """A plain run completes to the same bytes, with nothing left beside them."""
    process = study.run(**{"cores": 2} | options)
    assert process.returncode == 0, process.stderr[-4000:]
    assert study.digest() == undisturbed
    assert not list(study.folder.rglob(".partial*"))


def start_slowly(study):
    """Start a run that waits in denoise as long as the file `slow` is there."""
    line = "    stack, spacing = io.read_stack(contrast, mapped=True)\n"
    edit(study, "denoise.py", line, SLOW + line)
    (study.folder / "slow").touch()
    process = study.start()
    wait_for(study.result("colony", "nuclei", "contrast.tif").exists)
    wait_for(lambda: "rule denoise:" in (study.folder / "output.txt").read_text())
    return process


def test_kill_9_of_each_stage_in_mid_write(study, undisturbed):
    moves = "        partial.replace(path)\n"
    edit(study, "cellstack/whole_files.py", moves, f"        _kill_once(path, partial)\n{moves}")
    module = study.workflow / "scripts" / "cellstack" / "whole_files.py"
    module.write_text(module.read_text() + "\n" + KILL_ONCE)
    first = study.run()
    assert first.returncode != 0
    assert "failed: colony: import_stack: ended without a word: killed" in first.stderr
    assert list(study.folder.rglob(".partial*"))  # as it was in mid-write
    process = study.run("--retries", "3", cores=2)
    assert process.returncode == 0, process.stderr[-4000:]
    killed = {path.name for path in (study.folder / "killed").iterdir()}
    written = {f"results-{name.replace('/', '-')}" for name in undisturbed}
    folders = {name for name in killed - written if any(each.startswith(name) for each in written)}  # written as a whole, such as crops
    assert killed - folders >= {name for name in written if not any(name.startswith(folder) for folder in folders)}
    completes(study, undisturbed)


@pytest.mark.parametrize("fault", ["kill -9", "Ctrl-C"])
def test_snakemake_itself_ends(study, undisturbed, fault):
    process = start_slowly(study)
    second = study.run()
    assert second.returncode != 0
    assert "LockException" in second.stderr  # two runs in one folder: the second says so and ends
    assert "Traceback" not in second.stderr
    os.kill(process.pid, signal.SIGKILL) if fault == "kill -9" else os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=60) != 0
    said = (study.folder / "output.txt").read_text()
    assert "Traceback" not in said
    if fault == "kill -9":  # its jobs go on for a while, as here; the lock is still there
        assert "--unlock" in study.run().stderr
        assert study.run("--unlock").returncode == 0
    (study.folder / "slow").unlink()
    completes(study, undisturbed, cores=4)


def test_an_input_that_is_replaced(tmp_path):
    study = Study(tmp_path)
    image, other = tmp_path / "a.tif", tmp_path / "b.tif"
    stacks = [np.full((3, 8, 8), value, np.uint8) for value in (1, 2, 3)]
    io.write_stack(image, stacks[0], SPACING)
    size = image.stat().st_size
    study.add("a", image="a.tif")
    raw = "results/a/nuclei/raw.tif"
    assert study.run(raw).returncode == 0
    for stack, age in ((stacks[1], 0), (stacks[2], 10**6)):  # newer than the result, and older, as by `mv` or `cp -p`
        io.write_stack(other, stack, SPACING)
        assert other.stat().st_size == size
        os.utime(other, (other.stat().st_mtime - age,) * 2)
        other.replace(image)
        assert study.run(raw).returncode == 0
        assert tifffile.imread(tmp_path / raw).max() == stack.max()
    assert "Nothing to be done" in study.run(raw).stderr


def mount(*arguments):
    """Mount something, or skip the test where that is not allowed."""
    process = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    if process.returncode:
        pytest.skip(f"needs the right to mount: {process.stderr.strip()}")


@pytest.fixture
def small_disk(study):
    """The results of a study on a disk with room for the first stages alone."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("needs the right to mount, on Linux: run as root")
    results = study.folder / "results"
    results.mkdir()
    mount("-t", "tmpfs", "-o", "size=400k", "none", results)
    yield results
    subprocess.run(["umount", results], check=True)


def test_the_disk_fills(study, undisturbed, small_disk):
    process = study.run()
    assert process.returncode != 0
    said = [line for line in process.stderr.splitlines() if "cannot be written" in line and not line.startswith("cellstack")]
    assert said
    assert all("make room on the disk" in line for line in said)
    assert "Traceback" not in process.stderr
    for path in small_disk.rglob("*"):
        if path.is_file() and path.suffix == ".tif":
            assert path.read_bytes() == undisturbed[str(path.relative_to(small_disk))]  # whole, or not there
    assert not list(small_disk.rglob(".partial*"))
    subprocess.run(["mount", "-o", "remount,size=100m", small_disk], check=True)
    completes(study, undisturbed)


@pytest.fixture
def other_disk(study):
    """The images of a study in a folder that is read-only, and on another disk."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("needs the right to mount, on Linux: run as root")
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
        for column in {"image", "truth"} & row.keys():
            row[column] = f"{other_disk.name}/{row[column]}"
    process = study.run(cores=4)
    assert process.returncode == 0, process.stderr[-4000:]
    found = study.digest()
    assert [name for name in undisturbed if found[name] != undisturbed[name] and not name.endswith("import.json")] == []


@pytest.mark.parametrize("whose", ["results", "study"])
def test_a_folder_of_another_user(study, whose):
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root and setpriv, to give a folder away and be bound by its rights")
    study.write()
    folder = study.folder if whose == "study" else study.folder / "results"
    folder.mkdir(exist_ok=True)
    os.chown(folder, 12345, 12345)
    folder.chmod(0o755)
    bound = ["setpriv", "--bounding-set", "-dac_override", "--inh-caps", "-dac_override"]  # root that rights of files bind
    command = [*bound, sys.executable, "-m", "snakemake", *study.arguments(), "--cores", "1"]
    process = subprocess.run(command, cwd=study.folder, env=environment(), capture_output=True, text=True)
    assert process.returncode != 0
    assert {"study": "this folder cannot be written to", "results": "Permission denied"}[whose] in process.stderr
    assert "Traceback" not in process.stderr
    assert not list(study.folder.glob("results/**/*.*"))
