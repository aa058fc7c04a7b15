"""Intensities of a complete stack, which stages need to process its blocks."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, cast

import numpy as np

from cellstack.core.noise import estimate_noise
from cellstack.core.planes import Allocate, ComputedStack, Stack, slabs
from cellstack.core.scales import reach_of_steps
from cellstack.core.types import BoolVolume, RawVolume, Spacing
from cellstack.enhance import adjust_contrast as contrast
from cellstack.enhance import correct_background as background
from cellstack.enhance.denoise import measure_planes

Steps = Sequence[tuple[str, dict[str, Any]]]
Known = Sequence[Sequence[Any] | None]


class _Stage(NamedTuple):
    """A stage that is applied to a complete stack, a few planes at a time.

    Attributes
    ----------
    steps : list of (str, dict)
    dtype : dtype
        Type of its result.
    measures : dict of str to callable
        For each method that depends on the complete stack, the function that measures it.
    apply : callable
        Takes a part of a stack, its voxels without data or None, its first voxel, some steps and
        the values measured for them.
    """

    steps: Steps
    dtype: Any
    measures: dict[str, Callable[..., Sequence[Any]]]
    apply: Callable[[RawVolume, BoolVolume | None, Sequence[int], Steps, Known], RawVolume]


def measure_intensities(
    stack: Stack,
    spacing: Spacing,
    corrections: Steps,
    steps: Steps,
    no_data: Stack | None = None,
    allocate: Allocate = np.empty,
    slab_voxels: int | None = None,
) -> tuple[dict[str, Any], Stack | None]:
    """Measure the values that steps need from the complete stack, and the noise after all steps.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or stack of uint8, uint16 or float32
        Raw intensities. Each plane is read several times, and a few are in memory at a time.
    spacing : (3,) sequence of float
        Voxel size along z, y and x in um.
    corrections : list of (str, dict)
        Steps of :func:`cellstack.enhance.correct_background.correct_background`.
    steps : list of (str, dict)
        Steps of :func:`cellstack.enhance.adjust_contrast.adjust_contrast`.
    no_data : (Z, Y, X) ndarray or stack of bool, optional
        Voxels that are left out. They are filled in each slab separately, and only for filters, so
        that the noise of pixels beside them can differ from that of an uncut stack.
    allocate : callable
        Allocates the processed stacks, which need not be in memory.
    slab_voxels : int, optional
        Number of voxels that are filtered at once, without the neighbours that filters need.

    Returns
    -------
    record : dict
        For a JSON file: ``corrections`` and ``steps``, with what ``MEASURES`` of the stage returns
        for each step, or None; and, after all steps, ``noise_sd`` and ``planes``, from
        :func:`cellstack.enhance.denoise.measure_planes`.
    maps : (K, J, I) ndarray of uint16, or None
        If `clahe` is one of the steps, which it can be once, the last of its values. They are too
        many for a JSON file.

    Examples
    --------
    >>> stack = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    >>> steps = [("percentile_stretch", {"low": 0, "high": 100}), ("gamma", {"gamma": 1})]
    >>> found, _ = measure_intensities(stack, (1.0, 0.5, 0.5), [], steps)
    >>> found["steps"], round(found["noise_sd"], 6)
    ([[0.0, 23.0], None], 0.0)
    """

    def measure_in_um(measure: Callable[..., Sequence[Any]]) -> Callable[..., Sequence[Any]]:
        return lambda source, no_data, **options: measure(source, spacing, no_data, **options)

    correction = _Stage(
        corrections,
        stack.dtype,
        {name: measure_in_um(measure) for name, measure in background.MEASURES.items()},
        lambda part, without, first, chosen, known: background.correct_background(
            part, spacing, chosen, without, known, first[0]
        ),
    )
    adjustment = _Stage(
        steps or [("none", {})],
        np.dtype(np.float32),
        contrast.MEASURES
        | {name: measure_in_um(measure) for name, measure in contrast.MEASURES_IN_UM.items()},
        lambda part, without, first, chosen, known: contrast.adjust_contrast(
            part, spacing, chosen, without, known, first
        ),
    )
    apply = partial(
        _apply, spacing=spacing, no_data=no_data, allocate=allocate, slab_voxels=slab_voxels
    )
    result: dict[str, Any] = {}
    maps: Stack | None = None
    for name, stage in (("corrections", correction), ("steps", adjustment)):
        known: list[Sequence[Any] | None] = []
        result[name] = []
        start = 0  # first step that is not applied to the stack yet
        for index, (method, options) in enumerate(stage.steps):
            measured: Sequence[Any] | None = None
            if method in stage.measures:
                stack = apply(stack, stage, range(start, index), known)
                start = index
                measured = stage.measures[method](stack, no_data, **options)
            known.append(measured)
            if measured is not None and method == "clahe":
                *measured, maps = measured
            values = None if measured is None else [np.asarray(each).tolist() for each in measured]
            result[name].append(values)
        stack = apply(stack, stage, range(start, len(stage.steps)), known)
    result |= {"noise_sd": estimate_noise(stack, no_data), "planes": measure_planes(stack)}
    return result, maps


def _apply(
    stack: Stack,
    stage: _Stage,
    chosen: range,
    known: Known,
    *,
    spacing: Spacing,
    no_data: Stack | None,
    allocate: Allocate,
    slab_voxels: int | None,
) -> Stack:
    """Return a stack after some steps of a stage."""
    if not chosen:
        return stack
    some = slice(chosen.start, chosen.stop)
    steps, measured = stage.steps[some], known[some]
    reach_um = reach_of_steps(steps)
    if reach_um == 0:  # computed where it is needed
        return ComputedStack(
            stack.shape,
            stage.dtype,
            lambda box: stage.apply(
                stack[box], None, [side.start for side in box], steps, measured
            ),
        )
    result = allocate(stack.shape, stage.dtype)
    halo = int(reach_um / spacing[0]) + len(steps) + 1
    for slab in slabs(stack.shape, halo, max_voxels=slab_voxels):
        without = None
        if no_data is not None and chosen.start == 0:
            without = no_data[slab.extent]
        first = slab.extent.start, 0, 0
        part = stage.apply(stack[slab.extent], without, first, steps, measured)
        result[slab.planes] = part[slab.inside]
    return cast(Stack, result)
