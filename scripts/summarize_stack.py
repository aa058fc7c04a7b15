"""Summarize a stack in one row, and each measurement of its objects in one row."""

from collections.abc import Sequence
from pathlib import Path

from cellstack.config import lengths
from cellstack.config.columns import CHECK_COLUMNS, STACK_COLUMNS, STATISTICS_COLUMNS
from cellstack.config.object_columns import CHANNEL_OF
from cellstack.core.counting_frame import place_frame
from cellstack.files.records import read_flags, read_json
from cellstack.files.stacks import open_stack
from cellstack.files.tables import as_text, read_columns, read_rows, write_rows
from cellstack.measure.summarize_stack import describe_objects, summarize_stack
from cellstack.run import job


def main(
    *,
    objects: Path,
    selection: Path,
    segmentation: Path,
    summary: Path,
    statistics: Path,
    records: list[Path],
    quality: Path,
    stack: str,
    object: str,
    diameter_um: float,
    diameter_source: str | None = None,
    diameter: list[Path] = (),
    record: Sequence[Path] = (),
    mask: Sequence[Path] = (),
    estimate: Sequence[Path] = (),
    corrections: list[Path] = (),
    counting_frame: list[str],
    counting_guard_um: float,
) -> None:
    """Write one row as `summary`, and one for each measured column as `statistics`.

    `records` describe the import of the channels of the stack, and `quality` their image quality.
    The file `diameter`, if given, names the source of an estimated diameter. If they exist, the
    `record` of the import of the channel of the objects has the fraction of voxels without data,
    and those of the `mask` have the signs that it can be inaccurate. The file `estimate`
    has the diameter that the image suggests. The table `corrections` says which corrections were
    applied. The objects that count according to the table `selection` are those in the frame that
    has the faces `counting_frame` and a guard zone of `counting_guard_um`.
    """
    source = lengths.read_diameter(diameter[0])["source"] if diameter else diameter_source
    rows = list(read_rows(objects))
    columns = {name: [row[name] for row in rows] for name in read_columns(objects)}
    selected = list(read_rows(selection))
    reasons = [row["reason"] for row in selected]
    imported = read_json(record[0]) if record else {"no_data": None}
    no_data = imported["no_data"] or {"fraction": 0.0}
    estimated = read_json(estimate[0]) if estimate else {"estimated_um": None, "doubt": ""}
    image, spacing = open_stack(segmentation)
    measured = {channel: each["row"] for channel, each in read_json(quality).items()}
    flags_of_channels = [
        f"{channel}: {flag}"
        for channel, row in measured.items()
        for flag in filter(None, row["flags"].split(";"))
    ]
    row = {
        "stack": stack,
        "object": object,
        **summarize_stack(
            columns,
            reasons,
            image,
            spacing,
            diameter_um,
            source,
            [*read_flags(records), *flags_of_channels],
            no_data["fraction"],
            {name: value for path in mask for name, value in read_json(path).items()},
            channel=object,
            estimated_um=estimated["estimated_um"],
            doubt=estimated["doubt"],
            corrections=[each["status"] for path in corrections for each in read_rows(path)],
            quality=measured.get(CHANNEL_OF[object], {}),
            count_in_frame=sum(row["counted"] == "1" for row in selected),
            frame=place_frame(image.shape, spacing, counting_frame, counting_guard_um),
        ),
    }
    write_rows(summary, list(STACK_COLUMNS | CHECK_COLUMNS), [as_text(row)])
    key = {"stack": stack, "object": object}
    described = [as_text(key | each) for each in describe_objects(columns)]
    write_rows(statistics, list(STATISTICS_COLUMNS), described)


job.run(main)
