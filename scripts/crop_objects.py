"""Cut each selected object out of its stack, all channels and its mask, with a table of where each crop came from."""

from pathlib import Path

import numpy as np

from cellstack import crop_objects, io, job, relabel, table_io, units, whole_files


def main(*, labels: Path, raw: list[Path], crops: Path, stack: str, object: str, channels: list, format: str, margin_um: float):
    """Write the crops of all objects of `labels`, with `margin_um` around each, to the folder `crops`, one file each or as an archive."""
    image, spacing = io.read_stack(labels)
    stacks = {channel: io.read_channel(path, labels, image.shape, spacing) for path, channel in zip(raw, channels, strict=True)}
    margins = units.whole_voxels(margin_um, spacing, "margin_um")
    rows, archive = [], {}
    with whole_files.whole_folder(crops) as folder:
        for label, tight in relabel.find_boxes(image).items():
            box = crop_objects.pad_box(tight, image.shape, margins)
            crop = crop_objects.crop_object(image, label, box, stacks)
            name = f"{label:05d}"
            if format == "files":
                io.write_channels(folder / f"{name}.ome.tif", crop_objects.as_channels(crop), spacing, list(crop))
            else:
                archive |= {f"{name}/{part}": values for part, values in crop.items()}
            where = {"stack": stack, "object": object, "label": label, "crop": name}
            rows.append(table_io.as_text(where | crop_objects.place(box, spacing)))
        if format == "archive":
            np.savez_compressed(folder / "crops.npz", **archive)
        table_io.write_rows(folder / "index.csv", crop_objects.INDEX, rows)


job.run(main)
