import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from skimage import morphology as reference

from cellstack.core.morphology import closing, dilation, erosion, footprint, opening

OPERATIONS = [erosion, dilation, opening, closing]
NAMES = ["ball", "disc", "cube", "square"]
SPACINGS = [(0.25 * ratio, 0.25, 0.25) for ratio in (1, 4, 8)] + [(1.0, 0.5, 0.25)]
SHAPES = [(1, 1, 1), (1, 7, 1), (5, 1, 3), (1, 20, 31), (9, 17, 23)]
each_operation = pytest.mark.parametrize("operation", OPERATIONS)
each_name = pytest.mark.parametrize("name", NAMES)
each_spacing = pytest.mark.parametrize("spacing", SPACINGS, ids=str)
each_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


def draw(shape, dtype):
    """Read-only noise; for uint8 a mask."""
    noise = np.random.default_rng(0).random(shape)
    stack = {"uint8": noise > 0.4, "uint16": 40000 * noise, "float32": 2 * noise - 1}[dtype].astype(
        dtype
    )
    stack.flags.writeable = False
    return stack


@pytest.mark.parametrize("radius", range(9))
def test_footprints_of_cubic_voxels_against_scikit_image(radius):
    spacing, radius_um = (0.3, 0.3, 0.3), 0.3 * radius
    width = 2 * radius + 1
    assert np.array_equal(footprint("ball", radius_um, spacing), reference.ball(radius))
    assert np.array_equal(footprint("disc", radius_um, spacing), reference.disk(radius)[None])
    assert np.array_equal(
        footprint("cube", radius_um, spacing), reference.footprint_rectangle((width,) * 3)
    )
    assert np.array_equal(
        footprint("square", radius_um, spacing), reference.footprint_rectangle((1, width, width))
    )


@each_spacing
@pytest.mark.parametrize("radius_um", [1.0, 2.0, 4.0])
def test_a_ball_is_round_in_um(spacing, radius_um):
    # All radii are whole numbers of voxels, except 1 um on z at ratio 8: half a voxel counts as
    # one.
    half = [max(1, round(radius_um / step)) for step in spacing]
    z, y, x = np.ogrid[tuple(slice(-steps, steps + 1) for steps in half)]
    radius_z = half[0] * spacing[0]
    inside = (z * spacing[0] / radius_z) ** 2 + (
        (y * spacing[1]) ** 2 + (x * spacing[2]) ** 2
    ) / radius_um**2 <= 1
    assert np.array_equal(footprint("ball", radius_um, spacing), inside)
    assert np.array_equal(footprint("disc", radius_um, spacing), inside[half[0]][None])
    assert footprint("cube", radius_um, spacing).shape == inside.shape


@each_name
def test_an_axis_below_half_a_voxel_is_skipped_and_logged(name, caplog):
    caplog.set_level("INFO")
    assert footprint(name, 0.9, (2.0, 0.3, 0.45)).shape == (1, 7, 5)
    assert "0.9 um is below half a voxel on z (2 um): this axis is skipped" in caplog.text
    assert ("plane by plane" in caplog.text) == (name in ("disc", "square"))


@each_spacing
@each_shape
@each_name
@each_operation
def test_against_scikit_image(operation, name, shape, spacing):
    neighbourhood = footprint(name, 1.0, spacing)
    for dtype in ("uint8", "uint16", "float32"):
        stack = draw(shape, dtype)
        found = operation(stack, neighbourhood)
        assert found.dtype == dtype
        assert np.array_equal(
            found, getattr(reference, operation.__name__)(stack, neighbourhood, mode="ignore")
        ), dtype


@each_name
@pytest.mark.parametrize("spacing", SPACINGS[:3], ids=str)
def test_against_scipy(name, spacing):
    neighbourhood = footprint(name, 0.75, spacing)
    for dtype, lowest, highest in [
        ("uint8", 0, 255),
        ("uint16", 0, 65535),
        ("float32", -np.inf, np.inf),
    ]:
        stack = draw((7, 18, 13), dtype)
        eroded = ndimage.grey_erosion(stack, footprint=neighbourhood, mode="constant", cval=highest)
        dilated = ndimage.grey_dilation(
            stack, footprint=neighbourhood, mode="constant", cval=lowest
        )
        assert np.array_equal(erosion(stack, neighbourhood), eroded)
        assert np.array_equal(dilation(stack, neighbourhood), dilated)
    mask = draw((7, 18, 13), "uint8")
    assert np.array_equal(
        erosion(mask, neighbourhood), ndimage.binary_erosion(mask, neighbourhood, border_value=1)
    )
    assert np.array_equal(
        dilation(mask, neighbourhood), ndimage.binary_dilation(mask, neighbourhood)
    )


MASKS = arrays("uint8", st.tuples(*[st.integers(1, 6)] * 3), elements=st.integers(0, 1))
GREYS = arrays("float32", st.tuples(*[st.integers(1, 5)] * 3), elements=st.floats(-4, 4, width=32))
SIZES = st.tuples(
    st.sampled_from(NAMES), st.sampled_from([0.2, 0.4, 0.8]), st.sampled_from(SPACINGS)
)


@given(st.one_of(MASKS, GREYS), SIZES)
def test_order_of_the_results(stack, size):
    neighbourhood = footprint(*size)
    eroded, opened, closed, dilated = (
        operation(stack, neighbourhood) for operation in (erosion, opening, closing, dilation)
    )
    assert (eroded <= opened).all()
    assert (opened <= stack).all()
    assert (stack <= closed).all()
    assert (closed <= dilated).all()


@given(st.one_of(MASKS, GREYS), SIZES)
def test_duality(stack, size):
    neighbourhood, top = footprint(*size), stack.dtype.type(1)
    if stack.dtype == np.float32:
        top = np.float32(0)  # a change of sign is exact
    assert np.array_equal(erosion(top - stack, neighbourhood), top - dilation(stack, neighbourhood))
    assert np.array_equal(opening(top - stack, neighbourhood), top - closing(stack, neighbourhood))


@given(st.one_of(MASKS, GREYS), SIZES)
def test_opening_and_closing_are_idempotent(stack, size):
    neighbourhood = footprint(*size)
    for operation in (opening, closing):
        once = operation(stack, neighbourhood)
        assert np.array_equal(operation(once, neighbourhood), once)


@each_operation
@each_name
@each_shape
@pytest.mark.parametrize("value", [0, 1])
def test_constant_stacks_do_not_change(operation, name, shape, value):
    for dtype in ("uint8", "float32"):
        stack = np.full(shape, value, dtype)
        assert np.array_equal(operation(stack, footprint(name, 0.8, (0.5, 0.25, 0.25))), stack)


@pytest.mark.parametrize("name", ["ball", "cube"])
def test_objects_are_not_eroded_from_the_faces(name):
    neighbourhood = footprint(name, 2, (1, 1, 1))
    mask = np.zeros((9, 12, 12), "uint8")
    mask[:, :6, :6] = 1  # a column in a corner, from the first plane to the last
    eroded = np.zeros_like(mask)
    eroded[:, :4, :4] = 1
    assert np.array_equal(erosion(mask, neighbourhood), eroded)
    if name == "cube":  # a ball rounds the one edge that lies within the stack
        assert np.array_equal(opening(mask, neighbourhood), mask)
    assert np.array_equal(opening(mask, neighbourhood)[:, :4], mask[:, :4])
    assert np.array_equal(closing(mask, neighbourhood), mask)


@each_operation
def test_result_does_not_depend_on_threads(operation):
    stack, neighbourhood = draw((9, 70, 65), "float32"), footprint("ball", 3, (2, 1, 1))
    before = cv2.getNumThreads()
    results = []
    for threads in (1, 2):
        cv2.setNumThreads(threads)
        results.append(operation(stack, neighbourhood))
    cv2.setNumThreads(before)
    assert np.array_equal(*results)
