"""Combine the scores of spots of all stacks and channels in one table."""

from pathlib import Path

from cellstack.evaluate.score_columns import BY_SPOT_CHANNEL
from cellstack.files.records import read_json
from cellstack.files.tables import as_text, write_rows
from cellstack.run import job


def main(*, channel_scores: list[Path], scores: Path) -> None:
    """Write one row for each file of `channel_scores`."""
    write_rows(scores, list(BY_SPOT_CHANNEL), [as_text(read_json(path)) for path in channel_scores])


job.run(main)
