"""Import of the optional packages, which read microscope files and remote images."""

import importlib
from typing import Any

from cellstack.errors import InputError

REQUIREMENTS = "envs/requirements/formats.txt"


def load(module: str, package: str, name: str, kind: str) -> Any:
    """Import a module of an optional package.

    Parameters
    ----------
    module : str
        Name of the module.
    package : str
        Name of the package that contains it.
    name : str
        Name of the image in the message.
    kind : str
        Images that are read with the package, in the plural.

    Returns
    -------
    module

    Raises
    ------
    InputError
        The package is not installed.

    Examples
    --------
    >>> load("json", "json", "a.json", "JSON files").loads("[1]")
    [1]
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise InputError(
            f"{name}: {kind} are read with the package {package}, which is not installed: "
            f"in the cellstack folder run make formats, or pip install -r {REQUIREMENTS}"
        ) from error
