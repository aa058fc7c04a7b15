import numpy as np
from gallery_cases import colony, view_of
from study import DIAMETER_UM, SPACING

from cellstack.gallery.choose_view import choose_view
from cellstack.gallery.views import crop, of_block, plane_of, row_of, slab


def test_parts_of_a_stack_are_those_of_the_view():
    image = colony().nuclei_image
    view = choose_view(image, SPACING, DIAMETER_UM, 12.0, plane=5, row=90)
    _, (y, y_end), (x, x_end) = view["region"]
    part = crop(image, view)
    assert np.array_equal(plane_of(part, view), image[5, y:y_end, x:x_end])
    (top, bottom), (left, right) = view["zoom"]
    assert np.array_equal(plane_of(part, view, zoomed=True), image[5, top:bottom, left:right])
    assert np.array_equal(row_of(part, view), part[:, -1])  # row 90 is below the region
    thin, reduced = slab(part, view, 2.0)
    assert len(thin) == 5
    assert np.array_equal(plane_of(thin, reduced), plane_of(part, view))


def test_a_block_is_a_part_of_the_stack():
    stack = np.arange(4 * 5 * 6).reshape(4, 5, 6)
    assert of_block(stack, None) is stack
    part = of_block(stack, {"extent": [[1, 4], [0, 3], [2, 6]]})
    assert part.shape == (3, 3, 4)
    assert np.array_equal(part[:], stack[1:4, 0:3, 2:6])
    view = view_of(part.shape, (1.3, 0.5, 0.35))
    view["region"] = [[1, 3], [0, 2], [1, 4]]
    assert np.array_equal(crop(part, view), stack[2:4, 0:2, 3:6])


def test_slab_has_the_planes_within_reach_and_the_region():
    stack = np.arange(12)[:, None, None] * np.ones((1, 3, 4), int)
    view = view_of(stack.shape, (1.3, 0.5, 0.35), plane=5)
    view["region"] = [[2, 10], [0, 3], [0, 4]]
    part = crop(stack, view)
    for reach_um, planes in ((0, [5]), (1.2, [5]), (1.3, [4, 5, 6]), (4, [2, 3, 4, 5, 6, 7, 8])):
        thin, reduced = slab(part, view, reach_um)
        assert thin[:, 0, 0].tolist() == planes
        assert reduced["region"] == [[planes[0], planes[-1] + 1], [0, 3], [0, 4]]
        assert plane_of(thin, reduced)[0, 0] == 5
    thin, reduced = slab(part, view, 100)
    assert thin[:, 0, 0].tolist() == list(range(2, 10))
    assert view["region"] == [[2, 10], [0, 3], [0, 4]]


def test_side_view_is_along_the_nearest_row_of_the_region():
    stack = np.arange(10)[None, :, None] * np.ones((2, 1, 4), int)
    view = view_of(stack.shape, (1.3, 0.5, 0.35))
    view["region"] = [[0, 2], [3, 7], [0, 4]]
    part = crop(stack, view)
    for row, shown in ((0, 3), (3, 3), (5, 5), (6, 6), (7, 6), (9, 6)):
        assert np.unique(row_of(part, view | {"row": row})) == [shown]
