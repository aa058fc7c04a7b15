"""One way into a stage's ``main``: from Snakemake, from the command line, or by a plain call.

A script defines ``main`` with keyword arguments that bear the names of its rule's inputs, outputs and params, and ends with
``job.run(main)``. Both ways in hand the same values to the same function, so the files come out the same to the byte.
"""

import inspect
import logging
import os
import signal
import sys
from pathlib import Path
from types import NoneType, UnionType
from typing import get_args

from cellstack import sizes
from cellstack.errors import InputError

log = logging.getLogger("cellstack")


def run(main):
    """Run `main` if its module was started as a program, and do nothing if it was imported.

    Parameters
    ----------
    main : callable
        The stage. Parameters annotated ``Path`` or ``list[Path]`` are files; ``dict`` and ``list`` are given as JSON on the command line.
        Sizes such as "0.05 d" among them are turned into um by the diameter that the input `diameter` holds.

    Raises
    ------
    SystemExit
        With status 1 where `main` failed. The rule's log then holds the traceback, standard error one line.
    """
    if main.__module__ != "__main__":
        return
    snakemake = main.__globals__.get("snakemake")
    arguments = _from_command_line(main) if snakemake is None else _from_snakemake(main, snakemake)
    logfile = str(snakemake.log[0]) if snakemake is not None and snakemake.log else None
    # the log is of the last try alone, so that it never gives the reason of another one
    where = {"filename": logfile, "filemode": "w", "encoding": "utf-8"} if logfile else {}
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", **where)
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # a log on a full disk is no reason for a traceback on the terminal
    name = Path(sys.argv[0]).stem if snakemake is None else _job_name(snakemake)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as a cluster sends it at a time limit
    try:
        main(**_with_sizes(main, arguments))
        log.info("took %.2f CPU seconds, at most %d MB", sum(os.times()[:4]), _peak_memory())  # of its processes too
    except KeyboardInterrupt:
        log.error("%s: was told to stop (Ctrl-C, cancelled, or the time limit): run it again", name)
        sys.exit(130)
    except Exception as error:
        expected = isinstance(error, InputError)
        if not (logfile or expected):
            raise
        message = str(error) if expected else f"{type(error).__name__}: {' '.join(str(error).split())}"
        if logfile:
            log.exception("%s failed", name)
            log.error("%s: %s", name, message)  # the last line says why, see cellstack.progress
        print(f"{name}: {message}" if expected else f"{name}: {message} (traceback in {logfile})", file=sys.stderr)
        sys.exit(1)


def _peak_memory():
    """Return the most memory that this process held, in MB, for sampling as in benchmark files misses the peaks of short jobs."""
    status = Path("/proc/self/status")  # the kernel's count for a process (getrusage) starts with that of its parent
    if status.exists():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM:")) * 1024 / 1e6
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # macOS, in bytes


def _job_name(snakemake):
    wildcards = " ".join(str(value) for value in snakemake.wildcards)
    return f"{snakemake.rule} {wildcards}".strip()


def _with_sizes(main, arguments):
    """Turn sizes that wait for the diameter of the object into um; a stage itself is told the file of it only if it takes one."""
    given = arguments.get("diameter")
    if "diameter" not in inspect.signature(main).parameters:
        arguments = {name: value for name, value in arguments.items() if name != "diameter"}
    if not given:
        of_stage = {name: value for name, value in arguments.items() if sizes.is_size(value) or name in ("options", "steps")}
        if sizes.has_sizes(of_stage):
            raise InputError(f"sizes go by a diameter that is not known: {of_stage}; give it in um as --diameter, or a file that holds it")
        return arguments
    found = sizes.read_diameter(given[0]) if isinstance(given, list) else {"diameter_um": given, "source": "given"}
    log.info("diameter: %g um, %s", found["diameter_um"], found["source"])
    return sizes.in_um(arguments, found["diameter_um"])


def _from_snakemake(main, snakemake):
    named = {}
    for part in (snakemake.input, snakemake.output, snakemake.params):
        named.update(part.items())
    for name in ("source", "stamp"):  # are there to re-run the job when the code or an image changes
        named.pop(name, None)
    parameters = inspect.signature(main).parameters
    if "threads" in parameters:
        named["threads"] = snakemake.threads
    unknown = sorted(named.keys() - parameters.keys() - {"diameter"})
    missing = sorted(name for name, each in parameters.items() if each.default is each.empty and name not in named)
    if unknown or missing:
        raise TypeError(f"rule {snakemake.rule} and main() differ: main() does not take {unknown}, the rule does not give {missing}")
    return {name: _paths(value, parameters[name].annotation if name in parameters else list[Path]) for name, value in named.items()}


def _paths(value, annotation):
    if annotation is Path:
        return Path(value)
    if annotation == list[Path]:
        return [Path(value)] if isinstance(value, str) else [Path(each) for each in value]
    return value


def _without_none(annotation):
    """Give X for ``X | None``: None is the default, and cannot be typed on a command line."""
    kinds = [kind for kind in get_args(annotation) if kind is not NoneType] if isinstance(annotation, UnionType) else []
    return kinds[0] if len(kinds) == 1 else annotation


def _from_command_line(main):
    import argparse
    import json

    parser = argparse.ArgumentParser(description=inspect.getdoc(main), formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, parameter in inspect.signature(main).parameters.items():
        kind = _without_none(parameter.annotation)
        options = {"required": parameter.default is parameter.empty, "default": parameter.default}
        if kind == list[Path]:
            options |= {"type": Path, "nargs": "+"}
        elif kind is float:
            options |= {"type": _number_or_size}
        elif kind in (Path, str, int):
            options |= {"type": kind}
        else:  # dict, list, bool
            options |= {"type": json.loads, "metavar": "JSON"}
        parser.add_argument(f"--{name.replace('_', '-')}", **options)
    if "diameter" not in inspect.signature(main).parameters:
        told = "diameter of the object in um, or the file diameter.json that holds it; for sizes such as '0.05 d'"
        parser.add_argument("--diameter", type=_number_or_file, help=told)
    return vars(parser.parse_args())


def _number_or_size(text):
    return text if sizes.is_size(text) else float(text)


def _number_or_file(text):
    try:
        return float(text)
    except ValueError:
        return [Path(text)]
