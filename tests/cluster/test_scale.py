"""Sheets of a thousand stacks, and what jobs take; these take too long for `make test`."""

import os
import subprocess
import sys
import time

import pytest
from study import ROOT, SPACING, Study, constant, environment, jobs

from cellstack import io

STACKS = 1000


@pytest.fixture(scope="module")
def thousand(tmp_path_factory):
    study = Study(tmp_path_factory.mktemp("thousand"))
    io.write_stack(study.folder / "a.tif", constant(3), SPACING)
    for number in range(STACKS):
        study.add(f"stack{number}", image="a.tif", mouse=number)
    study.write()
    return study


def test_a_dry_run_of_a_thousand_stacks(thousand):
    command = [sys.executable, "-m", "snakemake", *map(str, thousand.arguments()), "--cores", "2", "-n"]
    with (thousand.folder / "output.txt").open("w+") as output:
        process = subprocess.Popen(command, env=environment(), stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        output.seek(0)
        counted = jobs(subprocess.CompletedProcess(command, 0, output.read(), ""))
    assert os.waitstatus_to_exitcode(status) == 0
    assert counted["find_seeds"] == STACKS
    print(f"{usage.ru_utime + usage.ru_stime:.0f} CPU seconds, {usage.ru_maxrss / 1024:.0f} MB")
    assert usage.ru_utime + usage.ru_stime < 60  # it takes one core; other work on the machine is not counted
    assert usage.ru_maxrss * 1024 < 1e9


def test_the_snakefile_is_parsed_in_a_second(thousand):
    """As in each job of a cluster: in a process that is not the main one, from the first rule to the last."""
    hook = thousand.folder / "Snakefile"
    hook.write_text(
        "import time\n\nstart = time.process_time()\n\n"
        f'include: "{ROOT / "Snakefile"}"\n\nprint("parsed in", time.process_time() - start)\n'
    )
    command = [sys.executable, "-m", "snakemake", "--snakefile", hook, "--directory", thousand.folder, "--mode", "subprocess"]
    command += ["--configfile", thousand.folder / "config.yaml", "--cores", "1", "-n", "results/stack7/nuclei/raw.tif"]
    took = []
    for _ in range(3):
        process = subprocess.run(command, env=environment(), capture_output=True, text=True)
        assert process.returncode == 0, process.stderr
        took += [float(line.split()[-1]) for line in process.stdout.splitlines() if line.startswith("parsed in")]
        time.sleep(1)
    print(took)
    assert min(took) < 1


def test_jobs_stay_within_their_claims(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import fit_claims
    import test_claims

    fit_claims.run(tmp_path, [256, 512], 1)
    measured = [dict(zip(fit_claims.MEASURED, row, strict=True)) for row in fit_claims.measure(tmp_path)]
    assert {row["side"] for row in measured} == {0, 256, 512}
    for row in measured:
        if row["side"] and row["rule"] != "import_truth":
            test_claims.test_a_job_takes_a_fifth_to_four_fifths_of_its_claim(row)
