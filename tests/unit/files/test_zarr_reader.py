import json

import numpy as np
import pytest
import zarr
from reading import CHANNELS, pattern, read, refused, um


def write_zarr(
    folder,
    array,
    axes,
    version,
    *,
    scale=None,
    units=None,
    names=(),
    chunks=None,
    outer=None,
    separator=None,
):
    group = zarr.create_group(folder, zarr_format=version)
    encoding = {"name": "v2" if version == 2 else "default", "separator": separator}
    group.create_array(
        "0",
        data=array,
        chunks=chunks or tuple(max(1, -(-length // 2)) for length in array.shape),
        chunk_key_encoding=encoding if separator else None,
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


def test_a_time_point_is_read_and_its_chunks_are_counted(tmp_path):
    array = pattern((2, 2, 5, 7, 9), ">u2") + 1
    folder = write_zarr(tmp_path / "a.zarr", array, "tczyx", 2)
    (folder / "0" / "0.1.0.0.0").unlink()
    for time, absent in ((0, 1), (1, 0)):
        source, found = read(folder, channel=1, time=time)
        assert source.time == time
        assert source.dtype.isnative
        expected = array[time, 1].copy()
        expected[: 3 * absent, :4, :5] *= 1 - absent
        np.testing.assert_array_equal(found, expected)
        assert source.count_chunks(1) == (absent, 8)
    single = write_zarr(tmp_path / "b.zarr", array[:1], "tczyx", 2)
    assert read(single)[0].time is None


@pytest.mark.parametrize("chunks", [(2, 2, 4, 5), (1, 2, 4, 5)])
def test_incomplete_chunks_and_those_of_several_channels_are_counted(tmp_path, chunks):
    folder = write_zarr(tmp_path / "a.zarr", pattern((2, 5, 7, 9)) + 1, "czyx", 2, chunks=chunks)
    for channel in (0, 1):
        assert read(folder)[0].count_chunks(channel) == (0, 3 * 2 * 2)


def test_axes_have_any_case_and_channels_any_name(tmp_path):
    array = pattern((2, 4, 8, 10))
    units = dict.fromkeys("zyx", "micrometer")
    scale = [1, 2, 0.5, 0.25]
    folder = write_zarr(tmp_path / "a.zarr", array, "czyx", 2, scale=scale, units=units)

    def change(multiscale, attributes):
        for axis, name in zip(multiscale["axes"], ("dye", "Z", "Y", "X"), strict=True):
            axis["name"] = name

    edit(folder, change)
    source, found = read(folder, channel=1)
    np.testing.assert_array_equal(found, array[1])
    assert um(source) == {"z": 2, "y": 0.5, "x": 0.25}


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


@pytest.mark.parametrize("version", [2, 3])
def test_the_highest_resolution_is_read_wherever_it_is_listed(tmp_path, version):
    array = pattern((4, 8, 10))
    folder = write_zarr(tmp_path / "a.zarr", array, "zyx", version, **UM)
    path = folder / (".zattrs" if version == 2 else "zarr.json")
    content = json.loads(path.read_text())
    attributes = content if version == 2 else content["attributes"]["ome"]
    levels = attributes["multiscales"][0]["datasets"]
    coarse = [{"type": "scale", "scale": [2, 1, 0.5]}]
    levels[:] = [{"path": "1", "coordinateTransformations": coarse}, levels[0]]
    path.write_text(json.dumps(content))
    source, found = read(folder)
    np.testing.assert_array_equal(found, array)
    assert um(source) == {"z": 2, "y": 0.5, "x": 0.25}


def test_several_images_are_scenes(tmp_path):
    array = pattern((4, 8, 10))
    folder = write_zarr(tmp_path / "a.zarr", array, "zyx", 2, **UM)

    def add_image(multiscale, attributes):
        second = multiscale | {"datasets": [{"path": "1"}], "name": "binned"}
        attributes["multiscales"].append(second)

    edit(folder, add_image)
    assert "contains 2 scenes, 0, 1 (binned): fill in scene in the sheet" in refused(folder)
    source, found = read(folder, scene="binned")
    np.testing.assert_array_equal(found, array[..., ::2, ::2])
    assert source.scene == "1 (binned)"
    np.testing.assert_array_equal(read(folder, scene="0")[1], array)


@pytest.mark.parametrize(("axes", "hint"), [("tyx", "if they are planes"), ("tzyx", "")])
def test_time_points_that_can_be_planes(tmp_path, axes, hint):
    folder = write_zarr(tmp_path / "a.zarr", pattern((4, 3, 8, 10)[4 - len(axes) :]), axes, 2)
    message = refused(folder)
    assert "fill in time in the sheet; each time point is a separate stack" in message
    assert ("if they are planes, correct `axes`" in message) == bool(hint)


def test_a_translation_is_ignored(tmp_path):
    folder = write_zarr(tmp_path / "a.zarr", pattern((4, 8, 10)), "zyx", 2, **UM)

    def change(multiscale, attributes):
        shift = {"type": "translation", "translation": [9, 9, 9]}
        multiscale["datasets"][0]["coordinateTransformations"] += [shift, None]

    edit(folder, change)
    assert um(read(folder)[0]) == {"z": 2, "y": 0.5, "x": 0.25}


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


def edit(folder, change):
    """Change the attributes of a Zarr 2 in place."""
    path = folder / ".zattrs"
    attributes = json.loads(path.read_text())
    change(attributes["multiscales"][0], attributes)
    path.write_text(json.dumps(attributes))


UM = {"scale": [2, 0.5, 0.25], "units": dict.fromkeys("zyx", "micrometer")}


@pytest.mark.parametrize(
    ("change", "known"),
    [
        (lambda multiscale, attributes: attributes.update(omero=None), "zyx"),
        (lambda multiscale, attributes: attributes.update(omero={"channels": None}), "zyx"),
        (lambda multiscale, attributes: attributes.update(omero={"channels": [None]}), "zyx"),
        (lambda multiscale, attributes: multiscale.update(coordinateTransformations=None), "zyx"),
        (lambda multiscale, attributes: multiscale.update(version=None, name=None), "zyx"),
        (lambda multiscale, attributes: multiscale["axes"][0].update(unit=None), "yx"),
        (lambda multiscale, attributes: multiscale["axes"][0].update(type=None), "zyx"),
        (lambda multiscale, attributes: multiscale["datasets"].append(None), "zyx"),
        (
            lambda multiscale, attributes: multiscale["datasets"][0].update(
                coordinateTransformations=[{"type": "scale", "scale": [None, 0.5, 0.25]}]
            ),
            "yx",
        ),
        (
            lambda multiscale, attributes: multiscale["datasets"][0].update(
                coordinateTransformations=None
            ),
            "",
        ),
    ],
)
def test_null_is_the_same_as_absent(tmp_path, change, known):
    array = pattern((4, 8, 10))
    folder = write_zarr(tmp_path / "a.zarr", array, "zyx", 2, **UM)
    edit(folder, change)
    source, found = read(folder)
    np.testing.assert_array_equal(found, array)
    expected = {"z": 2, "y": 0.5, "x": 0.25}
    sizes = {axis: size for axis, size in um(source).items() if size is not None}
    assert sizes == {axis: expected[axis] for axis in known}


@pytest.mark.parametrize("scale", [{"path": "scale"}, {"scale": 0.5}, {"scale": [0.5, 0.5]}])
def test_a_scale_that_does_not_fit_the_axes_is_refused(tmp_path, scale):
    folder = write_zarr(tmp_path / "a.zarr", pattern((4, 8, 10)), "zyx", 2, **UM)
    edit(
        folder,
        lambda multiscale, attributes: multiscale["datasets"][0].update(
            coordinateTransformations=[{"type": "scale", **scale}]
        ),
    )
    assert "a.zarr: a scale in its metadata is not a list of 3 numbers" in refused(folder)


@pytest.mark.parametrize(
    ("version", "axes"), [("0.1", None), ("0.2", None), ("0.3", ["t", "c", "z", "y", "x"])]
)
def test_old_versions_are_read_without_a_voxel_size(tmp_path, version, axes):
    array = pattern((1, 2, 4, 8, 10))
    folder = write_zarr(tmp_path / "a.zarr", array, "tczyx", 2)

    def change(multiscale, attributes):
        multiscale |= {"version": version, "axes": axes, "datasets": [{"path": "0"}]}

    edit(folder, change)
    source, found = read(folder, channel=1)
    np.testing.assert_array_equal(found, array[0, 1])
    assert (source.format, source.spacing) == (f"OME-Zarr {version} (Zarr 2)", {})


def test_what_cannot_be_known_of_another_version_is_refused(tmp_path):
    folder = write_zarr(tmp_path / "a.zarr", pattern((4, 8, 10)), "zyx", 2, **UM)
    edit(folder, lambda multiscale, attributes: multiscale.update(version="0.6-dev1"))
    assert "is OME-Zarr of version 0.6-dev1, which is not supported: save it as" in refused(folder)
    edit(folder, lambda multiscale, attributes: multiscale.update(version="0.3", axes=None))
    assert "is OME-Zarr of version 0.3 without `axes`" in refused(folder)
    edit(folder, lambda multiscale, attributes: multiscale.update(version="0.1"))
    assert "names 5 axes, but its array has 3" in refused(folder)


@pytest.mark.parametrize(
    ("version", "separator", "lost"),
    [(2, ".", "1.1.1"), (2, "/", "1/1/1"), (3, "/", "c/1/1/1"), (3, ".", "c.1.1.1")],
)
def test_absent_chunks_are_counted(tmp_path, version, separator, lost):
    array = pattern((4, 8, 10)) + 1
    folder = write_zarr(tmp_path / "a.zarr", array, "zyx", version, **UM, separator=separator)
    assert read(folder)[0].count_chunks(0) == (0, 8)
    (folder / "0" / lost).unlink()
    source, found = read(folder)
    assert source.count_chunks(0) == (1, 8)
    array[2:, 4:, 5:] = 0
    np.testing.assert_array_equal(found, array)


def test_absent_shards_are_counted(tmp_path):
    group = zarr.create_group(tmp_path / "a.zarr", zarr_format=3)
    array = pattern((4, 8, 10)) + 1
    group.create_array("0", data=array, chunks=(1, 4, 5), shards=(2, 8, 5))
    axes = [{"name": axis} for axis in "zyx"]
    group.attrs["ome"] = {"multiscales": [{"axes": axes, "datasets": [{"path": "0"}]}]}
    assert read(tmp_path / "a.zarr")[0].count_chunks(0) == (0, 4)
    (tmp_path / "a.zarr" / "0" / "c" / "1" / "0" / "1").unlink()
    assert read(tmp_path / "a.zarr")[0].count_chunks(0) == (1, 4)


def test_only_the_chunks_of_the_channel_are_counted(tmp_path):
    folder = write_zarr(tmp_path / "a.zarr", pattern((2, 4, 8, 10)) + 1, "czyx", 2)
    for name in ("0.0.0.0", "0.1.1.1"):
        (folder / "0" / name).unlink()
    source = read(folder)[0]
    assert source.count_chunks(0) == (2, 8)
    assert source.count_chunks(1) == (0, 8)
    (folder / "0" / "1.2.0.0").touch()  # beyond the array, which was shortened
    assert read(folder)[0].count_chunks(1) == (0, 8)
