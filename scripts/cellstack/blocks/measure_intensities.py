"""What adjust_contrast and binarize need to know of the intensities of a complete stack."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from cellstack.core.intensities import rescale
from cellstack.core.noise import estimate_noise
from cellstack.core.planes import Allocate, ComputedPlanes, Planes, Stack, slabs
from cellstack.core.scales import reach_of_steps
from cellstack.core.types import BoolVolume, RawVolume, Spacing
from cellstack.enhance.adjust_contrast import adjust_contrast, measure_range
from cellstack.enhance.correct_background import correct_background

Steps = Sequence[tuple[str, dict[str, Any]]]


def measure_intensities(
    stack: Planes, options: dict[str, Any], no_data: Planes | None = None
) -> dict[str, float]:
    """Measure the range of the intensities of a stack, and the noise after the contrast adjustment.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or planes of uint8, uint16 or float32
        Raw intensities. Each plane is taken several times, and one is held at a time.
    options : dict
        Options of :func:`cellstack.enhance.adjust_contrast.percentile_stretch`.
    no_data : (Z, Y, X) ndarray or planes of bool, optional
        Voxels that are left out. In uncut stacks they are filled before the noise is estimated, so
        that pixels beside them count a little differently.

    Returns
    -------
    dict
        ``bottom`` and ``top``, the intensities that become 0 and 1, and ``noise_sd``.

    Examples
    --------
    >>> stack = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    >>> found = measure_intensities(stack, {"low": 0, "high": 100})
    >>> found["bottom"], found["top"], round(found["noise_sd"], 6)
    (0.0, 23.0, 0.0)
    """
    bottom, top = measure_range(stack, no_data, **options)

    def adjusted(z: int) -> NDArray[np.float32]:
        (plane,) = rescale(cast(RawVolume, stack[z][None]), bottom, top)
        return cast("NDArray[np.float32]", plane)

    noise_sd = estimate_noise(ComputedPlanes(stack.shape, np.float32, adjusted), no_data)
    return {"bottom": bottom, "top": top, "noise_sd": noise_sd}


def measure_processed(
    stack: Stack,
    spacing: Spacing,
    corrections: Steps,
    steps: Steps,
    no_data: Planes | None = None,
    allocate: Allocate = np.empty,
    slab_voxels: int | None = None,
) -> dict[str, float]:
    """Measure what :func:`measure_intensities` does, with further steps before and after.

    Parameters
    ----------
    stack : (Z, Y, X) ndarray or stack of uint8, uint16 or float32
        Raw intensities. A slab at a time is processed.
    spacing : (3,) sequence of float
        Voxel size along z, y and x in um.
    corrections : list of (str, dict)
        Steps of :func:`cellstack.enhance.correct_background.correct_background`.
    steps : list of (str, dict)
        Steps of :func:`cellstack.enhance.adjust_contrast.adjust_contrast`, of which the first one
        is the percentile stretch.
    no_data : (Z, Y, X) ndarray or planes of bool, optional
        Voxels that are left out. They are filled in each slab separately.
    allocate : callable
        Provides the processed stacks.
    slab_voxels : int, optional
        Maximum number of voxels of a slab.

    Returns
    -------
    dict
        See :func:`measure_intensities`; the range is that of the corrected stack.
    """

    def process(
        source: Stack,
        dtype: Any,
        done: Steps,
        function: Callable[[RawVolume, BoolVolume | None], RawVolume],
    ) -> Stack:
        result: Any = allocate(source.shape, dtype)
        halo = int(reach_of_steps(done) / spacing[0]) + len(done) + 1
        for slab in slabs(source.shape, halo, max_voxels=slab_voxels):
            without = None
            if no_data is not None:
                without = np.stack([no_data[z] for z in range(slab.extent.start, slab.extent.stop)])
            result[slab.planes] = function(source[slab.extent], without)[slab.inside]
        return cast(Stack, result)

    corrected = process(
        stack,
        stack.dtype,
        corrections,
        lambda part, without: correct_background(part, spacing, corrections, without),
    )
    bottom, top = measure_range(corrected, no_data, **steps[0][1])
    adjusted = process(
        corrected,
        np.float32,
        steps,
        lambda part, without: adjust_contrast(part, spacing, steps, without, (bottom, top)),
    )
    noise_sd = estimate_noise(adjusted, no_data)
    return {"bottom": bottom, "top": top, "noise_sd": noise_sd}
