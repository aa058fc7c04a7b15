"""Segmentation and measurement of nuclei and cells in 3D fluorescence stacks.

A sub-package for each phase of the workflow contains a module for each rule. These modules have
pure functions: arrays and numbers in, arrays or tables out. Arrays have the axis order Z, Y, X;
spacings are (z, y, x) in um. Only :mod:`cellstack.run` uses Snakemake.
"""

import sys
from types import TracebackType

__version__ = "0.2.0"


def _hide_interrupt(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)


# Ctrl-C reaches every running job, most of them during their imports, before cellstack.run.job
# can handle it: end without a traceback
if hasattr(sys.modules.get("__main__"), "snakemake"):
    sys.excepthook = _hide_interrupt
