import numpy as np
import pytest
from scipy.spatial import cKDTree

from cellstack.core.planes import ComputedPlanes
from cellstack.errors import InputError
from cellstack.files.scratch import scratch_stacks
from cellstack.prepare import simulate_spots as module
from cellstack.prepare.simulate_spots import simulate_spots

SHAPE, SPACING = (20, 100, 110), (0.4, 0.12, 0.1)
OPTIONS = {"count": 50, "diameter_um": 0.4, "signal_to_noise": 20, "seed": 1}


def test_spots_are_where_they_should_be():
    spots = simulate_spots(SHAPE, SPACING, diameter_z_um=0.8, **OPTIONS)
    assert spots.image.dtype == np.uint16
    assert len(spots.positions_um) == len(spots.intensities) == 50
    nearest = np.rint(spots.positions_um / SPACING).astype(int)
    assert spots.image[tuple(nearest.T)].mean() > 200
    assert np.median(spots.image) == pytest.approx(100, abs=2)
    assert spots.intensities.mean() == pytest.approx(200, rel=0.1)
    distances, _ = cKDTree(spots.positions_um / (0.8, 0.4, 0.4)).query(
        spots.positions_um / (0.8, 0.4, 0.4), k=2
    )
    assert distances[:, 1].min() > 1


def test_spots_lie_in_objects():
    inside = np.zeros(SHAPE, np.uint16)
    inside[5:15, 20:60, 30:80] = 3
    spots = simulate_spots(SHAPE, SPACING, inside=inside, **OPTIONS)
    nearest = np.rint(spots.positions_um / SPACING).astype(int)
    assert inside[tuple(nearest.T)].all()


def test_the_same_seed_gives_the_same_image():
    one, same = (simulate_spots(SHAPE, SPACING, **OPTIONS).image for _ in range(2))
    np.testing.assert_array_equal(one, same)
    other = simulate_spots(SHAPE, SPACING, **OPTIONS | {"seed": 2}).image
    assert (one != other).any()


def test_the_image_does_not_depend_on_the_planes_painted_at_once(monkeypatch, tmp_path):
    inside = np.zeros(SHAPE, np.uint16)
    inside[5:15, 20:60, 30:80] = 3
    options = OPTIONS | {"diameter_z_um": 2.0}  # spots reach 18 planes
    whole = simulate_spots(SHAPE, SPACING, inside=inside, **options)
    monkeypatch.setattr(module, "SLAB_VOXELS", 3 * 100 * 110)
    planes = ComputedPlanes(SHAPE, np.uint16, inside.__getitem__)
    with scratch_stacks(tmp_path) as allocate:
        parts = simulate_spots(SHAPE, SPACING, inside=planes, allocate=allocate, **options)
        np.testing.assert_array_equal(parts.image[:], whole.image)
    np.testing.assert_array_equal(parts.positions_um, whole.positions_um)


def test_no_spots():
    spots = simulate_spots(SHAPE, SPACING, **OPTIONS | {"count": 0})
    assert spots.positions_um.shape == (0, 3)


@pytest.mark.slow
@pytest.mark.parametrize(("inside", "message"), [(None, "space for about"), (0, "no objects")])
def test_too_many_spots(inside, message):
    labels = None if inside is None else np.zeros((4, 20, 20), np.uint16)
    with pytest.raises(InputError, match=message):
        simulate_spots((4, 20, 20), SPACING, inside=labels, **OPTIONS | {"count": 500})
