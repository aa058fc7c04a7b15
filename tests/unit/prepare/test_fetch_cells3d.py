"""The script that downloads cells3d, with the download replaced."""

import numpy as np
import pytest
import skimage

import fetch_cells3d as script
from cellstack.errors import InputError
from cellstack.files.readers import opening, voxel_size


def test_the_stack_is_written_with_channel_names_and_voxel_size(tmp_path, monkeypatch):
    stack = np.random.default_rng(5).integers(0, 60000, (60, 2, 8, 9)).astype("uint16")
    monkeypatch.setattr(skimage.data, "cells3d", lambda: stack)
    script.main(image=tmp_path / "cells3d.ome.tif")
    with opening.open_image([tmp_path / "cells3d.ome.tif"]) as source:
        assert source.channels == ["membrane", "nuclei"]
        assert {axis: voxel_size.in_um(found)[0] for axis, found in source.spacing.items()} == {
            "z": 0.29,
            "y": 0.26,
            "x": 0.26,
        }
        for channel in (0, 1):
            np.testing.assert_array_equal(list(source.planes(channel)), stack[:, channel])
    first = (tmp_path / "cells3d.ome.tif").read_bytes()
    script.main(image=tmp_path / "cells3d.ome.tif")
    assert (tmp_path / "cells3d.ome.tif").read_bytes() == first


def test_the_error_without_a_network_says_what_to_do(tmp_path, monkeypatch):
    def fail():
        raise ConnectionError("no network")

    monkeypatch.setattr(skimage.data, "cells3d", fail)
    with pytest.raises(
        InputError,
        match=r"cells3d of scikit-image could not be downloaded: connect .* cells3d\.tif into the "
        r"folder .*, or list your own",
    ):
        script.main(image=tmp_path / "cells3d.ome.tif")
    assert not (tmp_path / "cells3d.ome.tif").exists()
