"""Write the channels and labels of a stack as OME-Zarr."""

from pathlib import Path

from cellstack.files.atomic import atomic_folder
from cellstack.files.stacks import open_stack
from cellstack.publish.write_ome_zarr import write_ome_zarr
from cellstack.run import job


def main(
    *,
    raw: list[Path],
    labels: list[Path],
    segmentations: list[Path],
    image: Path,
    stack: str,
    channels: list[str],
    objects: list[str],
    version: str,
) -> None:
    """Write the folder `image` with the raw `channels` and the labels of each kind of `objects`.

    `labels` are those of the measured objects and keep the name of their kind; `segmentations`,
    those of all objects, are named like ``nuclei-segmentation``.
    """
    found, spacing = {}, None
    for channel, path in zip(channels, raw, strict=True):
        found[channel], spacing = open_stack(path)
    named = dict(zip(objects, labels, strict=True))
    named |= {
        f"{kind}-segmentation": path for kind, path in zip(objects, segmentations, strict=True)
    }
    volumes = {name: open_stack(path)[0] for name, path in named.items()}
    with atomic_folder(image) as temporary:
        write_ome_zarr(temporary, found, volumes, spacing, stack, version)


job.run(main)
