"""Progress of a run, from log records like Snakemake's."""

import logging
from types import SimpleNamespace

import pytest

from cellstack.files.tables import write_rows
from cellstack.run import progress
from cellstack.run.failed import read_failed
from cellstack.run.progress import Job, Progress


class Run:
    """A run of two stages on some stacks and a table, with a clock set by hand."""

    def __init__(self, folder, stacks=("a", "b", "c"), complete=()):
        self.folder, self.now, self.lines, self.numbers = folder, 0.0, [], {}
        jobs = {}
        for stack in stacks:
            for rule in ("import_stack", "measure_objects"):
                jobs[len(jobs)] = Job(rule, stack, [str(folder / stack / f"{rule}.log")])
        jobs[len(jobs)] = Job("collect_objects", None, [])
        self.numbers = {(job.stack, job.rule): number for number, job in jobs.items()}
        self.progress = Progress(jobs, complete, folder, self.lines.append, lambda: self.now)
        self.logger = logging.Logger("snakemake")
        self.logger.addHandler(self.progress)

    def tell(self, event, stack, rule, **more):
        name = "job_id" if event == "job_finished" else "jobid"
        self.logger.info(None, extra={"event": event, name: self.numbers[stack, rule]} | more)

    def do(self, stack, rule, seconds=10.0):
        self.tell("job_info", stack, rule)
        self.now += seconds
        self.tell("job_finished", stack, rule)

    def fail(self, stack, rule, said=None):
        log = self.folder / stack / f"{rule}.log"
        log.parent.mkdir(exist_ok=True)
        log.write_text(
            "INFO began\n"
            if said is None
            else f"INFO began\nERROR {rule} failed\nTraceback\nERROR {rule} {stack}: {said}\n"
        )
        self.tell("job_info", stack, rule)
        self.tell("job_error", stack, rule, log=[str(log)])

    def failed(self):
        return read_failed(self.folder / "failed.csv")


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path)


def test_the_plan_counts_stacks_that_are_complete(run, tmp_path):
    assert run.progress.plan() == "7 jobs for 3 stacks"
    assert Run(tmp_path, stacks=("a",), complete=("b", "c")).progress.plan() == (
        "3 jobs for 1 of 3 stacks"
    )


def test_a_run_without_stacks_counts_jobs_only(tmp_path):
    run = Run(tmp_path, stacks=())
    assert run.progress.plan() == "1 job"
    run.do(None, "collect_objects")
    assert run.progress.line() == "1 of 1 job"


def test_lines_report_stacks_jobs_and_the_time_left(run):
    for stack in "ab":
        run.do(stack, "import_stack")
    run.do("a", "measure_objects")
    run.tell("job_info", "b", "measure_objects")
    assert run.lines == [
        "cellstack: 1 of 3 stacks done, 3 of 7 jobs"
    ]  # at 30 s, and not more often
    assert run.progress.line() == "1 of 3 stacks done, running: b (measure_objects), 3 of 7 jobs"
    run.tell("job_finished", "b", "measure_objects")
    run.do("c", "import_stack", 20)
    run.now += 30
    run.tell("job_info", "c", "measure_objects")
    assert run.lines[-1].endswith(
        "running: c (measure_objects), 5 of 7 jobs, about 24 s to go"
    )  # 2 jobs left, 80 s for 50 s of jobs


def test_many_running_stacks_are_counted(tmp_path):
    run = Run(tmp_path, [f"s{number}" for number in range(9)])
    for number in range(9):
        run.tell("job_info", f"s{number}", "import_stack")
    assert "s2 (import_stack) and 6 more" in run.progress.line()


def test_failures_are_listed_with_their_reason_and_log(run):
    run.fail("b", "import_stack", "b.tif: cannot be read: give a TIFF")
    run.fail("c", "import_stack")
    run.do("a", "import_stack")
    run.do("a", "measure_objects")
    run.progress.finish()
    assert run.lines[0] == "cellstack: 1 of 3 stacks done, 2 failed, 2 of 7 jobs, after 20 s"
    log = run.folder / "b" / "import_stack.log"
    assert (
        run.lines[1]
        == f"cellstack: failed: b: import_stack: b.tif: cannot be read: give a TIFF; log: {log}"
    )
    assert progress.NO_REASON in run.lines[2]
    assert "--config skip_incomplete_stacks=true" in run.lines[3]
    assert [
        line.split(" ", 1)[1] for line in (run.folder / "progress.log").read_text().splitlines()
    ][1:] == [line.removeprefix("cellstack: ") for line in run.lines]
    assert set(run.failed()) == {"b", "c"}


def test_a_job_that_succeeds_on_retry_has_not_failed(run):
    run.fail("a", "import_stack", "no memory")
    assert set(run.failed()) == {"a"}
    for stack in "abc":
        run.do(stack, "import_stack")
        run.do(stack, "measure_objects")
    run.do(None, "collect_objects")
    run.progress.finish()
    assert run.failed() == {}
    assert "failed" not in " ".join(run.lines)


def test_what_is_under_way_or_waits_when_the_run_ends_has_failed(run):
    run.fail("a", "import_stack", "it broke")
    run.do("b", "import_stack")
    run.tell("job_info", "b", "measure_objects")
    run.progress.finish()
    rows = run.failed()
    assert {stack: (row["stage"], row["reason"]) for stack, row in rows.items()} == {
        "a": ("import_stack", "it broke"),
        "b": ("measure_objects", progress.NOT_ENDED),
        "c": ("import_stack", progress.NOT_BEGUN),
    }
    assert [line.split(":")[2].strip() for line in run.lines[1:4]] == ["a", "b", "c"]
    assert not any("all stacks" in line for line in run.lines)  # they wait for those that failed


def test_a_job_on_all_stacks_that_does_not_end_has_failed(tmp_path):
    run = Run(tmp_path, stacks=())
    run.tell("job_info", None, "collect_objects")
    run.progress.finish()
    assert run.lines[1].startswith(
        f"cellstack: failed: all stacks: collect_objects: {progress.NOT_ENDED}"
    )


def test_many_stacks_that_were_not_started_are_one_line(tmp_path):
    run = Run(tmp_path, [f"s{number}" for number in range(9)])
    run.do("s0", "import_stack")
    run.progress.finish()
    assert len(run.failed()) == 9
    (line,) = [line for line in run.lines if "stopped" in line]
    assert line.startswith("cellstack: failed: 9 stacks (s0, s1, s2, ...)")


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        (
            "non-zero exit status 126",
            "Python could not be started (exit status 126): check that /envs/1/bin/python exists "
            "and can be executed on this machine",
        ),
        (
            "non-zero exit status 127",
            "Python could not be started (exit status 127): check that /envs/1/bin/python exists "
            "and can be executed on this machine",
        ),
        (
            "non-zero exit status 1",
            "ended with exit status 1 before it wrote to its log; see Snakemake's output",
        ),
        ("non-zero exit status 137", progress.NO_REASON),
    ],
)
def test_a_job_without_a_log_is_explained_by_its_exit_status(run, ended, expected):
    run.tell("job_info", "a", "import_stack")
    script = "/envs/1/bin/python '/my study/.snakemake/scripts/tmp1.import_stack.py'"
    error = f"RuleException:\nCalledProcessError in file x, line 1:\nCommand 'set -e;  {script}'"
    run.logger.error(f"{error} returned {ended}.", extra={"event": "error"})
    run.tell("job_error", "a", "import_stack", log=[])
    run.tell("job_error", "b", "import_stack", log=[])  # its own exit status is not known
    assert run.failed()["a"]["reason"] == expected
    assert run.failed()["b"]["reason"] == progress.NO_REASON


def test_failures_of_earlier_runs_stay_until_their_stack_is_complete(tmp_path):
    rows = [
        {"stack": stack, "stage": "denoise", "reason": "why", "log": "x.log"}
        for stack in ("a", "complete", "other")
    ]
    write_rows(tmp_path / "failed.csv", progress.COLUMNS, rows)
    run = Run(tmp_path, complete=["complete"])
    assert set(run.failed()) == {"a", "other"}
    run.do("a", "import_stack")
    assert set(run.failed()) == {"a", "other"}
    run.do("a", "measure_objects")
    assert set(run.failed()) == {"other"}


def test_the_job_with_a_reason_is_named_if_a_group_failed(run):
    run.fail("a", "import_stack")
    run.fail("a", "measure_objects", "it broke")
    assert (run.failed()["a"]["stage"], run.failed()["a"]["reason"]) == (
        "measure_objects",
        "it broke",
    )


def test_other_log_records_are_ignored(run):
    run.progress.handle(logging.LogRecord("x", logging.INFO, "", 1, "text", None, None))
    run.progress.handle(logging.makeLogRecord({"event": "job_info", "jobid": 99}))
    run.progress.handle(logging.makeLogRecord(vars(SimpleNamespace(event="job_started", jobs=[0]))))
    assert run.progress.waiting == set(range(7))


def test_a_read_only_folder_does_not_end_the_run(tmp_path):
    (tmp_path / "file").touch()
    run = Run(tmp_path / "file" / "logs")
    run.tell("job_error", "a", "import_stack", log=[])
    run.progress.finish()
    assert "1 failed" in run.lines[0]
