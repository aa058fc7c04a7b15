"""Limit the memory that reading an image may take."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cellstack.files.readers.image_source import ImageSource

HEADER_BYTES = 2**29  # for metadata, and what decoders need besides the pixels
PIXEL_COPIES = 3  # of a stack in the image's own type: as stored, decoded and reordered
RAW_BYTES = 4  # per voxel of the imported stack, at most

STATM = Path("/proc/self/statm")


@contextmanager
def limited_memory(size: int) -> Iterator[None]:
    """Limit the memory that the body of a ``with`` statement may allocate, on Linux only.

    Allocations beyond the limit raise a MemoryError, which
    :func:`cellstack.files.readers.image_source.input_errors` converts to a message.

    Parameters
    ----------
    size : int
        Bytes in addition to those that the process has already reserved. The call stacks of threads
        that start in the body count too.
    """
    if not STATM.exists():
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = int(STATM.read_text().split()[0]) * resource.getpagesize() + size
    given = [each for each in (soft, hard) if each != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min([limit, *given]), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def memory_to_read(source: ImageSource) -> int:
    """Return the bytes that reading the planes of a channel may take.

    Parameters
    ----------
    source : ImageSource
        An image whose size is known to fit into memory.
    """
    voxels = source.count * math.prod(source.plane_shape)
    stored = max(math.prod(source.shape), voxels) * source.dtype.itemsize
    return HEADER_BYTES + PIXEL_COPIES * stored + RAW_BYTES * voxels
