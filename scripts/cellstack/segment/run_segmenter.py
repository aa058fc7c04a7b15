"""Segmentation by another program: its command, its run, and the label image that it writes.

Each of :data:`METHODS` returns the words of a command. It is called with the values of the
placeholders, see :func:`placeholders`, and with its options as keywords.
"""

import logging
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread

from cellstack.config.methods import Methods
from cellstack.core.types import Spacing
from cellstack.errors import InputError
from cellstack.segment import run_cellpose, run_stardist

log = logging.getLogger(__name__)

METHODS = Methods()
SECONDS_TO_END = 5  # between SIGTERM and SIGKILL
TOO_LITTLE_MEMORY = signal.SIGKILL  # sent by the system if memory runs out


def placeholders(
    image: str | Path,
    output: str | Path,
    spacing: Spacing,
    diameter_um: float | None,
    threads: int,
) -> dict[str, str]:
    """Return the values of the placeholders of a command.

    Parameters
    ----------
    image, output : path-like
        The image to be segmented, and the label image to be written.
    spacing : (3,) sequence of float
        Voxel size along z, y and x in um.
    diameter_um : float or None
        Diameter of an object in um; None if it is not known.
    threads : int

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> placeholders("a.tif", "b.tif", (0.5, 0.2, 0.2), 8.0, 1)["spacing"]
    '0.5,0.2,0.2'
    """
    steps = [f"{step:.9g}" for step in spacing]
    values = {"image": str(image), "output": str(output), "spacing": ",".join(steps)}
    values |= {f"spacing_{axis}": step for axis, step in zip("zyx", steps, strict=True)}
    diameter = "" if diameter_um is None else f"{diameter_um:.9g}"
    return values | {"diameter": diameter, "threads": str(threads)}


@METHODS
def classical(values: Mapping[str, str]) -> list[str]:
    """Raise an error: the stages of cellstack are not a program."""
    raise InputError("run_segmenter.method: classical needs no program; choose another method")


@METHODS
def command(values: Mapping[str, str], *, command: str, files: Sequence[str]) -> list[str]:
    """Return the words of a command of the user, with the placeholders filled in.

    Parameters
    ----------
    command : str
        Words and placeholders, quoted as for a shell. A value with blanks remains one word.
    files : sequence of str
        Files that the program reads besides the image; they only have to exist.

    Raises
    ------
    InputError
        The command is empty, is not quoted correctly, has an unknown placeholder, or does not name
        the output; or a file does not exist.
    """
    key = "run_segmenter.command"
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise InputError(
            f"{key}.command: {command!r}: {str(error).lower()}; quote words as for a shell"
        ) from None
    if not words:
        raise InputError(f"{key}.command is empty; give the command of the program")
    for file in files:
        if not Path(file).exists():
            raise InputError(
                f"{key}.files: {file!r} does not exist; correct the path, which is relative to the "
                "working directory"
            )
    filled = []
    for word in words:
        try:
            filled.append(word.format_map(values))
        except (KeyError, ValueError, IndexError, AttributeError):
            known = ", ".join(f"{{{name}}}" for name in values)
            raise InputError(
                f"{key}.command: {word!r} has an unknown placeholder; known: {known}; write other "
                "braces twice, as {{ and }}"
            ) from None
    if not any(values["output"] in word for word in filled):
        raise InputError(
            f"{key}.command: {command!r} does not contain {{output}}; add it where the program "
            "takes the file to be written"
        )
    return filled


@METHODS
def cellpose(values: Mapping[str, str], *, python: str | None, model: str) -> list[str]:
    """Return the command that runs cellpose.

    Parameters
    ----------
    python : str or None
        Python of an environment that has cellpose; None for that of the job.
    model : str
        File of a model, or the name of one that cellpose has or downloads.

    References
    ----------
    .. [1] M. Pachitariu and C. Stringer, "Cellpose 2.0: how to train your own model", Nature
       Methods, 2022.
    """
    options = ("image", "output", "spacing", "diameter", "threads")
    return _runner(run_cellpose.__file__, values, options, "cellpose", python, model)


@METHODS
def stardist(values: Mapping[str, str], *, python: str | None, model: str) -> list[str]:
    """Return the command that runs StarDist.

    Parameters
    ----------
    python : str or None
        Python of an environment that has StarDist; None for that of the job.
    model : str
        Folder of a model, or the name of a pretrained one that StarDist downloads.

    References
    ----------
    .. [1] M. Weigert et al., "Star-convex Polyhedra for 3D Object Detection and Segmentation in
       Microscopy", WACV 2020.
    """
    options = ("image", "output", "threads")
    return _runner(run_stardist.__file__, values, options, "stardist", python, model)


def _runner(
    script: str,
    values: Mapping[str, str],
    names: Sequence[str],
    method: str,
    python: str | None,
    model: str,
) -> list[str]:
    """Return the command that runs a script of this package in another Python."""
    if not model:
        raise InputError(f"run_segmenter.{method}.model is empty; give a model, see {method}")
    words = [python or sys.executable, script, "--model", model]
    for name in names:
        words += [f"--{name}", values[name]]
    return words


def run_program(words: Sequence[str], time_limit_s: float) -> None:
    """Run a program without a shell, and write its output to the log.

    Parameters
    ----------
    words : sequence of str
        The program and its arguments.
    time_limit_s : float
        Seconds after which it is ended, with all processes that it started.

    Raises
    ------
    InputError
        The program cannot be started, exceeds the time limit, is killed, or ends with a
        nonzero exit status.
    """
    name = words[0]
    log.info("running: %s", shlex.join(words))
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise InputError(
            f"{name!r} cannot be started ({error.strerror}); correct the command, "
            "or install the program where the job runs"
        ) from None
    last = [""]
    reader = Thread(target=_copy_to_log, args=(process, last), daemon=True)
    reader.start()
    try:
        status = process.wait(time_limit_s)
    except subprocess.TimeoutExpired:
        raise InputError(
            f"{name!r} did not end within {time_limit_s / 60:g} min and was "
            "stopped; raise run_segmenter.time_limit_minutes"
        ) from None
    finally:  # also if the job is interrupted
        _end(process)
        reader.join(SECONDS_TO_END)
    if status < 0:
        known = {each.value: each.name for each in signal.Signals}
        why = known.get(-status, f"signal {-status}")  # real-time signals have no name
        more = "; it may need more memory" if -status == TOO_LITTLE_MEMORY else ""
        raise InputError(f"{name!r} was killed by {why}{more}; see the log")
    if status:
        said = f": {last[0]}" if last[0] else ""
        raise InputError(
            f"{name!r} ended with exit status {status}{said}; see the log, and "
            "correct the command or the options"
        )


def _copy_to_log(process: "subprocess.Popen[str]", last: list[str]) -> None:
    """Write each line of a program to the log, and keep the last one."""
    assert process.stdout is not None
    for line in process.stdout:
        if text := line.rstrip():
            log.info("| %s", text)
            last[0] = text


def _end(process: "subprocess.Popen[str]") -> None:
    """End a program and all processes that it started, if they have not ended."""
    for how in (signal.SIGTERM, signal.SIGKILL):  # both: a child can ignore the first
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, how)
        with suppress(subprocess.TimeoutExpired):
            process.wait(SECONDS_TO_END)
