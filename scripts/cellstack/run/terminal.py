"""A short output on the terminal: cellstack's own lines, and the warnings and errors of Snakemake.

Snakemake prints some lines for each job, thousands for a few dozen stacks. They remain in its log
file, which has the same filter as the terminal if ``--quiet`` is used instead.
"""

import logging
import re
import sys
from typing import Any

STREAM_HANDLER = "DefaultStreamHandler"  # Snakemake's name for it
OF_JOBS = {
    "job_info",
    "job_started",
    "job_finished",
    "job_error",  # its script and the end of the run report the error in one line
    "group_info",
    "group_error",
    "shellcmd",
    "progress",
    "resources_info",
}
END_OF_DRY_RUN = "This was a dry-run (flag -n)."
ROUTINE = re.compile(
    r"Assuming unrestricted shared filesystem|Building DAG of jobs|Select jobs to execute"
    r"|Conda environments: ignored|Singularity containers: ignored|Group jobs: inactive|Using shell"
)
OF_A_SCRIPT = re.compile(
    r"CalledProcessError in file .*\nCommand '.*\.snakemake/scripts/", re.DOTALL
)


class ShortOutput(logging.Filter):
    """Leave out what Snakemake reports about single jobs.

    Parameters
    ----------
    workflow : snakemake.workflow.Workflow
        If it is a dry run, the number of jobs by rule is shown.
    """

    def __init__(self, workflow: Any) -> None:
        super().__init__()
        self._workflow = workflow
        self._has_counted = False

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is shown."""
        event = str(getattr(record, "event", None) or "")
        if event == "run_info":
            if self._has_counted or not self._workflow.dryrun:
                return False
            self._has_counted = True
            print("cellstack: to list each job, add -p", file=sys.stderr, flush=True)
            return True
        message = record.getMessage()
        if event == "error":
            return not OF_A_SCRIPT.search(message)
        is_about_host = hasattr(record, "quietness")
        return event not in OF_JOBS and not is_about_host and not ROUTINE.match(message)


class DryRun(logging.Handler):
    """Report why jobs are planned, at the end of a dry run that does not go through its jobs.

    Parameters
    ----------
    workflow : snakemake.workflow.Workflow
    """

    def __init__(self, workflow: Any) -> None:
        super().__init__()
        self._workflow = workflow

    def emit(self, record: logging.LogRecord) -> None:
        """Handle a log record, if it is the table of the jobs by rule."""
        if getattr(record, "event", None) == "run_info":
            from snakemake.logging import logger

            self._workflow.dag.print_reasons()
            self._workflow.log_provenance_info()
            logger.info(END_OF_DRY_RUN)


def shorten_output(workflow: Any) -> None:
    """Shorten the output of a run, unless an option asks for more or less of it.

    A dry run then ends with the number of jobs by rule and the reasons. Otherwise, Snakemake goes
    through all jobs for the lines that it prints for each, which takes a quarter of the time.

    Parameters
    ----------
    workflow : snakemake.workflow.Workflow
    """
    from snakemake.logging import logger
    from snakemake.settings.enums import Quietness

    settings = workflow.output_settings
    asked = settings.quiet or settings.verbose or settings.printshellcmds or settings.debug_dag
    if asked or not workflow.is_main_process:
        return
    for handler in logger.handlers:
        if handler.name == STREAM_HANDLER:
            handler.addFilter(ShortOutput(workflow))
    if settings.dryrun:
        settings.quiet = {Quietness.RULES, Quietness.PROGRESS}
        logger.addHandler(DryRun(workflow))
