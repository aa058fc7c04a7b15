"""Progress of a run: lines for the terminal, and the stacks that failed.

Snakemake reports events as log records. :class:`Progress` is a logging handler that follows them.
"""

import logging
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from cellstack.config.study import Study
from cellstack.config.units import Unit
from cellstack.core.counting import counted
from cellstack.errors import InputError
from cellstack.files import tables
from cellstack.run.cluster import check_slurm
from cellstack.run.failed import COLUMNS, read_failed
from cellstack.run.folders import check_folders
from cellstack.run.hints import flagged_groups, flagged_stacks, how_to_look
from cellstack.run.history import History
from cellstack.run.leftovers import describe_leftovers, find_leftovers

SECONDS_BETWEEN_LINES = 30
MAX_STACKS_NAMED = 3
PAGES = ("write_index", "write_evaluation")  # rules of pages about all stacks
NO_REASON = "no message in the log: killed, out of memory or time, or the disk is full"
NOT_STARTED = (
    "Python could not be started (exit status {status}): check that {python} exists and can be "
    "executed on this machine"
)
NO_LOG = "ended with exit status {status} before it wrote to its log; see Snakemake's output"
NOT_ENDED = "did not end: the run was stopped, or Snakemake rejected its files, see its output"
NOT_BEGUN = "was not started: the run was stopped"
EXIT_STATUS = re.compile(r";\s+(\S+) .*' returned non-zero exit status (\d+)")  # of a script
CANNOT_START = ("126", "127")
SIGNALLED = 128  # exit statuses from here on are signals
LOG_TAIL_BYTES = 65536


class Job(NamedTuple):
    """A job of a run: its rule, its stack (None for jobs on all stacks) and its log files."""

    rule: str
    stack: str | None
    logs: list[str]


class Progress(logging.Handler):
    """Follow a run by Snakemake's log records.

    Parameters
    ----------
    jobs : dict of int to Job
        The jobs to be run, by Snakemake's number.
    complete : collection of str
        Stacks of this run for which nothing has to be run.
    folder : path-like
        Folder of ``progress.log``, to which lines are appended, and of ``failed.csv``, the stacks
        that failed when they were last tried.
    say : callable
        Takes each line for the terminal.
    clock : callable
        Return the time in seconds.
    """

    def __init__(
        self,
        jobs: dict[int, Job],
        complete: Collection[str],
        folder: str | Path,
        say: Callable[[str], object] = lambda line: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.jobs, self.folder, self.say, self.clock = jobs, Path(folder), say, clock
        self.waiting = set(jobs)
        self.running: dict[int, float] = {}  # start of each job
        self.failed: dict[int, list[str]] = {}  # logs of each job
        self.messages: dict[int, str] = {}  # of the cluster, such as a request it cannot fulfil
        self.errors: dict[int | None, str] = {}  # the last error of Snakemake, by thread
        self.exits: dict[int, str] = {}  # how each failed job ended, if that is known
        self.seconds: dict[str, list[float]] = {}  # of each finished job, by rule
        self.left = Counter(job.stack for job in jobs.values() if job.stack is not None)
        self.complete = set(complete)
        self._ended = False
        self.start = self.last_line = clock()
        known = read_failed(self.folder / "failed.csv")
        self.known = {stack: row for stack, row in known.items() if stack not in self.complete}
        self._write_failed()
        self.tell(self.plan(), terminal=False)

    def emit(self, record: logging.LogRecord) -> None:
        """Handle a log record, if it is an event of a job."""
        event = str(getattr(record, "event", None) or "")
        if event == "error":  # followed by the event of the job, in the same thread
            self.errors[record.thread] = record.getMessage()
        number = getattr(record, "job_id" if event == "job_finished" else "jobid", None)
        if number not in self.jobs or event not in ("job_info", "job_finished", "job_error"):
            return
        if event == "job_info":
            self.waiting.discard(number)
            self.failed.pop(number, None)  # a retry
            self.running[number] = self.clock()
        elif event == "job_finished":
            self._finish_job(number)
        elif number in self.running or number in self.waiting:
            self.running.pop(number, None)
            self.failed[number] = list(getattr(record, "log", None) or self.jobs[number].logs)
            message = str(getattr(record, "rule_msg", None) or "")
            self.messages[number] = " ".join(message.split())
            self.exits[number] = _exit_reason(self.errors.pop(record.thread, ""))
            self._write_failed()
        if self.clock() - self.last_line >= SECONDS_BETWEEN_LINES:
            remaining = self._remaining_seconds()
            rest = "" if remaining is None else f", about {_duration(remaining)} to go"
            self.tell(self.line() + rest)

    def _finish_job(self, number: int) -> None:
        job = self.jobs[number]
        self.waiting.discard(number)
        self.failed.pop(number, None)
        start = self.running.pop(number, None)
        if start is not None:
            self.seconds.setdefault(job.rule, []).append(self.clock() - start)
        if job.stack is not None:
            self.left[job.stack] -= 1
            if self.left[job.stack] == 0 and job.stack in self.known:
                del self.known[job.stack]
                self._write_failed()

    def plan(self) -> str:
        """Return how many jobs have to be run, and for how many of all stacks."""
        jobs = counted(len(self.jobs), "jobs")
        if not self.left:
            return jobs
        stacks = counted(len(self.left) + len(self.complete), "stacks")
        some = f"{len(self.left)} of " if self.complete else ""
        return f"{jobs} for {some}{stacks}"

    def line(self) -> str:
        """Return how many stacks and jobs are done and failed, and which are running."""
        parts = []
        if stacks := len(self.complete) + len(self.left):
            done = len(self.complete) + sum(count == 0 for count in self.left.values())
            parts.append(f"{done} of {counted(stacks, 'stacks')} done")
        failed = {self.jobs[number].stack for number in self.failed} - {None}
        if failed:
            parts.append(f"{len(failed)} failed")
        stages: dict[str, list[str]] = {}
        for number in self.running:
            job = self.jobs[number]
            stages.setdefault(job.stack or "all stacks", []).append(job.rule)
        if stages:
            named = []
            for stack, rules in list(stages.items())[:MAX_STACKS_NAMED]:
                named.append(f"{stack} ({rules[0] if len(rules) == 1 else f'{len(rules)} stages'})")
            others = len(stages) - MAX_STACKS_NAMED
            more = f" and {others} more" if others > 0 else ""
            parts.append(f"running: {', '.join(named)}{more}")
        open_jobs = len(self.waiting) + len(self.running) + len(self.failed)
        parts.append(f"{len(self.jobs) - open_jobs} of {counted(len(self.jobs), 'jobs')}")
        return ", ".join(parts)

    def _remaining_seconds(self) -> float | None:
        """Estimate the time left from finished jobs of the same rules; None if too few finished."""
        finished = [seconds for each in self.seconds.values() for seconds in each]
        if len(finished) < max(5, len(self.jobs) // 50):
            return None
        mean = sum(finished) / len(finished)
        cost = {rule: sum(each) / len(each) for rule, each in self.seconds.items()}
        to_do = [*self.waiting, *self.running]
        left = sum(cost.get(self.jobs[number].rule, mean) for number in to_do)
        return (self.clock() - self.start) * left / sum(finished)

    def finish(self) -> None:
        """Report how the run ended, and the reason and log of each stack that failed."""
        self._ended = True
        self._write_failed()
        self.tell(f"{self.line()}, after {_duration(self.clock() - self.start)}")
        failures = self._failures()
        not_begun = [row["stack"] for row in failures if row["reason"] == NOT_BEGUN]
        if len(not_begun) > MAX_STACKS_NAMED:
            names = ", ".join(not_begun[:MAX_STACKS_NAMED])
            self.tell(
                f"failed: {len(not_begun)} stacks ({names}, ...): the run was stopped before they "
                f"were started; all are listed in {self.folder / 'failed.csv'}"
            )
        for row in failures:
            if row["stack"] in not_begun and len(not_begun) > MAX_STACKS_NAMED:
                continue
            stack = row["stack"] or "all stacks"
            self.tell(f"failed: {stack}: {row['stage']}: {row['reason']}; log: {row['log']}")
        if any(row["stack"] for row in failures):
            self.tell(
                "fix these errors and run the same command again; "
                "for tables of the other stacks add --config skip_incomplete_stacks=true"
            )

    def _failures(self) -> list[dict[str, str]]:
        rows = []
        for number, logs in sorted(self.failed.items()):
            job = self.jobs[number]
            why = reason(logs)
            if why == NO_REASON:
                why = self.exits[number] or why
            if why == NO_REASON and self.messages[number]:
                why = f"{why}; {self.messages[number]}"
            row = {"stack": job.stack or "", "stage": job.rule, "reason": why}
            rows.append(row | {"log": " ".join(logs)})
        if self._ended:
            rows += self._unfinished({row["stack"] for row in rows})
        # if a group of jobs failed as one, only the jobs with a message actually failed
        explained = {row["stack"] for row in rows if not row["reason"].startswith(NO_REASON)}
        kept = []
        for row in rows:
            if not row["reason"].startswith(NO_REASON) or row["stack"] not in explained:
                kept.append(row)
        return list({row["stack"]: row for row in reversed(kept)}.values())[::-1]

    def _unfinished(self, failed: Collection[str]) -> list[dict[str, str]]:
        """Return a row for each stack that did not fail and has jobs that did not end."""
        rows: dict[str, dict[str, str]] = {}
        for numbers, why in ((self.running, NOT_ENDED), (self.waiting, NOT_BEGUN)):
            for number in sorted(numbers):
                job = self.jobs[number]
                stack = job.stack or ""
                # jobs on all stacks wait for stacks that failed
                if stack not in failed and (stack or number in self.running or not failed):
                    row = {"stack": stack, "stage": job.rule, "reason": why}
                    rows.setdefault(stack, row | {"log": " ".join(job.logs)})
        if len(rows) > 1 and rows.get("", {}).get("reason") == NOT_BEGUN:
            del rows[""]
        return list(rows.values())

    def _write_failed(self) -> None:
        self.known |= {row["stack"]: row for row in self._failures() if row["stack"]}
        path = self.folder / "failed.csv"
        with suppress(OSError, InputError):  # a full disk must not end the run
            if self.known:
                tables.write_rows(path, COLUMNS, self.known.values())
            else:
                path.unlink(missing_ok=True)

    def tell(self, line: str, terminal: bool = True) -> None:
        """Write a line to the terminal and to progress.log."""
        self.last_line = self.clock()
        if terminal:
            self.say(f"cellstack: {line}")
        with suppress(OSError):  # a full disk must not end the run
            self.folder.mkdir(parents=True, exist_ok=True)
            now = datetime.now().astimezone().isoformat(timespec="seconds")
            with (self.folder / "progress.log").open("a", encoding="utf-8") as file:
                file.write(f"{now} {line}\n")


class Watch:
    """Follow a run of Snakemake from its start to its end.

    Parameters
    ----------
    workflow : snakemake.workflow.Workflow
    history : History
        Records how each result is made.
    study : Study
    """

    def __init__(self, workflow: Any, history: History, study: Study) -> None:
        self._workflow, self._history, self._incomplete = workflow, history, study.incomplete
        self._in_sheet = {*study.stacks, *study.excluded}
        self._made: set[Path] = set()
        self._logs = workflow.pathvars.get("logs")
        self._progress: Progress | None = None
        self._has_tables = False
        self._pages: list[str] = []
        # the folder of cellstack, also if it is a module of another Snakefile
        self._folder = Path(str(workflow.current_basedir)).parent

    def start(self) -> None:
        """Follow the jobs that Snakemake is about to run, if their folders can be written to."""
        from snakemake.logging import logger

        if self._workflow.executor_plugin.name == "slurm":
            check_slurm()
        check_folders([self._workflow.pathvars.get("results"), self._logs])

        dag = self._workflow.dag
        jobs = {
            dag.jobid(job): Job(job.rule.name, _stack_of(job), [str(log) for log in job.log])
            for job in dag.needrun_jobs()
            if job.rule.name != "all"
        }
        self._made = {Path(str(output)) for job in dag.jobs for output in job.output}
        self._has_tables = any(job.rule.name == "collect_stacks" for job in dag.jobs)
        self._pages = [job.output[0] for name in PAGES for job in dag.jobs if job.rule.name == name]
        to_do = {job.stack for job in jobs.values()}
        stacks = {_stack_of(job) for job in dag.jobs}
        complete = {stack for stack in stacks if stack is not None and stack not in to_do}
        say = partial(print, file=sys.stderr, flush=True)  # whatever --quiet leaves out
        if self._incomplete:
            say(
                f"cellstack: the tables will lack {counted(len(self._incomplete), 'stacks')}, "
                "listed at the end of results/stacks.csv"
            )
        self._progress = Progress(jobs, complete, self._logs, say)
        say(f"cellstack: {self._progress.plan()}")
        logger.addHandler(self._progress)
        self._history.follow(
            self._workflow.persistence,
            {dag.jobid(job): list(job.output) for job in dag.needrun_jobs()},
            (output for job in dag.jobs if not dag.needrun(job) for output in job.output),
        )
        logger.addHandler(self._history)
        # otherwise --quiet progress suppresses the events at the end of jobs
        self._workflow.scheduler.print_progress = True

    def finish(self) -> None:
        """Report how the run ended."""
        from snakemake.logging import logger

        if self._progress is not None:
            logger.removeHandler(self._progress)
            logger.removeHandler(self._history)
            self._progress.finish()
            if self._has_tables and not self._progress.failed:
                table = Path(self._workflow.pathvars.get("results"), "stacks.csv")
                script = self._folder / "scripts" / "view.py"
                groups = table.with_name("groups.csv")
                doubts = flagged_groups(groups) if groups in self._made else []
                old = find_leftovers(table.parent, self._made, self._in_sheet)
                listing = Path(self._logs, "leftovers.txt")
                listing.parent.mkdir(parents=True, exist_ok=True)
                listing.write_text("".join(f"{path}\n" for path in old), encoding="utf-8")
                lines = [*flagged_stacks(table), *doubts, *describe_leftovers(old, listing)]
                for line in [*lines, *how_to_look(table, script)]:
                    self._progress.tell(line)
            if self._pages and not self._progress.failed:
                self._progress.tell(f"open in a browser: {', '.join(self._pages)}")
            self._history.finish()


def _stack_of(job: Any) -> str | None:
    """Return the stack of a job, as the sheet names it."""
    path = job.wildcards_dict.get("stack")
    return None if path is None else Unit.parse(path).stack


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _exit_reason(error: str) -> str:
    """Return from Snakemake's error how a job without a message ended; empty if killed."""
    found = EXIT_STATUS.search(error)
    if found is None or int(found[2]) >= SIGNALLED:
        return ""
    python, status = found.groups()
    message = NOT_STARTED if status in CANNOT_START else NO_LOG
    return message.format(status=status, python=python)


def reason(logs: Iterable[str | Path]) -> str:
    """Return the line of a job's logs that says why it failed.

    Parameters
    ----------
    logs : iterable of path-like
        Log files of one job.

    Returns
    -------
    str
        The last line of level ERROR, without the level; see :mod:`cellstack.run.job`.
    """
    for path in logs:
        try:
            with Path(path).open("rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - LOG_TAIL_BYTES))
                lines = file.read().decode("utf-8", "replace").splitlines()
        except OSError:
            continue
        errors = [line.removeprefix("ERROR ") for line in lines if line.startswith("ERROR ")]
        if errors:
            return errors[-1].partition(": ")[2] or errors[-1]
    return NO_REASON
