import numpy as np
from gallery_cases import colony
from study import DIAMETER_UM, SPACING

from cellstack.gallery.choose_view import choose_view
from cellstack.gallery.views import crop, plane_of, row_of, slab


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
