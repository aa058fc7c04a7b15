"""How a run gets on: lines that a person can follow, the stacks that failed, and which tables lack a stack.

Snakemake tells its events as log records; :class:`Progress` listens to them. Nothing here needs more than the standard library.
"""

import logging
import os
import time
from collections import Counter
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from cellstack import table_io
from cellstack.errors import InputError

SECONDS = 30  # between two lines
SHOWN = 3  # stacks under way that a line names
COLUMNS = ["stack", "stage", "reason", "log"]
UNTOLD = "ended without a word: killed, out of memory or time, or the disk is full"
FAILED, NOT_RUN = "failed", "not run"


class Job(NamedTuple):
    """A job that a run has to do: its rule, its stack or None for jobs of all stacks, its logs."""

    rule: str
    stack: str | None
    logs: list[str]


class Progress(logging.Handler):
    """Follow a run by Snakemake's log records.

    Parameters
    ----------
    jobs : dict of int to Job
        What has to be done, by the number that Snakemake gives to a job.
    whole : collection of str
        Stacks of this run for which nothing has to be done.
    folder : path-like
        Gets ``progress.log``, to which lines are added, and ``failed.csv``, the stacks that failed when they were last tried.
    say : callable
        Takes each line for the terminal.
    clock : callable
        Gives the time in seconds.
    """

    def __init__(self, jobs, whole, folder, say=lambda line: None, clock=time.monotonic):
        super().__init__()
        self.jobs, self.folder, self.say, self.clock = jobs, Path(folder), say, clock
        self.waiting, self.under_way, self.failed = set(jobs), {}, {}
        self.messages = {}  # what the cluster says of a job that failed, such as that it takes none like it
        self.seconds = {}  # rule: of each finished job
        self.left = Counter(job.stack for job in jobs.values() if job.stack is not None)
        self.whole = set(whole)
        self.start = self.told = clock()
        self.known = {stack: row for stack, row in read_failed(self.folder / "failed.csv").items() if stack not in self.whole}
        self._write_failed()
        self._tell(f"{len(jobs)} jobs for {len(self.left)} stacks", terminal=False)

    def emit(self, record):
        """Take in one event; others than those of jobs are let pass."""
        event = str(getattr(record, "event", None) or "")
        number = getattr(record, "job_id" if event == "job_finished" else "jobid", None)
        if number not in self.jobs or event not in ("job_info", "job_finished", "job_error"):
            return
        if event == "job_info":
            self.waiting.discard(number)
            self.failed.pop(number, None)  # it is tried again
            self.under_way[number] = self.clock()
        elif event == "job_finished":
            self._finish(number)
        elif number in self.under_way or number in self.waiting:
            self.under_way.pop(number, None)
            self.failed[number] = list(getattr(record, "log", None) or self.jobs[number].logs)
            self.messages[number] = " ".join(str(getattr(record, "rule_msg", None) or "").split())
            self._write_failed()
        if self.clock() - self.told >= SECONDS:
            rest = self._rest()
            self._tell(self.line() + ("" if rest is None else f", about {_duration(rest)} to go"))

    def _finish(self, number):
        job = self.jobs[number]
        self.waiting.discard(number)
        self.failed.pop(number, None)
        began = self.under_way.pop(number, None)
        if began is not None:
            self.seconds.setdefault(job.rule, []).append(self.clock() - began)
        if job.stack is not None:
            self.left[job.stack] -= 1
            if self.left[job.stack] == 0 and self.known.pop(job.stack, None):
                self._write_failed()

    def line(self):
        """Say how many stacks and jobs are done and failed, and which are under way."""
        done = len(self.whole) + sum(count == 0 for count in self.left.values())
        parts = [f"{done} of {len(self.whole) + len(self.left)} stacks done"]
        failed = {self.jobs[number].stack for number in self.failed} - {None}
        if failed:
            parts.append(f"{len(failed)} failed")
        stages = {}
        for number in self.under_way:
            job = self.jobs[number]
            stages.setdefault(job.stack or "all stacks", []).append(job.rule)
        if stages:
            what = {stack: rules[0] if len(rules) == 1 else f"{len(rules)} stages" for stack, rules in stages.items()}
            named = [f"{stack} ({rules})" for stack, rules in list(what.items())[:SHOWN]]
            more = f" and {len(stages) - SHOWN} more" if len(stages) > SHOWN else ""
            parts.append(f"under way: {', '.join(named)}{more}")
        parts.append(f"{len(self.jobs) - len(self.waiting) - len(self.under_way) - len(self.failed)} of {len(self.jobs)} jobs")
        return ", ".join(parts)

    def _rest(self):
        """Guess the seconds to go from those that the jobs of each rule took so far, None before there is something to go by."""
        finished = [seconds for each in self.seconds.values() for seconds in each]
        if len(finished) < max(5, len(self.jobs) // 50):
            return None
        mean = sum(finished) / len(finished)
        cost = {rule: sum(each) / len(each) for rule, each in self.seconds.items()}
        to_do = sum(cost.get(self.jobs[number].rule, mean) for number in [*self.waiting, *self.under_way])
        return (self.clock() - self.start) * to_do / sum(finished)

    def finish(self):
        """Say how the run ended, and list the stacks that failed, with the reason and the log of each."""
        self._write_failed()
        self._tell(f"{self.line()}, after {_duration(self.clock() - self.start)}")
        failures = self._failures()
        for row in failures:
            self._tell(f"failed: {row['stack'] or 'all stacks'}: {row['stage']}: {row['reason']}; log: {row['log']}")
        if any(row["stack"] for row in failures):
            self._tell("cure these and give the same command again; for the tables of the other stacks add --config partial=true")

    def _failures(self):
        rows = []
        for number, logs in sorted(self.failed.items()):
            job = self.jobs[number]
            why = reason(logs)
            if why == UNTOLD and self.messages[number]:
                why = f"{why}; {self.messages[number]}"
            rows.append({"stack": job.stack or "", "stage": job.rule, "reason": why, "log": " ".join(logs)})
        # of a group of jobs that failed as one, those that say nothing are not to blame
        told = {row["stack"] for row in rows if not row["reason"].startswith(UNTOLD)}
        rows = [row for row in rows if not row["reason"].startswith(UNTOLD) or row["stack"] not in told]
        return list({row["stack"]: row for row in reversed(rows)}.values())[::-1]

    def _write_failed(self):
        self.known |= {row["stack"]: row for row in self._failures() if row["stack"]}
        path = self.folder / "failed.csv"
        with suppress(OSError, InputError):  # a full disk must not end the run; the terminal tells all the same
            if self.known:
                table_io.write_rows(path, COLUMNS, self.known.values())
            else:
                path.unlink(missing_ok=True)

    def _tell(self, line, terminal=True):
        self.told = self.clock()
        if terminal:
            self.say(f"cellstack: {line}")
        with suppress(OSError):  # see above
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / "progress.log").open("a", encoding="utf-8") as file:
                file.write(f"{datetime.now().astimezone().isoformat(timespec='seconds')} {line}\n")


def _duration(seconds):
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def reason(logs):
    """Give the line of a job's logs that says why it failed.

    Parameters
    ----------
    logs : list of path-like
        Of one job; the last lines are read.

    Returns
    -------
    str
        The last line of level ERROR, without the level, which :mod:`cellstack.job` writes when a stage fails.
    """
    for path in logs:
        try:
            with Path(path).open("rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - 65536))
                lines = file.read().decode("utf-8", "replace").splitlines()
        except OSError:
            continue
        told = [line.removeprefix("ERROR ") for line in lines if line.startswith("ERROR ")]
        if told:
            return told[-1].partition(": ")[2] or told[-1]
    return UNTOLD


def read_failed(path):
    """Read the stacks that failed when they were last tried.

    Parameters
    ----------
    path : path-like
        ``failed.csv`` of a run.

    Returns
    -------
    dict of str to dict of str to str
        Stage, reason and log by stack; empty where there is no such file.
    """
    return {row["stack"]: row for row in table_io.read_rows(path)} if Path(path).is_file() else {}


def missing_stacks(stacks, results, failed):
    """Tell which stacks have no tables, or old ones, and why.

    Parameters
    ----------
    stacks : dict of str to list of str
        The kinds of object that are found in each stack in use.
    results : path-like
        The folder of results.
    failed : path-like
        ``failed.csv`` of the last run.

    Returns
    -------
    dict of str to dict of str to str
        ``status`` and ``flags`` for the table of stacks, by stack.
    """
    rows = read_failed(failed)
    missing = {}
    for stack, kinds in stacks.items():
        tables = [Path(results, stack, kind, f"{table}.csv") for kind in kinds for table in ("objects", "summary")]
        if stack in rows:
            row = rows[stack]
            missing[stack] = {"status": FAILED, "flags": f"{row['stage']}: {row['reason']} (log: {row['log']})"}
        elif not all(table.is_file() for table in tables):
            missing[stack] = {"status": NOT_RUN, "flags": NOT_RUN}
    return missing
