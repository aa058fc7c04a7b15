"""Snakemake with a status check every POLL seconds (default 1), for tests only.

The intervals of the plugin for Slurm grow by 10 s each time.
"""

import os
import sys

from snakemake.cli import main
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor

POLL = float(os.environ.get("POLL", "1"))

if __name__ == "__main__":
    RemoteExecutor.next_seconds_between_status_checks = property(
        lambda self: POLL, lambda self, value: None
    )
    sys.exit(main())
