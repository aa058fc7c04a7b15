"""Find the volume of a large object, and the background, from all blocks of a stack."""

import logging
from collections.abc import Sequence
from pathlib import Path

from cellstack.blocks.measure_watershed import typical_of_blocks
from cellstack.files.records import read_json, write_json
from cellstack.run import job

log = logging.getLogger(__name__)


def main(*, regions: Sequence[Path], typical: Path) -> None:
    """Write the `typical` values of the objects in the records `regions` of all blocks."""
    found = typical_of_blocks([read_json(path) for path in regions])
    log.info("%s", found)
    write_json(typical, found._asdict())


job.run(main)
