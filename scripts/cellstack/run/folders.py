"""Check that the folders of a run can be written to, before Snakemake fails with a traceback."""

import errno
import tempfile
from collections.abc import Iterable
from pathlib import Path

PROBE_BYTES = 65536


def check_folders(folders: Iterable[str | Path]) -> None:
    """Check that folders can be written to, by writing a temporary file into each.

    Parameters
    ----------
    folders : iterable of path-like
        A folder that does not exist is not created: the nearest one above it is checked.

    Raises
    ------
    snakemake.exceptions.WorkflowError
        One line for each folder that cannot be written to.
    """
    errors = []
    for folder in dict.fromkeys(map(_existing, folders)):
        try:
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(bytes(PROBE_BYTES))
                file.flush()
        except OSError as error:
            errors.append(f"{folder}: cannot be written to ({error.strerror}); {_fix(error)}")
    if errors:
        from snakemake.exceptions import WorkflowError

        raise WorkflowError("\n".join(errors))


def _existing(folder: str | Path) -> Path:
    folder = Path(folder)
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def _fix(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "free disk space, then run the same command again"
    if error.errno == errno.ENOTDIR:
        return "it is not a folder: move or rename it"
    return "change its permissions, or choose another folder with pathvars or --directory"
