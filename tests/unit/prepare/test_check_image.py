"""Checks of an image before it is imported."""

import pytest

from cellstack.errors import InputError
from cellstack.prepare.check_image import check_factors, check_room


@pytest.mark.parametrize("factors", [[0, 1, 1], [1, 7, 1], [1, 1, 1.5], [1, 1, -2]])
def test_factors_must_be_integers_within_the_stack(factors):
    with pytest.raises(InputError, match=r"a\.tif: downsample is .* along [zyx]"):
        check_factors("a.tif", factors, (5, 6, 7))


def test_required_room_includes_the_stack_and_the_stages_after_downsampling():
    check_room("a", (10, 100, 100), 2, (1, 1, 1), room=1_200_000)
    with pytest.raises(InputError, match=r"takes 1\.2 MB of disk space"):
        check_room("a", (10, 100, 100), 2, (1, 1, 1), room=1_199_999)
    check_room("a", (10, 100, 100), 2, (1, 2, 2), room=450_000)
