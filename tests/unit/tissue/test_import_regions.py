"""Import of regions: labels are kept, coarse images are repeated, and others are refused."""

import numpy as np
import pytest
import tifffile

import import_regions as script
from cellstack.errors import InputError
from cellstack.files.stacks import read_stack, write_stack
from cellstack.tissue.import_regions import repeat_labels

STEPS = (1.0, 0.5, 0.25)


def run(folder, labels, shape, downsample=(1, 1, 1)):
    tifffile.imwrite(folder / "drawn.tif", labels, photometric="minisblack")
    write_stack(folder / "raw.tif", np.zeros(shape, "uint16"), STEPS)
    script.main(
        image=[folder / "drawn.tif"],
        raw=folder / "raw.tif",
        regions=folder / "regions.tif",
        downsample=list(downsample),
    )
    return read_stack(folder / "regions.tif")


@pytest.fixture
def labels():
    return np.random.default_rng(0).choice([0, 3, 7], (4, 6, 8)).astype("uint16")


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "uint32", "int64", "float32"])
def test_labels_keep_their_numbers(tmp_path, labels, dtype):
    found, spacing = run(tmp_path, labels.astype(dtype), labels.shape)
    np.testing.assert_array_equal(found, labels)
    assert found.dtype == np.uint16
    assert spacing == STEPS


def test_labels_of_an_atlas_need_32_bits(tmp_path, labels):
    atlas = labels.astype("uint32") * 204818092
    found, _ = run(tmp_path, atlas, atlas.shape)
    np.testing.assert_array_equal(found, atlas)
    assert found.dtype == np.uint32


def test_coarse_regions_are_repeated(tmp_path, labels):
    found, _ = run(tmp_path, labels, (4, 12, 24))
    for place in np.ndindex(found.shape):
        z, y, x = place
        assert found[place] == labels[z, y // 2, x // 3]


def test_repeated_labels_are_a_kronecker_product(labels):
    repeated = np.stack(list(repeat_labels(labels, (8, 6, 24))))
    np.testing.assert_array_equal(repeated, np.kron(labels, np.ones((2, 1, 3), "uint16")))


def test_regions_of_the_image_before_downsampling(tmp_path, labels):
    found, _ = run(tmp_path, labels, (4, 2, 4), downsample=(1, 3, 2))
    np.testing.assert_array_equal(found, labels[:, 1::3, 1::2])
    # drawn on the downsampled stack
    found, _ = run(tmp_path, labels, labels.shape, downsample=(2, 2, 2))
    np.testing.assert_array_equal(found, labels)


@pytest.mark.parametrize("shape", [(4, 6, 9), (4, 6, 12), (4, 3, 8), (2, 6, 8)])
def test_another_shape_is_refused(tmp_path, labels, shape):
    with pytest.raises(InputError, match=r"drawn.tif: regions of shape .* do not fit .*raw.tif"):
        run(tmp_path, labels, shape)


@pytest.mark.parametrize(
    ("values", "message"), [(-1, "smallest label is -1"), (2**32, "highest label is 4294967296")]
)
def test_numbers_that_are_no_labels_are_refused(tmp_path, labels, values, message):
    wrong = labels.astype("int64")
    wrong[0, 0, 0] = values
    with pytest.raises(InputError, match=message):
        run(tmp_path, wrong, labels.shape)


def test_a_table_and_an_image_with_channels_are_refused(tmp_path, labels):
    (tmp_path / "points.csv").write_text("z,y,x\n1,2,3\n")
    write_stack(tmp_path / "raw.tif", labels, STEPS)
    files = {"raw": tmp_path / "raw.tif", "regions": tmp_path / "a.tif", "downsample": [1, 1, 1]}
    with pytest.raises(InputError, match="give regions as an image"):
        script.main(image=[tmp_path / "points.csv"], **files)
    two = np.stack([labels, labels], axis=1)
    tifffile.imwrite(tmp_path / "two.tif", two, imagej=True, metadata={"axes": "ZCYX"})
    with pytest.raises(InputError, match="has 2 channels"):
        script.main(image=[tmp_path / "two.tif"], **files)
