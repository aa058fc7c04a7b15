"""Measure the image quality of each channel of a stack."""

from pathlib import Path

from cellstack.config.object_columns import CHANNEL_OF
from cellstack.files.no_data import open_no_data
from cellstack.files.records import write_json
from cellstack.files.scratch import scratch_stacks
from cellstack.files.stacks import open_stack
from cellstack.measure.measure_quality import measure_quality, quality_row
from cellstack.run import job


def main(
    *,
    raw: list[Path],
    records: list[Path],
    quality: Path,
    channels: list[str],
    spot_channels: list[str] = (),
) -> None:
    """Write the row of quality.csv, the bad planes and the z profile of each of the `channels`.

    `records` are those of the import of the `raw` channels. Planes are counted from 0. The signal
    of `spot_channels` is not flagged.
    """
    found = {}
    # sorted, so that the file does not depend on the order of the sheet
    for channel, path, record in sorted(zip(channels, raw, records, strict=True)):
        stack, spacing = open_stack(path)
        with scratch_stacks(quality.parent) as allocate:
            measured, profile = measure_quality(
                stack, spacing, open_no_data([record, path]), allocate
            )
        found[channel] = {
            "row": quality_row(
                measured,
                has_spots=channel in spot_channels,
                shows_objects=channel in CHANNEL_OF.values(),
            ),
            "planes": {key: value for key, value in measured.items() if key.endswith("_planes")},
            "profile": {"step_um": spacing[0], **profile},
        }
    write_json(quality, found)


job.run(main)
