"""A script run as a job of Snakemake and from the command line."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from study import ROOT, environment

SCRIPT = """
import sys
from pathlib import Path
from cellstack.run import job
from cellstack.errors import InputError

def main(*, text: Path, loud: Path, times: int = 1, fail: str = "", threads: int = 1):
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
    message = "shout: in.txt: is not nice; write a nicer one"
    assert message in process.stderr.splitlines()
    assert "Traceback" not in process.stderr
    log = (folder / "shout.log").read_text()
    assert "Traceback" in log
    assert log.splitlines()[-1] == f"ERROR {message}"


def test_the_log_is_of_the_last_attempt(folder):
    snakemake(folder, "fail='expected'")
    assert snakemake(folder, "times=2").returncode == 0
    first, last = (folder / "shout.log").read_text().splitlines()
    assert first.startswith("INFO command: python ")
    assert re.fullmatch(r"INFO took \d+\.\d\d CPU seconds, at most [1-9]\d* MB", last)


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
    assert "ERROR shout: interrupted" in (folder / "shout.log").read_text()


def test_an_unexpected_error_by_snakemake_names_the_log(folder):
    process = snakemake(folder, "fail='yes'")
    message = "shout: RuntimeError: something broke (traceback in shout.log)"
    assert message in process.stderr.splitlines()
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
    assert "Traceback" in by_hand(folder, "--fail", "yes").stderr  # there is no log
    assert "--tiems" in by_hand(folder, "--tiems", "2").stderr


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

def main(*, counts: Path) -> None:
    stack = np.random.default_rng(0).random((9, 400, 400), np.float32)
    assert stack.size > parallel.MIN_VOXELS_FOR_THREADS
    stack.reshape(-1, 400) @ stack.reshape(400, -1)[:, :400]
    found = {{"blas": count_threads()}}
    gaussian(stack, (1, 0.5, 0.4), sigma_um=1)
    found["opencv"] = count_threads()
    median(stack, (1, 0.5, 0.4), radius_um=1, slice_by_slice=False)
    found["simpleitk"] = count_threads()
    found["limit"] = parallel.threads_for(stack)
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
    assert counts.pop("limit") == threads
    if threads == 1:
        assert set(counts.values()) == {1}
    else:  # idle pools of each library stay alive
        assert max(counts.values()) <= 1 + 3 * threads
