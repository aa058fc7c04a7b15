"""Snakemake with status checks every POLL seconds (default 1), in place of the plugin's pauses that grow by 10 s. For tests only."""

import os
import sys

from snakemake.cli import main
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor

POLL = float(os.environ.get("POLL", "1"))
RemoteExecutor.next_seconds_between_status_checks = property(lambda self: POLL, lambda self, value: None)
sys.exit(main())
