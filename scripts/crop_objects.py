"""Crop each selected object out of its stack, with all channels and a mask."""

from contextlib import nullcontext
from pathlib import Path

from cellstack.core.labels import find_boxes
from cellstack.core.voxels import whole_voxels
from cellstack.files.archives import ArrayArchive
from cellstack.files.atomic import atomic_folder
from cellstack.files.scratch import scratch_stacks
from cellstack.files.stacks import open_channel, open_stack, write_channels
from cellstack.files.tables import as_text, write_rows
from cellstack.measure.crop_objects import INDEX, as_channels, crop_object, pad_box, place
from cellstack.run import job


def main(
    *,
    labels: Path,
    raw: list[Path],
    crops: Path,
    stack: str,
    object: str,
    channels: list[str],
    format: str,
    margin_um: float,
) -> None:
    """Write a crop of each object of `labels` and the table index.csv to the folder `crops`.

    The `format` is "files" for one OME-TIFF per object or "archive" for one NumPy archive.
    """
    compressed, spacing = open_stack(labels)
    stacks = {
        channel: open_channel(path, labels, compressed.shape, spacing)
        for path, channel in zip(raw, channels, strict=True)
    }
    margins = whole_voxels(margin_um, spacing, "margin_um")
    rows = []
    with (
        atomic_folder(crops) as folder,
        scratch_stacks(crops.parent) as allocate,
        ArrayArchive(folder / "crops.npz") if format == "archive" else nullcontext() as archive,
    ):
        image = allocate(compressed.shape, compressed.dtype)
        for z, plane in enumerate(compressed):
            image[z] = plane
        for label, tight in find_boxes(image).items():
            box = pad_box(tight, image.shape, margins)
            crop = crop_object(image, label, box, stacks)
            name = f"{label:05d}"
            if archive is None:
                write_channels(folder / f"{name}.ome.tif", as_channels(crop), spacing, list(crop))
            else:
                archive.add({f"{name}/{part}": values for part, values in crop.items()})
            row = {"stack": stack, "object": object, "label": label, "crop": name}
            rows.append(as_text(row | place(box, spacing)))
        write_rows(folder / "index.csv", INDEX, rows)


job.run(main)
