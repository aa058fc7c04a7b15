"""Guesses from names of images and channels."""

import pytest

from cellstack.init.channels import as_name, guess_role, name_channels, split_name


@pytest.mark.parametrize(
    ("name", "stack", "channel"),
    [
        ("mouse1_DAPI", "mouse1", "DAPI"),
        ("DAPI_mouse1", "mouse1", "DAPI"),
        ("DAPI/mouse1", "mouse1", "DAPI"),
        ("day 1/mouse1/nuclei", "day 1/mouse1", "nuclei"),
        ("C1-mouse1", "mouse1", "C1"),
        ("Project_Position 1_ch01", "Project_Position 1", "ch01"),
        ("exp1_w1DAPI_s1_t1", "exp1_s1_t1", "w1DAPI"),
        ("r02c03f01-ch2sk1fk1fl1", "r02c03f01-sk1fk1fl1", "ch2"),
        ("embryo_H2B-mCherry", "embryo", "H2B-mCherry"),
        ("nuclei_GFP", "", "nuclei_GFP"),
        ("GFP/nuclei", "GFP", "nuclei"),
        ("mouse1", "mouse1", ""),
        ("column3_row2", "column3_row2", ""),
        ("redapi", "redapi", ""),
    ],
)
def test_a_name_is_divided_into_stack_and_channel(name, stack, channel):
    assert split_name(name)[:2] == (stack, channel)


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("DAPI", "nuclei"),
        ("dapi-405", "nuclei"),
        ("Hoechst33342", "nuclei"),
        ("w1DAPI", "nuclei"),
        ("H2B-GFP", "nuclei"),
        ("DRAQ5", "nuclei"),
        ("E-cadherin", "membrane"),
        ("FM 4-64", "membrane"),
        ("ZO1", "membrane"),
        ("plasma_membrane", "membrane"),
        ("Alexa Fluor 546", ""),
        ("memory", ""),
        ("perinuclear", ""),
        ("", ""),
    ],
)
def test_the_role_of_a_channel(name, role):
    assert guess_role(name) == role


@pytest.mark.parametrize(
    ("names", "given", "expected"),
    [
        ([""], {}, ["nuclei"]),
        (["CAAX"], {}, ["membrane"]),
        (["GFP", "DAPI"], {}, ["GFP", "nuclei"]),
        (["H2B", "DAPI", "WGA"], {}, ["H2B", "nuclei", "membrane"]),
        (["", ""], {}, ["channel-0", "channel-1"]),
        (["GFP", "gfp"], {}, ["GFP", "channel-1"]),
        (["figures", "Cells"], {}, ["channel-0", "channel-1"]),
        (["DAPI", "GFP"], {"nuclei": "gfp"}, ["DAPI", "nuclei"]),
        (["DAPI", "GFP"], {"nuclei": "1"}, ["DAPI", "nuclei"]),
        (["DAPI", "GFP"], {"membrane": "GFP"}, ["nuclei", "membrane"]),
        (["DAPI", "GFP"], {"nuclei": "RFP"}, ["DAPI", "GFP"]),
    ],
)
def test_the_channels_of_the_sheet(names, given, expected):
    assert name_channels(names, **given) == expected


def test_names_fit_into_the_sheet():
    assert as_name("mouse_1 (left)/µ") == "mouse-1-left"
    assert as_name("Mäuse_Ñandú é") == as_name("Ma\u0308use_N\u0303andu\u0301 e\u0301")
    assert as_name("Mäuse_Ñandú é") == "Mause-Nandu-e"
    assert len(as_name("a" * 300)) == 100
