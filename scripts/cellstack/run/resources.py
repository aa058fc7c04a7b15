"""Memory, time and cores that the rules request, by the number of voxels of a stack."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

from cellstack.config.block_plan import BlockPlan
from cellstack.config.study import Study
from cellstack.config.units import Unit
from cellstack.files import images
from cellstack.run.signatures import keep_signature

MIN_MEMORY_MB = 500
SNAKEMAKE_MEMORY_MB = 300  # two processes of it run in a job on a cluster
MEMORY_FACTOR = 1.5
TIME_FACTOR = 2.5  # margin for slower or busy machines
MAX_CORES = 4
MEGAVOXELS_PER_CORE = 16
REMOTE_VOXELS = 64_000_000  # assumed for remote images, such as 60 planes of 1024 x 1024


class Wildcards(Protocol):
    """Wildcards of a job, as Snakemake passes them to functions."""

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the value of a wildcard."""


@dataclass(frozen=True)
class Measured:
    """Memory and time of the jobs of a rule, as linear models; see ``make resources``.

    Attributes
    ----------
    megabytes, megabytes_per_megavoxel : float
        Peak memory.
    seconds, seconds_per_megavoxel : float
        CPU time.
    """

    megabytes: float
    megabytes_per_megavoxel: float
    seconds: float
    seconds_per_megavoxel: float


class ResourceRequests:
    """Requests of memory, time and cores.

    Parameters
    ----------
    study : Study
    table : path-like
        ``config/resources.tsv``, with a row per rule, see :class:`Measured`. A rule that is not in
        it requests as much as the most expensive rule.
    shared_cores : int, optional
        Number of cores that all jobs share on this machine; None on a cluster.
    """

    def __init__(self, study: Study, table: str | Path, shared_cores: int | None = None) -> None:
        self._study = study
        self._shared_cores = shared_cores
        self._block_plan = BlockPlan(study)
        lines = Path(table).read_text(encoding="utf-8").splitlines()
        rows = [line.split("\t") for line in lines[1:]]
        self.measured = {rule: Measured(*map(float, numbers)) for rule, *numbers in rows}
        columns = zip(*(numbers for _, *numbers in rows), strict=True)
        self._largest = Measured(*(max(map(float, column)) for column in columns))

    @cache  # noqa: B019 (there is one instance per process)
    def voxels(self, stack: str) -> int:
        """Return the number of voxels of a stack of the sheet; 0 where the image cannot be read.

        That of a remote image is not known before its job, so it is assumed to be 64 million.

        The job that imports the image reports why it cannot be read.
        """
        row = next(iter(self._study.stacks[stack].values()))
        if images.is_remote(row["image"]):  # nothing is downloaded before its job
            return REMOTE_VOXELS
        size = self._study.image_size(row)
        return 0 if size is None else math.prod(size.shape)

    def megavoxels(self, wildcards: Wildcards) -> float:
        """Return the size of the stack or block of a job; 0 for jobs on all stacks."""
        simulation, stack = wildcards.get("simulation"), wildcards.get("stack")
        if simulation is not None:
            shape: list[int] = self._study.config["simulate_stack"][simulation]["shape"]
            return math.prod(shape) / 1e6
        if stack is None:
            return 0
        unit = Unit.parse(stack)
        if unit.block:
            return self._block_plan.block_of(stack).voxels / 1e6
        return self.voxels(unit.stack) / 1e6

    def memory(self, rule: str) -> Callable[[Wildcards, int], int]:
        """Return the function that requests the memory of a rule in MB, more with each attempt."""
        measured = self.measured.get(rule, self._largest)

        @keep_signature
        def mem_mb(wildcards: Wildcards, attempt: int) -> int:
            size = self.megavoxels(wildcards)
            used = measured.megabytes + measured.megabytes_per_megavoxel * size
            return int(attempt * max(MIN_MEMORY_MB, SNAKEMAKE_MEMORY_MB + MEMORY_FACTOR * used))

        return mem_mb

    def minutes(self, rule: str) -> Callable[[Wildcards, int], int]:
        """Return the function that requests the time of a rule, more with each attempt."""
        measured = self.measured.get(rule, self._largest)

        @keep_signature
        def runtime(wildcards: Wildcards, attempt: int) -> int:
            used = measured.seconds + measured.seconds_per_megavoxel * self.megavoxels(wildcards)
            return attempt * max(2, math.ceil(TIME_FACTOR * used / 60))

        return runtime

    @keep_signature
    def cores(self, wildcards: Wildcards) -> int:
        """Return one core for small stacks, up to four for large ones.

        Many small stacks run side by side; large stacks limit the total run time. Of the blocks of
        a stack at least two run side by side on one machine, because parts of each job use one
        core.
        """
        cores = min(MAX_CORES, 1 + int(self.megavoxels(wildcards) / MEGAVOXELS_PER_CORE))
        stack = wildcards.get("stack")
        if self._shared_cores is None or stack is None or not Unit.parse(stack).block:
            return cores
        return max(1, min(cores, self._shared_cores // 2))

    def seconds_of_all_stages(self, stack: str) -> float:
        """Return the CPU time that all rules together take for a stack of the sheet."""
        size = self.voxels(stack) / 1e6
        rules = self.measured.values()
        return sum(rule.seconds + rule.seconds_per_megavoxel * size for rule in rules)
