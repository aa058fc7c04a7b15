import csv

import numpy as np
import pytest
import tifffile

import crop_objects as script
from cellstack.errors import InputError
from cellstack.files.stacks import write_labels, write_stack
from cellstack.measure.crop_objects import as_channels, crop_object, pad_box

SPACING = (2.0, 0.5, 0.4)


def scene():
    labels = np.zeros((6, 20, 21), np.uint16)
    labels[0:3, 2:8, 0:5] = 1
    labels[2:5, 7:12, 4:9] = 2
    rng = np.random.default_rng(0)
    return (
        labels,
        rng.integers(0, 255, labels.shape, dtype=np.uint8),
        rng.random(labels.shape, np.float32),
    )


def test_margin_ends_at_the_face_of_the_stack():
    box = (slice(0, 3), slice(2, 8), slice(0, 5))
    assert pad_box(box, (6, 20, 21), (1, 4, 5)) == (slice(0, 4), slice(0, 12), slice(0, 10))
    assert pad_box(box, (6, 20, 21), (0, 0, 0)) == box


def test_crop_has_raw_values_and_the_mask_of_one_object():
    labels, a, b = scene()
    box = (slice(1, 6), slice(5, 14), slice(2, 11))
    crop = crop_object(labels, 2, box, {"a": a, "b": b})
    assert list(crop) == ["a", "b", "mask"]
    np.testing.assert_array_equal(crop["a"], a[box])
    assert crop["b"].dtype == np.float32
    np.testing.assert_array_equal(crop["mask"], labels[box] == 2)
    assert as_channels(crop).shape == (5, 3, 9, 9)
    assert as_channels({"a": crop["a"], "mask": crop["mask"]}).dtype == np.uint8


@pytest.fixture
def files(tmp_path):
    labels, a, b = scene()
    write_labels(tmp_path / "labels.ome.tif", labels, SPACING)
    write_stack(tmp_path / "a.tif", a, SPACING)
    write_stack(tmp_path / "b.tif", b, SPACING)
    raw = [tmp_path / "a.tif", tmp_path / "b.tif"]
    names = {"stack": "s1", "object": "nuclei", "channels": ["a", "b"], "margin_um": 1.0}
    return {"labels": tmp_path / "labels.ome.tif", "raw": raw, "crops": tmp_path / "crops"} | names


@pytest.mark.parametrize("form", ["archive", "files"])
def test_index_lists_each_crop_and_its_position(files, form):
    script.main(**files, format=form)
    labels, a, b = scene()
    rows = list(csv.DictReader((files["crops"] / "index.csv").open()))
    assert [row["label"] for row in rows] == ["1", "2"]
    # A margin of 1 um is 1, 2 and 3 voxels (2.5, rounded); it ends at the faces of the stack.
    boxes = [[(0, 4), (0, 10), (0, 8)], [(1, 6), (5, 14), (1, 12)]]
    for row, expected in zip(rows, boxes, strict=True):
        assert [(int(row[f"start_{a}"]), int(row[f"stop_{a}"])) for a in "zyx"] == expected
    for row in rows:
        box = tuple(slice(int(row[f"start_{axis}"]), int(row[f"stop_{axis}"])) for axis in "zyx")
        if form == "archive":
            archive = np.load(files["crops"] / "crops.npz")
            found = [archive[f"{row['crop']}/{part}"] for part in ("a", "b", "mask")]
        else:
            with tifffile.TiffFile(files["crops"] / f"{row['crop']}.ome.tif") as tif:
                assert tif.series[0].axes == "ZCYX"
                assert 'PhysicalSizeZ="2.0"' in tif.ome_metadata
                assert all(f'Name="{name}"' in tif.ome_metadata for name in ("a", "b", "mask"))
                found = np.moveaxis(tif.asarray(), 1, 0)
        for part, whole in zip(found, (a, b, labels == int(row["label"])), strict=True):
            np.testing.assert_array_equal(part, whole[box])
        assert [float(row[f"spacing_{axis}_um"]) for axis in "zyx"] == list(SPACING)


@pytest.mark.parametrize("form", ["archive", "files"])
def test_crops_of_an_earlier_run_are_replaced(files, form):
    files["crops"].mkdir()
    (files["crops"] / "00009.ome.tif").touch()
    script.main(**files, format=form)
    assert len(list(files["crops"].iterdir())) == {"archive": 2, "files": 3}[form]
    assert [path.name for path in files["crops"].parent.iterdir() if "partial" in path.name] == []


@pytest.mark.parametrize("form", ["archive", "files"])
def test_no_objects_give_an_empty_index(files, form):
    write_labels(files["labels"], np.zeros((6, 20, 21), np.uint16), SPACING)
    script.main(**files, format=form)
    assert list(csv.DictReader((files["crops"] / "index.csv").open())) == []


def test_failure_leaves_no_folder(files):
    write_stack(files["raw"][1], np.zeros((6, 20, 20), np.uint16), SPACING)
    with pytest.raises(InputError, match=r"b\.tif has shape \(6, 20, 20\)"):
        script.main(**files, format="files")
    assert not files["crops"].exists()
