"""How a stage finds its methods by name."""


class Methods(dict):
    """The methods of one stage, by the name that the configuration uses.

    An instance decorates the functions that it collects, and leaves them as they are. A method is added by writing the decorated
    function, and its options in ``config/schemas/stages.schema.yaml``.

    Examples
    --------
    >>> METHODS = Methods()
    >>> @METHODS
    ... def invert(image, spacing, *, top):
    ...     return top - image
    >>> METHODS["invert"](1, None, top=3)
    2
    """

    def __call__(self, function):
        """Take `function` in under its own name and give it back."""
        self[function.__name__] = function
        return function
