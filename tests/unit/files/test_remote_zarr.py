"""OME-Zarr from a server on this machine."""

import numpy as np
import pytest
import zarr
from reading import pattern, um
from zarr_server import serve

import import_stack as script
from cellstack.errors import InputError
from cellstack.files.readers.parts import Part
from cellstack.files.readers.remote_zarr import RETRIES, open_remote
from cellstack.files.records import read_json
from cellstack.files.stacks import read_stack
from cellstack.prepare.import_stack import fill_stack

SERIES = pattern((2, 2, 5, 20, 31))
SPACING = {"z": 1.0, "y": 0.5, "x": 0.25}


@pytest.fixture
def server(tmp_path):
    with serve(tmp_path) as server:
        yield server


@pytest.fixture(autouse=True)
def no_retries(monkeypatch):
    monkeypatch.setitem(RETRIES, "max_retries", 0)


def write_zarr(folder, version):
    group = zarr.create_group(folder, zarr_format=version)
    group.create_array("0", data=SERIES, chunks=(1, 1, 2, 20, 31))
    axes = [{"name": axis, "type": "space", "unit": "micrometer"} for axis in "tczyx"]
    scale = {"type": "scale", "scale": [1, 1, *SPACING.values()]}
    datasets = [{"path": "0", "coordinateTransformations": [scale]}]
    image = {"multiscales": [{"version": "0.4", "axes": axes, "datasets": datasets}]}
    group.attrs.update(image if version == 2 else {"ome": image | {"version": "0.5"}})


def read(url, channel=0, time=None):
    with open_remote(url, Part(time=time)) as source:
        shape = (source.count, *source.plane_shape)
        return source, fill_stack(url, source.planes(channel), shape, source.dtype)


def refused(url, **options):
    with pytest.raises(InputError) as error:
        read(url, **options)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("version", [2, 3])
def test_one_channel_and_time_point_are_downloaded(tmp_path, server, version):
    write_zarr(tmp_path / "a.zarr", version)
    url = f"{server.address}/a.zarr"
    source, found = read(url, channel=1, time=1)
    np.testing.assert_array_equal(found, SERIES[1, 1])
    assert um(source) == SPACING
    assert source.files == []
    chunks = {path for path, _ in server.requests if path[-1].isdecimal()}
    name = "0/c/1/1/{}/0/0" if version == 3 else "0/1.1.{}.0.0"
    assert chunks == {f"/a.zarr/{name.format(z)}" for z in range(3)}
    assert "contains 2 time points, 0 to 1: fill in time" in refused(url)


def test_a_bucket_is_read_without_credentials(tmp_path, server, monkeypatch):
    write_zarr(tmp_path / "bucket" / "a.zarr", 3)
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    _, found = read("s3://bucket/a.zarr", channel=1, time=0)
    np.testing.assert_array_equal(found, SERIES[0, 1])
    assert {authorization for _, authorization in server.requests} == {None}


def test_an_address_without_an_ome_zarr_is_refused(tmp_path, server):
    message = refused(f"{server.address}/none.zarr")
    assert "there is no OME-Zarr at this address: correct image in the sheet" in message
    zarr.create_group(tmp_path / "plate.zarr")
    assert "is a Zarr without an OME-Zarr image" in refused(f"{server.address}/plate.zarr")


def test_a_server_that_fails_or_cannot_be_reached_is_named(tmp_path, server):
    write_zarr(tmp_path / "a.zarr", 3)
    url = f"{server.address}/a.zarr"
    server.broken = "c/1/1/2"
    message = refused(url, channel=1, time=1)
    assert message.startswith(f"{url}: cannot be downloaded (")
    assert "check the address and the network" in message
    server.broken = "zarr"
    assert "cannot be downloaded" in refused(url)
    server.shutdown()
    server.server_close()
    assert "cannot be downloaded" in refused(url)


@pytest.mark.parametrize(
    "address",
    ["https://user:secret@example.org/a.zarr", "https://example.org/a.zarr?signature=secret"],
)
def test_a_password_in_an_address_is_refused_and_not_repeated(address):
    message = refused(address)
    assert "contains a user name, a password or a query" in message
    assert "secret" not in message


def test_the_script_imports_a_remote_image(tmp_path, server):
    write_zarr(tmp_path / "a.zarr", 3)
    url = f"{server.address}/a.zarr"
    raw, record = tmp_path / "raw.tif", tmp_path / "import.json"
    script.main(url=url, raw=raw, record=record, channel="nuclei", channel_index="1", time=1)
    stack, spacing = read_stack(raw)
    np.testing.assert_array_equal(stack, SERIES[1, 1])
    assert dict(zip("zyx", spacing, strict=True)) == SPACING
    assert read_json(record)["files"] == [url]


@pytest.mark.parametrize("version", [2, 3])
def test_absent_chunks_of_a_remote_image_are_counted(tmp_path, server, version):
    write_zarr(tmp_path / "a.zarr", version)
    url = f"{server.address}/a.zarr"

    def flags():
        paths = {"raw": tmp_path / "raw.tif", "record": tmp_path / "import.json"}
        script.main(url=url, channel="nuclei", channel_index="1", time=1, **paths)
        return read_json(tmp_path / "import.json")["flags"]

    assert flags() == []
    chunks = sorted((tmp_path / "a.zarr" / "0").rglob("1.1.*" if version == 2 else "c/1/1/*/0/0"))
    others = (tmp_path / "a.zarr" / "0").rglob("0.1.*" if version == 2 else "c/0/1/*/0/0")
    assert len(chunks) == 3
    for chunk in others:
        chunk.unlink()
    assert flags() == []  # of another time point
    chunks[1].unlink()
    assert flags() == ["1 of 3 chunks is absent and is read as empty"]
    assert not read_stack(tmp_path / "raw.tif")[0][2:4].any()
    chunks[2].unlink()
    with pytest.raises(InputError, match="2 of 3 chunks are absent, more than 50%: copy the image"):
        flags()


def test_absent_shards_of_a_remote_image_are_counted(tmp_path, server):
    write_zarr(tmp_path / "a.zarr", 3)
    group = zarr.open_group(tmp_path / "a.zarr")
    del group["0"]
    group.create_array("0", data=SERIES, shards=(1, 1, 2, 20, 31), chunks=(1, 1, 1, 10, 31))
    (tmp_path / "a.zarr" / "0" / "c" / "0" / "1" / "1" / "0" / "0").unlink()
    with open_remote(f"{server.address}/a.zarr", Part(time=0)) as source:
        planes = list(source.planes(1))
        assert source.count_chunks(1) == (1, 3)
    np.testing.assert_array_equal(planes[:2], SERIES[0, 1, :2])
