"""The registry of the methods of a stage."""

from collections.abc import Callable
from typing import Any, TypeVar

Method = TypeVar("Method", bound=Callable[..., Any])


class Methods(dict[str, Callable[..., Any]]):
    """The methods of one stage, by the name that the configuration uses.

    An instance is used as a decorator that registers a function under its name and returns it
    unchanged. To add a method, write the decorated function and describe its options in
    ``config/schemas/stages.schema.yaml``.

    Examples
    --------
    >>> METHODS = Methods()
    >>> @METHODS
    ... def invert(image, spacing, *, top):
    ...     return top - image
    >>> METHODS["invert"](1, None, top=3)
    2
    """

    def __call__(self, function: Method) -> Method:
        """Register a function under its name and return it unchanged."""
        self[function.__name__] = function
        return function
