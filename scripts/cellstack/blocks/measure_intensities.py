"""What adjust_contrast and binarize need to know of the intensities of a complete stack."""

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from cellstack.core.intensities import rescale
from cellstack.core.noise import estimate_noise
from cellstack.core.planes import ComputedPlanes, Planes
from cellstack.core.types import RawVolume
from cellstack.enhance.adjust_contrast import measure_range


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
