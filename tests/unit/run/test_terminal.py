"""The short output on the terminal, from log records like Snakemake's."""

import logging
from types import SimpleNamespace

import pytest
from snakemake.logging import logger

from cellstack.run import terminal
from cellstack.run.terminal import ShortOutput, shorten_output


def shown(message, dryrun=False, **extra):
    record = logging.makeLogRecord({"msg": message} | extra)
    return ShortOutput(SimpleNamespace(dryrun=dryrun)).filter(record)


@pytest.mark.parametrize("event", sorted(terminal.OF_JOBS))
def test_what_concerns_a_job_is_not_shown(event):
    assert not shown("rule denoise:", event=event)
    assert not shown("rule denoise:", event=event, dryrun=True)


@pytest.mark.parametrize(
    "message",
    [
        "Building DAG of jobs...",
        "Select jobs to execute...",
        "Assuming unrestricted shared filesystem usage.",
    ],
)
def test_routine_messages_are_not_shown(message):
    assert not shown(message)
    assert not shown("Workflow has started!", event="workflow_started", quietness="host")


@pytest.mark.parametrize(
    "message",
    [
        "Nothing to be done (all requested files are present and up to date).",
        "Complete log(s): /a/.snakemake/log/b.log",
        "This was a dry-run (flag -n).",
    ],
)
def test_other_messages_are_shown(message):
    assert shown(message)


def test_errors_are_shown_unless_the_script_has_printed_them():
    script = (
        "CalledProcessError in file /a.smk, line 1:\nCommand 'python .snakemake/scripts/tmp.b.py'"
    )
    assert not shown(f"RuleException:\n{script}", event="error")
    assert shown("MissingOutputException in rule denoise", event="error")
    assert shown("WorkflowError:\nconfig.denoise: unknown key", event="error")


def test_a_dry_run_counts_its_jobs_once(capsys):
    record = logging.makeLogRecord({"msg": "Job stats", "event": "run_info"})
    assert not ShortOutput(SimpleNamespace(dryrun=False)).filter(record)
    brief = ShortOutput(SimpleNamespace(dryrun=True))
    assert [brief.filter(record) for _ in range(3)] == [True, False, False]
    assert capsys.readouterr().err == "cellstack: to list each job, add -p\n"


@pytest.mark.parametrize(
    ("options", "is_short"),
    [
        ({}, True),
        ({"quiet": {"RULES"}}, False),
        ({"printshellcmds": True}, False),
        ({"verbose": True}, False),
        ({"debug_dag": True}, False),
    ],
)
def test_an_option_for_the_output_is_respected(options, is_short):
    none = {"quiet": None, "printshellcmds": False, "verbose": False, "debug_dag": False}
    settings = SimpleNamespace(**none | options, dryrun=False)
    workflow = SimpleNamespace(output_settings=settings, is_main_process=True, dryrun=False)
    handlers = [logging.StreamHandler(), logging.StreamHandler()]
    handlers[0].name, handlers[1].name = terminal.STREAM_HANDLER, "DefaultLogFileHandler"
    for handler in handlers:
        logger.addHandler(handler)
    try:
        shorten_output(workflow)
    finally:
        for handler in handlers:
            logger.removeHandler(handler)
    assert [len(handler.filters) for handler in handlers] == [is_short, 0]
    assert settings.quiet == options.get("quiet")
