"""Sheets of a thousand stacks, and what jobs use; these take too long for `make test`."""

import os
import subprocess
import sys
import time

import pytest
from study import ROOT, SPACING, Study, constant, environment, jobs

from cellstack.files.stacks import write_stack

STACKS = 1000
TIMED_SNAKEFILE = """\
import time

start = time.process_time()

include: "{snakefile}"

print("parsed in", time.process_time() - start)
"""


@pytest.fixture(scope="module")
def thousand(tmp_path_factory):
    study = Study(tmp_path_factory.mktemp("thousand"))
    write_stack(study.folder / "a.tif", constant(3), SPACING)
    for number in range(STACKS):
        study.add(f"stack{number}", image="a.tif", mouse=number)
    study.write()
    return study


def test_a_dry_run_of_a_thousand_stacks(thousand):
    command = list(map(str, thousand.command("-n", cores=2)))
    with (thousand.folder / "output.txt").open("w+") as output:
        process = subprocess.Popen(command, env=environment(), stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        output.seek(0)
        counted = jobs(subprocess.CompletedProcess(command, 0, output.read(), ""))
    assert os.waitstatus_to_exitcode(status) == 0
    assert counted["find_seeds"] == STACKS
    seconds = usage.ru_utime + usage.ru_stime  # reported; make bench compares it with its goal
    print(f"{seconds:.0f} CPU seconds, {usage.ru_maxrss / 1024:.0f} MB")
    assert usage.ru_maxrss * 1024 < 7e8


def test_each_job_of_a_cluster_can_parse_the_snakefile(thousand):
    """As in each job of a cluster: in a process that is not the main one, all rules included."""
    (thousand.folder / "Snakefile").write_text(TIMED_SNAKEFILE.format(snakefile=ROOT / "Snakefile"))
    command = [sys.executable, "-m", "snakemake", "--directory", thousand.folder]
    command += ["--snakefile", thousand.folder / "Snakefile", "--mode", "subprocess"]
    command += ["--configfile", thousand.folder / "config.yaml", "--cores", "1", "-n"]
    command.append("results/stack7/channels/nuclei/raw.tif")
    seconds = []
    for _ in range(3):
        process = subprocess.run(command, env=environment(), capture_output=True, text=True)
        assert process.returncode == 0, process.stderr
        lines = process.stdout.splitlines()
        seconds += [float(line.split()[-1]) for line in lines if line.startswith("parsed in")]
        time.sleep(1)
    print(seconds)
    assert len(seconds) == 3


def test_jobs_stay_within_their_requests(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    monkeypatch.syspath_prepend(ROOT / "tests" / "unit" / "run")
    import fit_resources
    from test_resources import largest_of_each_request
    from test_resources import test_a_job_takes_a_fifth_to_four_fifths_of_its_request as check

    fit_resources.run(tmp_path, [256, 512], 2)
    measured = [
        dict(zip(fit_resources.MEASURED, row, strict=True))
        for row in fit_resources.measure(tmp_path)
    ]
    assert {row["side"] for row in measured} == {0, 256, 512}
    for row in largest_of_each_request(measured):
        if row["side"]:
            check(row)
