"""Bring labels made elsewhere, or a truth to score against, onto the grid of a stack."""

import logging
from pathlib import Path

from cellstack import import_labels, import_stack, io, job, readers
from cellstack.errors import InputError

log = logging.getLogger(__name__)


def main(*, image: list[Path], raw: Path, labels: Path, downsample: list):
    """Read labels of any integer type, check that they fit the stack `raw`, and write them numbered 1..n with its voxel size."""
    name = readers.called(image)
    stack, spacing = io.read_stack(raw)
    with readers.open_image(image) as source:
        if len(source.channels) > 1:
            raise InputError(f"{name}: has {len(source.channels)} channels: give labels in a file with one")
        shape = (source.count, *source.plane_shape)
        import_stack.check_factors(name, downsample, shape)
        if stack.shape != tuple(length // factor for length, factor in zip(shape, downsample, strict=True)):
            reduced = "" if set(downsample) == {1} else f" with downsample {downsample}"
            raise InputError(
                f"{name}: labels of shape {shape} do not fit {raw} of shape {stack.shape}{reduced}: give labels of the same image"
            )
        found = import_labels.read_labels(name, source.planes(0), shape, source.dtype)
    numbered = import_labels.renumber(import_labels.sample_labels(found, downsample))
    log.info("%s: %d labels, shape %s", name, numbered.max(), numbered.shape)
    io.write_stack(labels, numbered, spacing)


job.run(main)
