"""Search of folders: files, stacks of planes, and what is left out."""

import numpy as np
import pytest
import tifffile

from cellstack.init.contents import is_plane
from cellstack.init.find_images import find_images

PLANE = np.arange(42, dtype=np.uint16).reshape(6, 7)


def write(path, planes=1):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = PLANE if planes == 1 else np.stack([PLANE] * planes)
    tifffile.imwrite(path, image, photometric="minisblack", metadata=None)


def found_in(folder, **options):
    """Return the names of the images, their paths and their numbers of files."""
    found = find_images(folder, is_plane, **options)
    images = {
        image.name: (image.path.removeprefix(f"{folder}/"), len(image.files))
        for image in found.images
    }
    assert len(images) == len(found.images)
    return images, found


def test_numbered_stacks_are_separate_images(tmp_path):
    for number in (1, 2, 3):
        write(tmp_path / f"mouse{number}.tif", planes=5)
    images, _ = found_in(tmp_path)
    assert images == {f"mouse{n}": (f"mouse{n}.tif", 1) for n in (1, 2, 3)}


def test_numbered_planes_are_one_image(tmp_path):
    for number in range(5):
        write(tmp_path / "a" / f"img_z{number:03d}.tif")
    images, _ = found_in(tmp_path)
    assert images == {"a/img": (str(tmp_path / "a").removeprefix(f"{tmp_path}/"), 5)}


def test_planes_of_several_channels_get_patterns(tmp_path):
    for channel in (0, 1):
        for number in range(3):
            write(tmp_path / f"[a] z{number}_ch{channel}.tif")
    images, found = found_in(tmp_path)
    assert {name: count for name, (_, count) in images.items()} == {"[a]_ch0": 3, "[a]_ch1": 3}
    for image in found.images:
        assert {str(path) for path in tmp_path.glob(image.path.rpartition("/")[2])} == set(
            map(str, image.files)
        )


def test_folders_with_one_plane_each_are_one_stack(tmp_path):
    for step in (1, 2, 3):
        for site in (1, 2):
            write(tmp_path / f"ZStep_{step}" / f"plate_C07_s{site}_w1.tif")
    images, _ = found_in(tmp_path)
    assert {count for _, count in images.values()} == {3}
    assert len(images) == 2


def test_a_lost_plane_is_a_problem(tmp_path):
    for number in (0, 1, 3, 4):
        write(tmp_path / f"img_z{number}.tif")
    (image,) = find_images(tmp_path, is_plane).images
    assert "1 between 1 and 3" in image.problem


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("notes.txt", "not an image (.txt)"),
        ("README", "not an image (no extension)"),
        ("MAX_a.tif", "projection"),
        ("a_MIP.tif", "projection"),
        ("a_thumb.tif", "thumbnail"),
        ("a_labels.tif", "labels or masks"),
        ("a-truth.tif", "labels or masks"),
        ("a (1).tif", "copy"),
        ("a - Copy.tif", "copy"),
        ("a copy 2.tif", "copy"),
    ],
)
def test_other_files_are_left_out_with_the_reason(tmp_path, name, reason):
    write(tmp_path / "a.tif", planes=3)
    (tmp_path / name).write_bytes((tmp_path / "a.tif").read_bytes())
    images, found = found_in(tmp_path)
    assert list(images) == ["a"]
    assert found.left_out == {reason: [name]}
    assert found.files == 2


def test_numbers_in_brackets_without_an_original_are_images(tmp_path):
    for number in (1, 2):
        write(tmp_path / f"a ({number}).tif", planes=3)
    assert len(found_in(tmp_path)[0]) == 2


def test_words_that_contain_label_are_images(tmp_path):
    write(tmp_path / "labelled_maximus.tif", planes=3)
    assert list(found_in(tmp_path)[0]) == ["labelled_maximus"]


def test_the_study_and_its_results_are_not_searched(tmp_path):
    for folder in ("raw", "study/images", "other/results", "other/logs", "other/raw", ".hidden"):
        write(tmp_path / folder / "a.tif", planes=3)
    (tmp_path / "other" / ".snakemake").mkdir()
    images, _ = found_in(tmp_path, without=tmp_path / "study")
    assert sorted(images) == ["other/raw/a", "raw/a"]


def test_an_ome_zarr_is_one_image(tmp_path):
    (tmp_path / "a.zarr" / "0").mkdir(parents=True)
    (tmp_path / "a.zarr" / "zarr.json").write_text("{}")
    write(tmp_path / "a.zarr" / "0" / "c.tif")
    assert found_in(tmp_path)[0] == {"a": ("a.zarr", 1)}
