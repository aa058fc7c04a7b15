import numpy as np
import pytest
import zarr
from reading import CHANNELS, pattern, read, refused, um


def write_zarr(
    folder, array, axes, version, *, scale=None, units=None, names=(), chunks=None, outer=None
):
    group = zarr.create_group(folder, zarr_format=version)
    group.create_array(
        "0", data=array, chunks=chunks or tuple(max(1, -(-length // 2)) for length in array.shape)
    )
    group.create_array("1", data=array[..., ::2, ::2])
    kinds = {"t": "time", "c": "channel"}
    units = units or {}
    described = [
        {"name": axis, "type": kinds.get(axis, "space")}
        | ({"unit": units[axis]} if axis in units else {})
        for axis in axes
    ]
    levels = [{"path": path} for path in "01"]
    if scale:
        levels[0]["coordinateTransformations"] = [{"type": "scale", "scale": scale}]
    multiscale = {"axes": described, "datasets": levels}
    if outer:
        multiscale["coordinateTransformations"] = [{"type": "scale", "scale": outer}]
    content = {"multiscales": [multiscale]}
    if names:
        content["omero"] = {"channels": [{"label": name} for name in names]}
    group.attrs.update(content if version == 2 else {"ome": {"version": "0.5"} | content})
    return folder


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("axes", ["tczyx", "zcyx", "zyx", "yx", "cyx"])
def test_both_versions_of_ome_zarr(tmp_path, version, axes):
    sizes = {"t": 1, "c": 2, "z": 5, "y": 8, "x": 10}
    array = pattern([sizes[axis] for axis in axes], ">u2" if version == 2 else "<u2")
    scale = [{"t": 1.0, "c": 1.0, "z": 500.0, "y": 0.25, "x": 0.2}[axis] for axis in axes]
    units = {"z": "nanometer", "y": "micrometer", "x": "micrometer"}
    folder = write_zarr(
        tmp_path / "a.zarr",
        array,
        axes,
        version,
        scale=scale,
        units=units,
        names=CHANNELS if "c" in axes else (),
    )
    channel = 1 if "c" in axes else 0
    source, found = read(folder, channel=channel)
    expected = array.transpose([axes.index(axis) for axis in "tczyx" if axis in axes])
    expected = expected[0] if "t" in axes else expected
    expected = expected[channel] if "c" in axes else expected
    np.testing.assert_array_equal(found, expected if "z" in axes else expected[None])
    assert source.channels == (CHANNELS if "c" in axes else [None])
    assert um(source) == {"y": 0.25, "x": 0.2} | ({"z": 0.5} if "z" in axes else {})


def test_scales_of_an_ome_zarr_multiply_and_need_units(tmp_path):
    array = pattern((4, 8, 10))
    units = dict.fromkeys("zyx", "micrometer")
    folder = write_zarr(
        tmp_path / "a.zarr", array, "zyx", 3, scale=[2, 1, 1], outer=[1, 0.5, 0.25], units=units
    )
    assert um(read(folder)[0]) == {"z": 2, "y": 0.5, "x": 0.25}
    folder = write_zarr(tmp_path / "b.zarr", array, "zyx", 3, scale=[2, 1, 1])
    assert um(read(folder)[0]) == {"z": None, "y": None, "x": None}
    assert read(write_zarr(tmp_path / "c.zarr", array, "zyx", 2))[0].spacing == {}


def test_zarrs_without_an_image_are_refused(tmp_path):
    group = zarr.create_group(tmp_path / "plate.zarr")
    group.create_group("A")
    assert "it contains A: name the folder" in refused(tmp_path / "plate.zarr")
    (tmp_path / "bad.zarr").mkdir()
    (tmp_path / "bad.zarr" / "zarr.json").write_text("{")
    assert "cannot be read" in refused(tmp_path / "bad.zarr")
    folder = write_zarr(tmp_path / "torn.zarr", pattern((4, 8, 10)), "zyx", 3, chunks=(2, 8, 10))
    (folder / "0" / "c" / "1" / "0" / "0").write_bytes(b"torn")
    assert "cannot be read" in refused(folder)
