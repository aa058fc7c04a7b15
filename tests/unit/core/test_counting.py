"""Numbers with their nouns."""

import numpy as np
import pytest

from cellstack.core.counting import agree, counted


@pytest.mark.parametrize("integer", [int, np.uint16, np.int64])
def test_nouns_agree_with_their_number(integer):
    assert counted(integer(1), "objects") == "1 object"
    assert counted(integer(1), "nuclei") == "1 nucleus"
    assert counted(integer(0), "entries") == "0 entries"
    assert counted(integer(12), "axes") == "12 axes"
    assert [agree(integer(number), "is", "are") for number in (0, 1, 2)] == ["are", "is", "are"]
