"""Jobs that try other methods of a stage for the gallery, where some methods may fail."""

import functools
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from cellstack.config.units import Unit
from cellstack.errors import InputError
from cellstack.files.failures import read_failure, write_failure

log = logging.getLogger("cellstack")

Main = Callable[..., Sequence[Path] | None]


def record_failures(main: Main, snakemake: Any) -> Main:
    """Return the stage of a job, which writes the reason into its outputs if a method fails.

    The gallery shows this reason instead of labels. Jobs of other units fail as usual.

    Parameters
    ----------
    main : callable
        See :func:`cellstack.run.job.run`.
    snakemake : object
        The job, or None if the script was started from the command line.

    Returns
    -------
    callable
    """
    stack = "" if snakemake is None else snakemake.wildcards.get("stack", "")
    if not Unit.parse(stack).alternative:
        return main

    @functools.wraps(main)
    def attempt(**arguments: Any) -> Sequence[Path] | None:
        reason = next(_failures(snakemake.input), None)
        if reason is None:
            try:
                return main(**arguments)
            except InputError as error:
                reason = f"{snakemake.rule.removeprefix('try_')}: {error}"
        log.warning("no result: %s", reason)
        for path in snakemake.output:
            write_failure(path, reason)
        return None

    return attempt


def _failures(paths: Sequence[str]) -> Iterator[str]:
    for path in paths:
        reason = read_failure(path)
        if reason is not None:
            yield reason
