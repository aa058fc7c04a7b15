"""The voxels of an imported channel that have no data."""

import numpy as np
import pytest

from cellstack.files.no_data import read_no_data
from cellstack.files.records import write_json
from cellstack.files.stacks import write_stack


@pytest.fixture
def channel(tmp_path):
    """Return a function that writes an import and returns its files."""

    def write(found):
        write_json(tmp_path / "import.json", {"no_data": found})
        row = np.array([0, 0, 40, 90, 60, 95], np.uint16)
        stack = np.broadcast_to(row, (2, 3, 6))
        write_stack(tmp_path / "raw.tif", stack, (2.0, 0.5, 0.4))
        return [tmp_path / "import.json", tmp_path / "raw.tif"]

    return write


def test_voxels_with_the_value_and_interpolated_ones_are_marked(channel):
    found = read_no_data(channel({"value": 0.0, "limit": 80.0}))
    assert found.shape == (2, 3, 6)
    assert (found == [True, True, True, False, False, False]).all()


def test_all_voxels_are_data_if_the_import_found_nothing_or_there_is_no_channel(channel):
    assert read_no_data(channel(None)) is None
    assert read_no_data([]) is None
