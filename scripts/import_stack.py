"""Bring one channel of an image of any kind into the workflow: a stack with its voxel size, and a record of what was found."""

import logging
from pathlib import Path

from cellstack import import_stack, io, job, readers, spacing, whole_files

log = logging.getLogger(__name__)


def main(
    *,
    image: list[Path],
    raw: Path,
    record: Path,
    channel: str,
    index: str | None = None,
    z_um: float | None = None,
    y_um: float | None = None,
    x_um: float | None = None,
    downsample: list = (1, 1, 1),
):
    """Read one channel of a TIFF, a series of plane files or an OME-Zarr, and write it as it is, with its voxel size."""
    name = readers.called(image)
    with readers.open_image(image) as source:
        number, why = import_stack.pick_channel(name, source.channels, index, channel)
        shape = (source.count, *source.plane_shape)
        import_stack.check_factors(name, downsample, shape)
        import_stack.check_memory(name, shape, source.dtype.itemsize, downsample)
        sheet = {"z": z_um, "y": y_um, "x": x_um}
        chosen, notices = spacing.choose(name, source.spacing, sheet, source.count)
        stack = import_stack.fill_stack(name, source.planes(number), shape, source.dtype)
    stack = import_stack.downsample(stack, downsample)
    steps = [chosen[axis]["um"] * factor for axis, factor in zip("zyx", downsample, strict=True)]
    notices = [*source.notices, *notices]
    log.info("%s: %s, axes %s, shape %s, %s", name, source.format, source.axes, source.shape, source.dtype.name)
    log.info("channel %d (%s): %s; voxel size %s um", number, source.channels[number], why, steps)
    for notice in notices:
        log.warning("%s: %s", name, notice)
    io.write_stack(raw, stack, steps)
    found = {
        "files": [readers.shown(path) for path in source.files],
        "format": source.format,
        "axes": source.axes,
        "shape": source.shape,
        "dtype": source.dtype.name,
        "planes": source.count,
        "channels": source.channels,
        "channel": {"index": number, "name": source.channels[number], "why": why},
        "spacing": chosen,
        "downsample": downsample,
        "raw": {"shape": stack.shape, "dtype": stack.dtype.name, "spacing_um": steps},
        "notices": notices,
    }
    whole_files.write_json(record, found)


job.run(main)
