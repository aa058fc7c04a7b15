"""Import one channel of an image of any format, with its voxel size."""

import shutil
from pathlib import Path

from cellstack.files.readers import opening, remote_zarr
from cellstack.files.readers.parts import Part
from cellstack.files.records import write_json
from cellstack.files.scratch import scratch_stacks
from cellstack.files.stacks import write_stack
from cellstack.prepare.import_stack import import_stack
from cellstack.run import job


def main(
    *,
    image: list[Path] = (),
    raw: Path,
    record: Path,
    channel: str,
    url: str | None = None,
    channel_index: str | None = None,
    scene: str | None = None,
    time: int | None = None,
    axes: str | None = None,
    z_um: float | None = None,
    y_um: float | None = None,
    x_um: float | None = None,
    downsample: list[int] = (1, 1, 1),
) -> list[Path]:
    """Read one channel of an image, and write it with its voxel size and a record of both.

    The image is a TIFF, a file of a microscope, a series of files with one plane each, an OME-Zarr,
    or instead of these the address of a remote OME-Zarr.
    """
    part = Part(scene, time, axes)
    opened = opening.open_image(image, part) if url is None else remote_zarr.open_remote(url, part)
    raw.parent.mkdir(parents=True, exist_ok=True)
    with scratch_stacks(raw.parent) as allocate:
        with opened as source:  # at its end, an image that was changed is refused
            imported = import_stack(
                source,
                opening.called(image) if url is None else url,
                channel=channel,
                channel_index=channel_index,
                spacing={"z": z_um, "y": y_um, "x": x_um},
                downsample=downsample,
                allocate=allocate,
                room=shutil.disk_usage(raw.parent).free,
            )
        write_stack(raw, imported.stack, imported.spacing)
    write_json(record, imported.record)
    return source.other_files


job.run(main)
