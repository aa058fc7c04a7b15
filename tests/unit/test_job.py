"""The adapter under a main() of its own, by Snakemake and by hand."""

import re
import subprocess
import sys

import pytest
from study import ROOT, environment

SCRIPT = """
import sys
from pathlib import Path
from cellstack import job
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
    (tmp_path / "shout.py").write_text(f"import sys; sys.path.insert(0, {str(ROOT / 'scripts')!r})\n{SCRIPT}")
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


def test_expected_fault_by_snakemake(folder):
    process = snakemake(folder, "fail='expected'")
    assert "shout: in.txt: is not nice; write a nicer one" in process.stderr.splitlines()
    assert "Traceback" not in process.stderr
    assert "Traceback" in (folder / "shout.log").read_text()
    assert (folder / "shout.log").read_text().splitlines()[-1] == "ERROR shout: in.txt: is not nice; write a nicer one"


def test_the_log_is_of_the_last_try(folder):
    snakemake(folder, "fail='expected'")
    assert snakemake(folder, "times=2").returncode == 0
    assert re.fullmatch(r"INFO took \d+\.\d\d CPU seconds, at most [1-9]\d* MB\n", (folder / "shout.log").read_text())


def test_told_to_stop(folder):
    (folder / "shout.py").write_text(
        (folder / "shout.py").read_text().replace("    if fail:", "    import os; os.kill(os.getpid(), 15)\n    if fail:")
    )
    process = snakemake(folder, "times=2")
    assert process.returncode != 0
    assert "Traceback" not in process.stderr
    assert (folder / "shout.log").read_text().startswith("ERROR shout: was told to stop")


def test_unexpected_fault_by_snakemake_names_the_log(folder):
    process = snakemake(folder, "fail='yes'")
    assert "shout: RuntimeError: something broke (traceback in shout.log)" in process.stderr.splitlines()
    assert "Traceback" not in process.stderr
    assert "Traceback" in (folder / "shout.log").read_text()


def by_hand(folder, *arguments):
    command = [sys.executable, "shout.py", "--text", "in.txt", "--loud", "out.txt", *arguments]
    return subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True)


def test_by_hand(folder):
    assert by_hand(folder, "--times", "2").returncode == 0
    assert (folder / "out.txt").read_text() == "aa"


def test_faults_by_hand(folder):
    assert by_hand(folder, "--fail", "expected").stderr == "shout: in.txt: is not nice; write a nicer one\n"
    assert "Traceback" in by_hand(folder, "--fail", "yes").stderr  # there is no log to look into
    assert "--tiems" in by_hand(folder, "--tiems", "2").stderr
