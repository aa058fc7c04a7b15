"""Points in another unit or order than the columns of their table say."""

import numpy as np
import pytest
import tifffile

import import_labels as script
from cellstack.errors import InputError
from cellstack.files.stacks import read_stack, write_stack
from cellstack.prepare.ground_truth_points import read_points
from cellstack.prepare.point_positions import check_points

SPACING = (2.0, 0.5, 0.25)
CENTRES = np.array([(4, 30, 8), (6, 52, 20), (9, 70, 4), (13, 90, 16), (17, 44, 12), (20, 80, 22)])
MISTAKES = {
    "um as voxels": lambda points: points * SPACING,
    "voxels as um": lambda points: points / SPACING,
    "y and x exchanged": lambda points: points[:, [0, 2, 1]],
    "z, y, x in the order x, y, z": lambda points: points[:, ::-1],
}


@pytest.fixture(scope="module")
def image():
    """Return an image with a bright cube at each centre, and noise."""
    stack = np.random.default_rng(1).normal(100, 9, (24, 200, 120)).astype(np.float32)
    for z, y, x in CENTRES:
        stack[z - 1 : z + 2, y - 4 : y + 5, max(0, x - 4) : x + 5] += 60
    return stack


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("factors", [(1, 1, 1), (1, 2, 2)])
def test_points_in_another_unit_or_order_are_refused(image, mistake, factors):
    stack = image[:, :: factors[1], :: factors[2]]
    given = {"stack_name": "raw.tif", "stack": stack, "spacing": SPACING, "downsample": factors}
    check_points(CENTRES + 0.3, "a.csv", **given)
    with pytest.raises(InputError, match=f"do not fit raw.tif, but would with {mistake} \\(mean"):
        check_points(MISTAKES[mistake](CENTRES + 0.3), "a.csv", **given)


def test_nothing_is_concluded_from_few_points_or_an_image_without_contrast(image):
    given = {"stack_name": "raw.tif", "spacing": SPACING, "downsample": (1, 1, 1)}
    wrong = CENTRES[:, [0, 2, 1]].astype(float)
    check_points(wrong[:4], "a.csv", stack=image, **given)
    check_points(wrong, "a.csv", stack=np.full_like(image, 9), **given)
    check_points(np.empty((0, 3)), "a.csv", stack=image, **given)


def test_the_script_refuses_points_in_another_unit(tmp_path, image):
    spacing = (1.0, 0.5, 0.25)
    files = {"raw": tmp_path / "raw.tif", "labels": tmp_path / "labels.tif"}
    write_stack(files["raw"], image, spacing)
    rows = [",".join(map(str, row)) for row in (CENTRES * spacing).tolist()]
    (tmp_path / "a.csv").write_text("\n".join(["z,y,x", *rows]))
    with pytest.raises(
        InputError, match="give voxels in the columns z, y, x, or um in the columns"
    ):
        script.main(image=[tmp_path / "a.csv"], downsample=[1, 1, 1], **files)
    (tmp_path / "a.csv").write_text("\n".join(["z_um,y_um,x_um", *rows]))
    script.main(image=[tmp_path / "a.csv"], downsample=[1, 1, 1], **files)
    assert np.argwhere(read_stack(files["labels"])[0]).tolist() == CENTRES.tolist()


@pytest.mark.parametrize("stack", ["t060", "t120", "t180"])
def test_real_points_fit_their_image(data, stack):
    raw = tifffile.imread(data / "celegans" / stack / "nuclei.tif")
    spacing = (1, 0.22, 0.22)
    points = read_points(data / "celegans" / stack / "nuclei_points.csv", spacing)
    given = {"stack_name": "raw.tif", "stack": raw, "spacing": spacing, "downsample": (1, 1, 1)}
    check_points(points, "a.csv", **given)
    with pytest.raises(InputError, match="would with um as voxels"):
        check_points(points * spacing, "a.csv", **given)
