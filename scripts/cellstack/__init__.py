"""The library of cellstack: pure functions, arrays and numbers in, arrays or tables out.

Every stage of the workflow has a module of its own here that bears the name of its rule (``denoise``, ``find_seeds`` ...). Arrays are
ordered ZYX, spacings are (z, y, x) in um. Nothing in this package knows of Snakemake but :mod:`cellstack.job`.
"""

import sys


def _end_quietly(kind, error, traceback):
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)


# Ctrl-C reaches every job of a run, most while they import what they need, before cellstack.job can say anything
if hasattr(sys.modules.get("__main__"), "snakemake"):
    sys.excepthook = _end_quietly
