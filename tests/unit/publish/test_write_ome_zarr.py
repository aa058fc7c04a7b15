import numpy as np
import pytest
import tifffile
import zarr
from ngio import open_ome_zarr_container
from numpy.testing import assert_array_equal
from ome_zarr_models import v04, v05

import write_ome_zarr as script
from cellstack.core.planes import ComputedStack
from cellstack.files.readers.opening import open_image
from cellstack.files.stacks import write_labels, write_stack
from cellstack.publish.write_ome_zarr import average, most_frequent, pyramid, write_ome_zarr

SPACING = (1.0, 0.4, 0.3)
VERSIONS = ("0.4", "0.5")
rng = np.random.default_rng(5)


def volume(shape, dtype=np.uint16):
    return rng.integers(0, 200, shape).astype(dtype)


CHANNELS = {
    "nuclei": volume((5, 300, 520)),
    "membrane": volume((5, 300, 520), np.uint8),
    "DAPI-2": np.full((5, 300, 520), 7, np.uint8),
}
LABELS = {"nuclei": np.kron(volume((5, 30, 52)), np.ones((1, 10, 10), np.uint16))}


@pytest.fixture(scope="module", params=VERSIONS)
def image(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("image") / "image.ome.zarr"
    folder.mkdir()
    write_ome_zarr(folder, CHANNELS, LABELS, SPACING, "colony", request.param)
    return folder, request.param


def test_the_metadata_are_valid(image):
    folder, version = image
    attributes = zarr.open_group(folder, mode="r").attrs.asdict()
    of_labels = zarr.open_group(folder / "labels" / "nuclei", mode="r").attrs.asdict()
    if version == "0.4":  # the arrays are checked by the next test
        found = v04.image.ImageAttrs(**attributes)
        label = v04.image_label.ImageLabelAttrs(**of_labels).image_label
    else:
        found = v05.Image.from_zarr(zarr.open_group(folder, mode="r")).ome_attributes
        group = zarr.open_group(folder / "labels" / "nuclei", mode="r")
        label = v05.ImageLabel.from_zarr(group).ome_attributes.image_label
    omero = found.model_dump()["omero"]
    assert [channel["label"] for channel in omero["channels"]] == list(CHANNELS)
    values = [color.label_value for color in label.colors]
    assert values == sorted({*LABELS["nuclei"].flat} - {0})
    assert label.colors[0].rgba != label.colors[1].rgba
    assert label.source.image == "../../"


def test_scale_axes_channels_and_labels_are_read(image):
    folder, _ = image
    container = open_ome_zarr_container(folder)
    assert container.channel_labels == list(CHANNELS)
    assert container.levels == 3
    full = container.get_image(path="0")
    assert (full.pixel_size.z, full.pixel_size.y, full.pixel_size.x) == SPACING
    assert full.axes == ("c", "z", "y", "x") and str(full.space_unit) == "micrometer"
    for number, stack in enumerate(CHANNELS.values()):
        assert_array_equal(full.get_as_numpy(c=number).squeeze(), stack)
    assert container.list_labels() == ["nuclei"]
    for path in ("0", "1", "2"):
        labels = container.get_label("nuclei", path=path)
        of_image = container.get_image(path=path)
        assert labels.shape == of_image.shape[1:]
        assert labels.pixel_size == of_image.pixel_size
    assert_array_equal(container.get_label("nuclei", path="0").get_as_numpy(), LABELS["nuclei"])


def test_this_workflow_reads_it(image):
    folder, _ = image
    with open_image([folder]) as source:
        assert source.channels == list(CHANNELS)
        assert [source.spacing[axis].value for axis in "zyx"] == list(SPACING)
        assert_array_equal(np.stack(list(source.planes(0))), CHANNELS["nuclei"])
    with open_image([folder / "labels" / "nuclei"]) as source:
        assert_array_equal(np.stack(list(source.planes(0))), LABELS["nuclei"])


def test_levels_lie_in_the_same_place(image):
    folder, version = image
    group = zarr.open_group(folder, mode="r")
    metadata = group.attrs.asdict() if version == "0.4" else group.attrs["ome"]
    (multiscale,) = metadata["multiscales"]
    for number, dataset in enumerate(multiscale["datasets"]):
        scale, translation = dataset["coordinateTransformations"]
        factor = 2**number  # of y and x
        assert scale["scale"] == [1.0, 1.0, 0.4 * factor, 0.3 * factor]
        # the centre of the first block
        expected = [0, 0, 0.2 * (factor - 1), 0.15 * (factor - 1)]
        assert translation["translation"] == pytest.approx(expected)
    assert group["1"].shape == (3, 5, 150, 260) and group["2"].shape == (3, 5, 75, 130)
    blocks = CHANNELS["nuclei"].reshape(5, 150, 2, 260, 2).mean(axis=(2, 4))
    assert_array_equal(group["1"][0], np.rint(blocks))
    assert_array_equal(group["labels/nuclei/1"][:], LABELS["nuclei"][:, ::2, ::2])
    assert group["0"].chunks == (1, 5, 256, 256)


def test_channels_have_a_colour_and_a_range(image):
    folder, version = image
    group = zarr.open_group(folder, mode="r")
    omero = (group.attrs.asdict() if version == "0.4" else group.attrs["ome"])["omero"]
    nuclei, membrane, constant = (each["window"] for each in omero["channels"])
    assert (nuclei["min"], nuclei["max"]) == (0, 65535) and membrane["max"] == 255
    assert 0 <= nuclei["start"] < 5 and 190 < nuclei["end"] < 200
    assert constant["start"] < constant["end"]
    assert len({each["color"] for each in omero["channels"]}) == 3


def test_the_files_are_the_same_each_time(image, tmp_path):
    folder, version = image
    write_ome_zarr(tmp_path, CHANNELS, LABELS, SPACING, "colony", version)
    names = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    assert names == sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file())
    assert all((folder / name).read_bytes() == (tmp_path / name).read_bytes() for name in names)


def test_voxels_become_more_isotropic():
    levels = pyramid((60, 1024, 600), (2.0, 0.25, 0.25))
    assert [level.factors for level in levels] == [(1, 1, 1), (1, 2, 2), (1, 4, 4)]
    levels = pyramid((600, 1024, 600), (0.4, 0.3, 0.3))
    assert [level.factors for level in levels] == [(1, 1, 1), (2, 2, 2), (4, 4, 4)]
    assert levels[2].spacing == (1.6, 1.2, 1.2)
    assert len(pyramid((1, 20, 20), (1, 1, 1))) == 1
    assert pyramid((1, 5, 1000), (1, 9, 1))[-1].factors == (1, 1, 4)


def test_a_label_is_never_averaged():
    labels = np.array([[[5, 5, 9, 0], [5, 7, 9, 0]], [[1, 5, 0, 0], [1, 1, 0, 9]]], np.uint32)
    assert most_frequent(labels, (2, 2, 2)).tolist() == [[[5, 0]]]
    assert average(labels.astype(np.float32), (2, 2, 2)).dtype == np.float32
    random = volume((4, 6, 8)) % 3
    blocks = random.reshape(2, 2, 3, 2, 4, 2).transpose(0, 2, 4, 1, 3, 5).reshape(2, 3, 4, 8)
    counts = np.stack([(blocks == each).sum(axis=-1) for each in range(3)])
    chosen = most_frequent(random, (2, 2, 2))
    best = np.take_along_axis(counts, chosen[None].astype(int), axis=0)[0]
    assert_array_equal(best, counts.max(axis=0))


def test_the_script_writes_channels_and_both_kinds_of_labels(tmp_path):
    shape = (3, 20, 30)
    raw = [tmp_path / f"{name}.tif" for name in ("nuclei", "membrane")]
    for path in raw:
        write_stack(path, volume(shape), SPACING)
    for name in ("labels.ome.tif", "segmentation.tif"):
        write_labels(tmp_path / name, volume(shape), SPACING)
    image = tmp_path / "image.ome.zarr"
    script.main(
        raw=raw,
        labels=[tmp_path / "labels.ome.tif"],
        segmentations=[tmp_path / "segmentation.tif"],
        image=image,
        stack="colony",
        channels=["nuclei", "membrane"],
        objects=["nuclei"],
        version="0.5",
    )
    container = open_ome_zarr_container(image)
    assert container.list_labels() == ["nuclei", "nuclei-segmentation"]
    for name, file in (("nuclei", "labels.ome.tif"), ("nuclei-segmentation", "segmentation.tif")):
        found = container.get_label(name, path="0").get_as_numpy()
        assert_array_equal(found, tifffile.imread(tmp_path / file))


@pytest.mark.slow
def test_stacks_in_files_are_written_like_those_in_memory(tmp_path):
    def lazy(stack):
        return ComputedStack(stack.shape, stack.dtype, lambda box: stack[box])

    channels = {"a": volume((37, 300, 310)), "b": volume((37, 300, 310)).astype(np.float32)}
    labels = {"nuclei": volume((37, 300, 310))}
    for name, convert in (("array", lambda stack: stack), ("parts", lazy)):
        (tmp_path / name).mkdir()
        of_kinds = [
            {key: convert(each) for key, each in kind.items()} for kind in (channels, labels)
        ]
        write_ome_zarr(tmp_path / name, *of_kinds, (0.4, 0.4, 0.4), "image")
    files = sorted(path.relative_to(tmp_path / "array") for path in (tmp_path / "array").rglob("*"))
    assert len(files) > 20
    for path in files:
        if (tmp_path / "array" / path).is_file():
            expected = (tmp_path / "array" / path).read_bytes()
            assert (tmp_path / "parts" / path).read_bytes() == expected, path
    level = zarr.open_group(tmp_path / "parts", mode="r")["1"]
    assert_array_equal(level[0], average(channels["a"], (2, 2, 2)))
