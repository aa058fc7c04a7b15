import pytest

from cellstack.publish.private_paths import place, without_private_paths


@pytest.mark.parametrize(
    ("path", "file", "expected"),
    [
        ("images/a.tif", None, "images/a.tif"),
        ("./images//a.tif", None, "images/a.tif"),
        ("/home/me/a.tif", None, "in/a.tif"),
        ("../other/a.tif", None, "in/a.tif"),
        ("/home/me/planes", "/home/me/planes/z1.tif", "in/planes/z1.tif"),
        ("/home/me/planes/", "/home/me/planes/z1.tif", "in/planes/z1.tif"),
        ("/data/z*/p*.tif", None, "in/z*/p*.tif"),
        ("/data/z*/p*.tif", "/data/z1/p2.tif", "in/z1/p2.tif"),
        ("z*/p*.tif", "z1/p2.tif", "z1/p2.tif"),
        ("s3://bucket/a.zarr", None, "s3://bucket/a.zarr"),
    ],
)
def test_private_folders_are_replaced(path, file, expected):
    assert place(path, "in", file) == expected


def test_private_paths_of_a_configuration_are_replaced():
    config = {
        "stacks": "/home/me/stacks.csv",
        "pathvars": {"results": "/scratch/me/results", "logs": "logs"},
        "find_seeds": {"points": {"path": "/home/me/{stack}.csv"}},
        "clean_mask": {"steps": ["fill_holes", {"smooth": {"sigma_um": "0.1 d"}}]},
        "study": {"description": "/path in a text"},
    }
    assert without_private_paths(config) == config | {
        "stacks": "inputs/stacks/stacks.csv",
        "pathvars": {"logs": "logs"},
        "find_seeds": {"points": {"path": "inputs/path/{stack}.csv"}},
    }
