import numpy as np

from cellstack.files.archives import ArrayArchive


def test_archives_are_those_of_numpy(tmp_path):
    arrays = {
        "00001/nuclei": np.arange(24, dtype=np.uint16).reshape(2, 3, 4),
        "00001/mask": np.asfortranarray(np.eye(3)),
        "00002/mask": np.zeros((0, 2), bool),
    }
    np.savez_compressed(tmp_path / "a.npz", **arrays)
    with ArrayArchive(tmp_path / "b.npz") as archive:
        for name, values in arrays.items():
            archive.add({name: values})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
