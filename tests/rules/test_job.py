"""A script run as a job of Snakemake and from the command line."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import ndimage
from study import ROOT, environment, run_snakemake

import label_components
from cellstack.files.stacks import read_stack, write_stack

SCRIPT = """
import sys
from pathlib import Path
from cellstack.run import job
from cellstack.errors import InputError

def main(*, text: Path, loud: Path, times: int = 1, fail: str = "", threads: int = 1):
    if fail:
        loud.write_text("complete, as far as Snakemake can see")
    if fail == "expected":
        raise InputError(f"{text}: is not nice; write a nicer one")
    if fail:
        raise RuntimeError("something broke")
    loud.write_text(text.read_text() * times)

job.run(main)
"""

SNAKEFILE = """
rule shout:
    input: text="in.txt"
    output: loud="out.txt"
    params: source="abc", {params}
    log: "shout.log"
    script: "shout.py"
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "shout.py").write_text(
        f"import sys; sys.path.insert(0, {str(ROOT / 'scripts')!r})\n{SCRIPT}"
    )
    (tmp_path / "in.txt").write_text("a")
    return tmp_path


def snakemake(folder, params):
    (folder / "Snakefile").write_text(SNAKEFILE.format(params=params))
    command = [sys.executable, "-m", "snakemake", "--cores", "1"]
    return subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True)


def test_by_snakemake(folder):
    assert snakemake(folder, "times=3").returncode == 0
    assert (folder / "out.txt").read_text() == "aaa"


def test_by_snakemake_with_a_param_that_main_does_not_take(folder):
    process = snakemake(folder, "times=3, tiems=4")
    assert process.returncode != 0
    assert "main() does not take ['tiems']" in process.stderr


def test_an_expected_error_by_snakemake(folder):
    process = snakemake(folder, "fail='expected'")
    assert process.returncode == 1
    assert "returned non-zero exit status 1" in process.stderr
    message = "shout: in.txt: is not nice; write a nicer one"
    assert [line for line in process.stderr.splitlines() if line.startswith("shout:")] == [message]
    assert "Traceback" not in process.stderr
    assert not (folder / "out.txt").exists()  # removed by Snakemake
    log = (folder / "shout.log").read_text()
    assert "Traceback" in log
    assert log.splitlines()[-1] == f"ERROR {message}"


def test_an_error_in_a_fork(folder):
    """The other tests run most jobs in forks, see `snakemake_server.py`."""
    (folder / "Snakefile").write_text(SNAKEFILE.format(params="fail='expected'"))
    process = run_snakemake("--cores", "1", cwd=folder)
    assert process.returncode == 1
    assert "returned non-zero exit status 1" in process.stderr
    assert "shout: in.txt: is not nice; write a nicer one" in process.stderr
    assert not (folder / "out.txt").exists()


def test_the_log_is_of_the_last_attempt(folder):
    snakemake(folder, "fail='expected'")
    assert snakemake(folder, "times=2").returncode == 0
    first, last = (folder / "shout.log").read_text().splitlines()
    assert first.startswith("INFO command: python ")
    assert re.fullmatch(r"INFO took \d+\.\d\d CPU seconds, at most [1-9]\d* MB", last)


FAKE_JOB = """
from types import SimpleNamespace
nothing = SimpleNamespace(items=dict)
params = {"text": "in.txt", "loud": "out.txt"}
snakemake = SimpleNamespace(
    input=nothing, output=nothing, params=params, log=["a/folder"], threads=1, rule="shout",
    wildcards=["x"],
)
"""


def test_a_log_that_cannot_be_written(folder):
    (folder / "a" / "folder").mkdir(parents=True)
    (folder / "fake.py").write_text(FAKE_JOB + (folder / "shout.py").read_text())
    command = [sys.executable, "fake.py"]
    process = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True)
    assert process.returncode == 1
    (line,) = process.stderr.splitlines()
    assert line.startswith("shout x: a/folder: cannot be written (Is a directory): free disk space")


def test_the_command_in_the_log_does_the_same(folder):
    snakemake(folder, "times=3")
    line = (folder / "shout.log").read_text().splitlines()[0]
    words = shlex.split(line.removeprefix("INFO command: "))
    assert words[:2] == ["python", str(folder / "shout.py")]
    (folder / "out.txt").unlink()
    subprocess.run([sys.executable, *words[1:]], cwd=folder, env=environment(), check=True)
    assert (folder / "out.txt").read_text() == "aaa"


def test_a_job_that_is_cancelled(folder):
    script = (folder / "shout.py").read_text()
    kill = "    import os; os.kill(os.getpid(), 15)\n    if fail:"
    (folder / "shout.py").write_text(script.replace("    if fail:", kill))
    process = snakemake(folder, "times=2")
    assert process.returncode != 0
    assert "Traceback" not in process.stderr
    assert "returned non-zero exit status 130" in process.stderr
    assert "ERROR shout: interrupted" in (folder / "shout.log").read_text()


def test_an_unexpected_error_by_snakemake_names_the_log(folder):
    process = snakemake(folder, "fail='yes'")
    assert process.returncode == 1
    message = "shout: RuntimeError: something broke (traceback in shout.log)"
    assert [line for line in process.stderr.splitlines() if line.startswith("shout:")] == [message]
    assert "Traceback" not in process.stderr
    assert "Traceback" in (folder / "shout.log").read_text()


def by_hand(folder, *arguments):
    command = [sys.executable, "shout.py", "--text", "in.txt", "--loud", "out.txt", *arguments]
    return subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True)


def test_from_the_command_line(folder):
    assert by_hand(folder, "--times", "2").returncode == 0
    assert (folder / "out.txt").read_text() == "aa"


def test_errors_on_the_command_line(folder):
    process = by_hand(folder, "--fail", "expected")
    assert process.returncode == 1
    assert process.stderr == "shout: in.txt: is not nice; write a nicer one\n"
    process = by_hand(folder, "--fail", "yes")
    assert process.returncode == 1
    assert "Traceback" in process.stderr  # there is no log
    assert "--tiems" in by_hand(folder, "--tiems", "2").stderr


@pytest.mark.parametrize(("words", "expected"), [([], 1), (["--threads", "2"], 2)])
def test_threads_on_the_command_line(folder, words, expected):
    script = (folder / "shout.py").read_text()
    script = script.replace("text.read_text() * times", "f'{threads} {parallel._limit}'")
    script = script.replace("import job", "import job\nfrom cellstack.core import parallel")
    (folder / "shout.py").write_text(script)
    assert by_hand(folder, *words).returncode == 0
    assert (folder / "out.txt").read_text() == f"{expected} {expected}"


LABEL_SNAKEFILE = """
rule label_components:
    input: mask_clean="mask.tif"
    output: components="by-snakemake.tif"
    params: connectivity=18, source="abc"
    script: {script!r}
"""


def test_three_ways_to_run_a_script_give_what_scipy_gives(tmp_path):
    mask = np.zeros((4, 9, 12), np.uint8)
    mask[0, 1, 1] = mask[1, 2, 1] = 1  # share an edge: one component
    mask[1, 3, 2] = 1  # and another one
    mask[3, 5, 5] = mask[2, 6, 6] = 1  # share a corner: two components
    mask[0:4, 8, 8:11] = 1
    structure = ndimage.generate_binary_structure(3, 2)
    expected, count = ndimage.label(mask, structure)
    assert count == 4
    write_stack(tmp_path / "mask.tif", mask, (1.2, 0.5, 0.4), display=(0, 1))
    script = ROOT / "scripts" / "label_components.py"
    (tmp_path / "Snakefile").write_text(LABEL_SNAKEFILE.format(script=str(script)))
    options = {"cwd": tmp_path, "env": environment(), "check": True, "capture_output": True}
    subprocess.run([sys.executable, "-m", "snakemake", "--cores", "1"], **options)
    words = ["--mask-clean", "mask.tif", "--components", "by-hand.tif", "--connectivity", "18"]
    subprocess.run([sys.executable, script, *words], **options)
    label_components.main(
        mask_clean=tmp_path / "mask.tif", components=tmp_path / "called.tif", connectivity=18
    )
    for name in ("by-snakemake", "by-hand", "called"):
        labels, spacing = read_stack(tmp_path / f"{name}.tif")
        assert_array_equal(labels, expected)
        assert spacing == (1.2, 0.5, 0.4)


MEASURE_THREADS = """
import sys; sys.path.insert(0, {scripts!r})
import json
from pathlib import Path
import numpy as np
from cellstack.core import parallel
from cellstack.core.filters import gaussian
from cellstack.enhance.denoise import median
from cellstack.run import job

def count_threads():
    status = Path("/proc/self/status").read_text()
    return int(status.split("Threads:")[1].split()[0])

def main(*, counts: Path, threads: int = 1) -> None:
    stack = np.random.default_rng(0).random((9, 400, 400), np.float32)
    assert stack.size > parallel.MIN_VOXELS_FOR_THREADS
    stack.reshape(-1, 400) @ stack.reshape(400, -1)[:, :400]
    found = {{"blas": count_threads()}}
    gaussian(stack, (1, 0.5, 0.4), sigma_um=1)
    found["opencv"] = count_threads()
    median(stack, (1, 0.5, 0.4), radius_um=1, slice_by_slice=False)
    found["simpleitk"] = count_threads()
    found["limit"] = parallel.threads_for(stack)
    found["handed on"] = threads
    counts.write_text(json.dumps(found))

job.run(main)
"""

THREADS_SNAKEFILE = """
rule count:
    output: counts="counts.json"
    threads: {threads}
    script: "count.py"
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux")
@pytest.mark.parametrize("threads", [1, 2])
def test_a_job_starts_no_more_threads_than_it_asked_for(tmp_path, threads):
    script = MEASURE_THREADS.format(scripts=str(ROOT / "scripts"))
    (tmp_path / "count.py").write_text(script)
    (tmp_path / "Snakefile").write_text(THREADS_SNAKEFILE.format(threads=threads))
    command = [sys.executable, "-m", "snakemake", "--cores", "2"]
    subprocess.run(command, cwd=tmp_path, env=environment(), check=True, capture_output=True)
    counts = json.loads((tmp_path / "counts.json").read_text())
    assert counts.pop("limit") == counts.pop("handed on") == threads
    if threads == 1:
        assert set(counts.values()) == {1}
    else:  # idle pools of each library stay alive
        assert max(counts.values()) <= 1 + 3 * threads
