"""The one error that users are expected to meet."""


class InputError(ValueError):
    """A fault in what the user gave: a file, a sheet row, a value.

    Its message is one line that names the file (or row, or key), the value and the cure; no traceback is shown with it.
    """
