"""Functions of the rules whose parameters Snakemake looks up for each job."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from snakemake.common import overwrite_function_params

Function = TypeVar("Function", bound=Callable[..., Any])


def keep_signature(function: Function) -> Function:
    """Store the parameters of a function where Snakemake looks first.

    Snakemake looks up the parameters of each function of wildcards several times for each job.
    Otherwise it inspects the signature each time.

    Examples
    --------
    >>> from snakemake.common import get_function_params
    >>> @keep_signature
    ... def cores(wildcards): ...
    >>> get_function_params(cores) is get_function_params(cores)
    True
    >>> list(get_function_params(cores))
    ['wildcards']
    """
    # Snakemake expects a mapping here, although it declares a list
    overwrite_function_params(function, inspect.signature(function).parameters)
    return function
