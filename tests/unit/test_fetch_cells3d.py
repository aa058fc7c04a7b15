import numpy as np
import pytest
import skimage

import fetch_cells3d as script
from cellstack import readers, spacing
from cellstack.errors import InputError


def test_the_stack_is_written_with_names_and_sizes(tmp_path, monkeypatch):
    stack = np.random.default_rng(5).integers(0, 60000, (60, 2, 8, 9)).astype("uint16")
    monkeypatch.setattr(skimage.data, "cells3d", lambda: stack)
    script.main(image=tmp_path / "cells3d.ome.tif")
    with readers.open_image([tmp_path / "cells3d.ome.tif"]) as source:
        assert source.channels == ["membrane", "nuclei"]
        assert {axis: spacing.in_um(found)[0] for axis, found in source.spacing.items()} == {"z": 0.29, "y": 0.26, "x": 0.26}
        for channel in (0, 1):
            np.testing.assert_array_equal(list(source.planes(channel)), stack[:, channel])
    first = (tmp_path / "cells3d.ome.tif").read_bytes()
    script.main(image=tmp_path / "cells3d.ome.tif")
    assert (tmp_path / "cells3d.ome.tif").read_bytes() == first


def test_without_a_network_one_line_says_what_to_do(tmp_path, monkeypatch):
    def fail():
        raise ConnectionError("no network")

    monkeypatch.setattr(skimage.data, "cells3d", fail)
    with pytest.raises(
        InputError, match=r"cells3d of scikit-image could not be fetched: connect .* cells3d\.tif into the folder .*, or name own"
    ):
        script.main(image=tmp_path / "cells3d.ome.tif")
    assert not (tmp_path / "cells3d.ome.tif").exists()
