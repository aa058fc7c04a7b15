"""The memory that all jobs on one machine share."""

from pathlib import Path
from typing import Any

from cellstack.run.rules import shared_cores

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")


def limit_memory(workflow: Any) -> None:
    """Limit the memory that running jobs request together to that of this machine.

    It does nothing on a cluster, and where the user gave a limit with ``--resources mem_mb=MB``.

    Parameters
    ----------
    workflow : snakemake.workflow.Workflow
    """
    if shared_cores(workflow) is not None and "mem_mb" not in workflow.global_resources:
        workflow.register_resource("mem_mb", memory_mb())


def memory_mb() -> int:
    """Return the memory in MB that this process may use.

    It is that of the machine, or less in a container or in a job of a cluster.
    """
    import psutil  # a dependency of Snakemake

    limits = [psutil.virtual_memory().total, *_cgroup_limits(CGROUPS, OWN_CGROUPS)]
    return int(min(limits) / 1e6)


def _cgroup_limits(root: Path, own: Path) -> list[int]:
    """Return the limits in bytes of the control groups of this process, on Linux."""
    if not own.exists():
        return []
    limits = []
    for line in own.read_text(encoding="utf-8").splitlines():
        _, controllers, group = line.split(":", 2)
        if controllers == "":  # version 2
            folder, name = root, "memory.max"
        elif "memory" in controllers.split(","):  # version 1
            folder, name = root / "memory", "memory.limit_in_bytes"
        else:
            continue
        path = folder / group.lstrip("/")
        for each in (path, *path.parents):  # in a container, some of them cannot be seen
            limit = each / name
            if limit.is_relative_to(folder) and limit.exists():
                text = limit.read_text(encoding="utf-8").strip()
                limits += [int(text)] if text.isdigit() else []  # or "max"
    return limits
