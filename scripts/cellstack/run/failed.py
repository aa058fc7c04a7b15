"""The table of the stacks that failed, and the stacks that the tables of a run lack."""

from pathlib import Path

from cellstack.files import tables

COLUMNS = ["stack", "stage", "reason", "log"]
FAILED, NOT_RUN = "failed", "not run"


def read_failed(path: str | Path) -> dict[str, dict[str, str]]:
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
    if not Path(path).is_file():
        return {}
    return {row["stack"]: row for row in tables.read_rows(path)}


def missing_stacks(
    stacks: dict[str, list[str]], results: str | Path, failed: str | Path
) -> dict[str, dict[str, str]]:
    """Return the stacks that have no tables, or outdated ones, and why.

    Parameters
    ----------
    stacks : dict of str to list of str
        The kinds of object that are found in each stack.
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
    for stack, objects in stacks.items():
        files = [
            Path(results, stack, kind, f"{table}.csv")
            for kind in objects
            for table in ("objects", "summary")
        ]
        if stack in rows:
            row = rows[stack]
            flags = f"{row['stage']}: {row['reason']} (log: {row['log']})"
            missing[stack] = {"status": FAILED, "flags": flags}
        elif not all(file.is_file() for file in files):
            missing[stack] = {"status": NOT_RUN, "flags": NOT_RUN}
    return missing
