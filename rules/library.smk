"""Make scripts/cellstack importable, and locate files of the workflow."""

import sys
from functools import cache
from pathlib import Path

HERE = Path(str(workflow.current_basedir)).parent


@cache
def locate(name):
    """Return the path of a file of the workflow, downloaded if the workflow is remote."""
    return str(HERE / name) if (HERE / name).exists() else workflow.source_path(f"../{name}")


def locate_script(name):
    """Return the path of a file of scripts/, see `locate`."""
    return locate(f"scripts/{name}")


for name in ("__init__", "run/__init__", "run/sources", "run/check_yaml"):
    locate_script(f"cellstack/{name}.py")
sys.path.insert(0, str(Path(locate_script("cellstack/__init__.py")).parents[1]))

from cellstack.run.check_yaml import check_yaml
