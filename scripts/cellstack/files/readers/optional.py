"""Import of the optional packages that read the files of microscopes."""

import importlib
from pathlib import Path
from typing import Any

from cellstack.errors import InputError

REQUIREMENTS = "envs/requirements/formats.txt"


def load(module: str, package: str, path: Path) -> Any:
    """Import a module of an optional package.

    Parameters
    ----------
    module : str
        Name of the module.
    package : str
        Name of the package that contains it.
    path : pathlib.Path
        The file to be read, for the message.

    Returns
    -------
    module

    Raises
    ------
    InputError
        The package is not installed.

    Examples
    --------
    >>> load("json", "json", Path("a.json")).loads("[1]")
    [1]
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise InputError(
            f"{path}: {path.suffix} files are read with the package {package}, which is not "
            "installed: in the cellstack folder run make formats, or "
            f"pip install -r {REQUIREMENTS}"
        ) from error
