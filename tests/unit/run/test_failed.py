"""The stacks that the tables of a run lack."""

from cellstack.files.tables import write_rows
from cellstack.run.failed import COLUMNS, missing_stacks


def test_stacks_that_tables_lack(tmp_path):
    for stack in ("good", "old", "half"):
        (tmp_path / stack / "nuclei").mkdir(parents=True)
        for table in ("objects", "summary"):
            (tmp_path / stack / "nuclei" / f"{table}.csv").touch()
    write_rows(
        tmp_path / "failed.csv",
        COLUMNS,
        [{"stack": "old", "stage": "denoise", "reason": "why", "log": "x.log"}],
    )
    missing = missing_stacks(
        {"good": ["nuclei"], "old": ["nuclei"], "new": ["nuclei"], "half": ["nuclei", "cells"]},
        tmp_path,
        tmp_path / "failed.csv",
    )
    assert missing == {
        "old": {"status": "failed", "flags": "denoise: why (log: x.log)"},
        "new": {"status": "not run", "flags": "not run"},
        "half": {"status": "not run", "flags": "not run"},
    }
