"""Run a script as a job of Snakemake or from the command line.

A script defines ``main`` with keyword arguments named like the inputs, outputs and params of its
rule, and ends with ``job.run(main)``. Snakemake and the command line pass the same values to the
same function, so the files are identical.
"""

import gc
import inspect
import json
import logging
import os
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeAlias, get_args

from cellstack.config import lengths
from cellstack.core import parallel
from cellstack.errors import InputError
from cellstack.files import fingerprints
from cellstack.run.alternatives import record_failures

log = logging.getLogger("cellstack")

Arguments = dict[str, Any]
Main: TypeAlias = Callable[..., Sequence[Path] | None]
RERUN_PARAMS = ("source", "stamp", "named_params")  # only there to re-run a job when they change


def run(main: Main) -> None:
    """Run `main` if its module was started as a program; do nothing if it was imported.

    Parameters
    ----------
    main : callable
        The stage. Parameters annotated ``Path`` or ``list[Path]`` are files; ``dict`` and ``list``
        are written as JSON on the command line. Lengths such as "0.05 d" among the params are
        converted to um, with the diameter in the file that is the input `diameter`. The number of
        threads of the job limits all libraries; `main` gets it if it has a parameter `threads`. It
        can return files that it read besides those named in the sheet; the job runs again when they
        change.

    Raises
    ------
    SystemExit
        With status 1 if `main` failed. The log of the rule then has the traceback, and standard
        error one line.
    """
    if main.__module__ != "__main__":
        return
    gc.freeze()  # what was imported stays until the end, and need not be searched for garbage
    snakemake = main.__globals__.get("snakemake")
    if snakemake is None:
        arguments, threads = _from_command_line(main)
        logfile = None
        name = Path(sys.argv[0]).stem
    else:
        arguments, threads = _from_snakemake(main, snakemake), snakemake.threads
        logfile = str(snakemake.log[0]) if snakemake.log else None
        name = _job_name(snakemake)
    try:
        _start_log(logfile)
    except OSError as error:
        advice = "free disk space or change its permissions, then run the same command again"
        print(f"{name}: {logfile}: cannot be written ({error.strerror}): {advice}", file=sys.stderr)
        sys.exit(1)
    if snakemake is not None:
        log.info("command: %s", _command_line(main, snakemake, arguments, threads))
    parallel.limit_threads(threads)
    if "threads" in inspect.signature(main).parameters:
        arguments["threads"] = threads
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # sent by clusters at a time limit
    try:
        others = record_failures(main, snakemake)(**_with_sizes(main, arguments))
        if snakemake is not None and snakemake.params.get("image"):
            stamp = snakemake.params.stamp
            image, output = snakemake.params.image, snakemake.output[0]
            fingerprints.write_record(image, output, stamp, others or ())
        cpu_seconds = sum(os.times()[:4])  # with child processes
        log.info("took %.2f CPU seconds, at most %d MB", cpu_seconds, _peak_memory())
    except KeyboardInterrupt:
        log.error("%s: interrupted (Ctrl-C, cancelled, or the time limit): run it again", name)
        sys.exit(130)
    except Exception as error:
        expected = isinstance(error, InputError)
        if not (logfile or expected):
            raise
        message = str(error)
        if not expected:
            message = f"{type(error).__name__}: {' '.join(message.split())}"
        if logfile:
            log.exception("%s failed", name)
            log.error("%s: %s", name, message)  # the last line of the log, see progress.reason
        where = "" if expected else f" (traceback in {logfile})"
        print(f"{name}: {message}{where}", file=sys.stderr)
        sys.exit(1)


def _start_log(logfile: str | None) -> None:
    # the log is overwritten, so that it has the reason of the last attempt only
    where: dict[str, Any] = {}
    if logfile:
        where = {"filename": logfile, "filemode": "w", "encoding": "utf-8"}
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", **where)
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # a log on a full disk is no reason for a traceback


def _peak_memory() -> float:
    """Return the peak memory of this process in MB.

    Snakemake's benchmark files sample the memory, and miss the peak of short jobs.
    """
    status = Path("/proc/self/status")  # getrusage starts with the peak of the parent process
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # macOS, in bytes


def _job_name(snakemake: Any) -> str:
    wildcards = " ".join(str(value) for value in snakemake.wildcards)
    return f"{snakemake.rule} {wildcards}".strip()


def _with_sizes(main: Main, arguments: Arguments) -> Arguments:
    """Convert sizes that depend on the diameter to um.

    The file of the diameter is passed on only if `main` has a parameter `diameter`.
    """
    given = arguments.get("diameter")
    if "diameter" not in inspect.signature(main).parameters:
        arguments = {name: value for name, value in arguments.items() if name != "diameter"}
    if not given:
        settings = {
            name: value
            for name, value in arguments.items()
            if lengths.is_size(value) or name in ("options", "steps")
        }
        if lengths.has_sizes(settings):
            raise InputError(
                f"these sizes depend on a diameter that is not known: {settings}; "
                "give it in um as --diameter, or a file that holds it"
            )
        return arguments
    if isinstance(given, list):
        found = lengths.read_diameter(given[0])
    else:
        found = {"diameter_um": given, "source": "given"}
    log.info("diameter: %g um, %s", found["diameter_um"], found["source"])
    converted: Arguments = lengths.in_um(arguments, found["diameter_um"])
    return converted


def _from_snakemake(main: Main, snakemake: Any) -> Arguments:
    named: Arguments = dict(snakemake.input.items()) | dict(snakemake.output.items())
    for name, value in snakemake.params.items():
        if value is not None or name not in named:  # an image is an input or a param
            named[name] = value
    for name in RERUN_PARAMS:
        named.pop(name, None)
    parameters = inspect.signature(main).parameters
    unknown = sorted(named.keys() - parameters.keys() - {"diameter"})
    missing = [name for name, each in parameters.items() if each.default is each.empty]
    missing = sorted(set(missing) - named.keys() - {"threads"})
    if unknown or missing:
        raise TypeError(
            f"rule {snakemake.rule} and main() differ: "
            f"main() does not take {unknown}, the rule does not give {missing}"
        )
    arguments = {}
    for name, value in named.items():
        kind = parameters[name].annotation if name in parameters else list[Path]
        arguments[name] = _as_paths(value, kind)
    return arguments


def _as_paths(value: Any, annotation: Any) -> Any:
    if annotation is Path:
        return Path(value)
    if annotation == list[Path]:
        return [Path(value)] if isinstance(value, str) else [Path(each) for each in value]
    return value


def _command_line(main: Main, snakemake: Any, arguments: Arguments, threads: int) -> str:
    """Return the command that runs the script with the same arguments from a shell."""
    # Snakemake runs a copy of the script: .snakemake/scripts/tmpXXXX.NAME.py
    script = Path(sys.argv[0]).name.partition(".")[2]
    words = ["python", os.path.normpath(f"{snakemake.scriptdir}/{script}")]
    parameters = inspect.signature(main).parameters
    for name, value in arguments.items():
        is_files = name not in parameters or parameters[name].annotation == list[Path]
        if value is None or (is_files and not value):
            continue  # the default
        words.append(f"--{name.replace('_', '-')}")
        if is_files:
            words += map(str, value)
        elif isinstance(value, (str, Path, int, float)) and not isinstance(value, bool):
            words.append(str(value))
        else:
            words.append(json.dumps(value, ensure_ascii=False))
    return shlex.join([*words, "--threads", str(threads)])


def _without_none(annotation: Any) -> Any:
    """Return X for ``X | None``; None is the default and is not written on a command line."""
    if not isinstance(annotation, UnionType):
        return annotation
    kinds = [kind for kind in get_args(annotation) if kind is not NoneType]
    return kinds[0] if len(kinds) == 1 else annotation


def _from_command_line(main: Main) -> tuple[Arguments, int]:
    import argparse

    parser = argparse.ArgumentParser(
        description=inspect.getdoc(main), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parameters = inspect.signature(main).parameters
    for name, parameter in parameters.items():
        if name == "threads":
            continue
        kind = _without_none(parameter.annotation)
        options: dict[str, Any] = {
            "required": parameter.default is parameter.empty,
            "default": parameter.default,
        }
        if kind == list[Path]:
            options |= {"type": Path, "nargs": "+"}
        elif kind is float:
            options |= {"type": _number_or_size}
        elif kind in (Path, str, int):
            options |= {"type": kind}
        else:  # dict, list, bool
            options |= {"type": json.loads, "metavar": "JSON"}
        parser.add_argument(f"--{name.replace('_', '-')}", **options)
    if "diameter" not in parameters:
        parser.add_argument(
            "--diameter",
            type=_number_or_file,
            help="diameter of the object in um, or a diameter.json file; for sizes like '0.05 d'",
        )
    parser.add_argument("--threads", type=int, default=1, help="maximum threads (default: 1)")
    arguments = vars(parser.parse_args())
    return arguments, arguments.pop("threads")


def _number_or_size(text: str) -> float | str:
    return text if lengths.is_size(text) else float(text)


def _number_or_file(text: str) -> float | list[Path]:
    try:
        return float(text)
    except ValueError:
        return [Path(text)]
