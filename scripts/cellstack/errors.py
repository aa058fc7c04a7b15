"""The exception for errors in the input of the user."""


class InputError(ValueError):
    """An error in the input: a file, a row of the sheet or a value of the configuration.

    Its message is one line that names the file, row or key, the value, and a fix. It is shown
    without a traceback.
    """
