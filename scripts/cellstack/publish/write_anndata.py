"""Objects of all stacks as AnnData, for scanpy and squidpy."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial import KDTree

from cellstack import __version__
from cellstack.files.readers import optional
from cellstack.publish.write_parquet import kind_of

IDENTIFIERS = ("label", "segmentation_label")
NEIGHBOURS = 6  # of a nucleus, as squidpy's default
CENTROID = tuple(f"centroid_{axis}_um" for axis in "xyz")


class Contact(NamedTuple):
    """A contact of two cells of a stack, and its area in um2."""

    stack: str
    labels: tuple[str, str]
    area_um2: float


def build_anndata(
    rows: Sequence[Mapping[str, str]],
    columns: Sequence[str],
    definitions: Mapping[str, Mapping[str, str]],
    contacts: Iterable[Contact] | None,
    path: Path,
) -> Any:
    """Convert a table of objects to AnnData.

    Parameters
    ----------
    rows : sequence of dict of str to str
        Rows of ``objects.csv``, of one kind of object.
    columns : sequence of str
        Its columns.
    definitions : dict of str to dict
        Unit and definition of each column.
    contacts : iterable of Contact or None
        The contacts of cells; None for nuclei, whose six nearest neighbours are used.
    path : pathlib.Path
        The file, for messages.

    Returns
    -------
    anndata.AnnData
        Objects x measurements. ``obs`` has the labels and texts, ``var`` the units and
        definitions, ``obsm["spatial"]`` the centroids along x, y and z in um, and ``obsp`` the
        graph: ``spatial_connectivities``, ``spatial_distances`` in um between the centroids and,
        for cells, ``contact_area_um2``.

    Raises
    ------
    InputError
        anndata is not installed.
    """
    anndata = optional.load(
        "anndata", "anndata", str(path), "AnnData files", verb="written", requirements="export"
    )
    import pandas as pd

    texts = [name for name in columns if kind_of(name, definitions) == "text"]
    measured = [name for name in columns if name not in (*texts, *IDENTIFIERS)]
    index = [f"{row['stack']}/{row['object']}/{row['label']}" for row in rows]
    obs = pd.DataFrame(index=pd.Index(index, dtype=object))
    for name in columns:
        if name in texts:
            cells = [row[name] or None for row in rows]
            known = sorted({cell for cell in cells if cell is not None})
            categories = pd.Index(known, dtype=object)
            obs[name] = pd.Categorical(cells, categories=categories)
        elif name in IDENTIFIERS:
            obs[name] = np.array([int(row[name]) for row in rows], np.int64)
    values = np.array(
        [[float(row[name]) if row[name] else np.nan for name in measured] for row in rows],
        np.float64,
    ).reshape(len(rows), len(measured))
    about = {
        key: np.array([definitions.get(name, {}).get(key, "") for name in measured], dtype=object)
        for key in ("unit", "definition")
    }
    var = pd.DataFrame(about, index=pd.Index(measured, dtype=object), dtype=object)
    spatial = values[:, [measured.index(name) for name in CENTROID]]
    stacks = [row["stack"] for row in rows]
    if contacts is None:
        pairs = nearest_neighbours(spatial, stacks)
        graph = {}
    else:
        pairs, areas = _pairs_of(contacts, index)
        graph = {"contact_area_um2": _symmetric(pairs, areas, len(rows))}
    lengths = np.linalg.norm(spatial[pairs[:, 0]] - spatial[pairs[:, 1]], axis=1)
    graph |= {
        "spatial_connectivities": _symmetric(pairs, np.ones(len(pairs)), len(rows)),
        "spatial_distances": _symmetric(pairs, lengths, len(rows)),
    }
    neighbours = {
        "connectivities_key": "spatial_connectivities",
        "distances_key": "spatial_distances",
        "params": {"graph": "nearest neighbours" if contacts is None else "contacts"},
    }
    return anndata.AnnData(
        X=values,
        obs=obs,
        var=var,
        obsm={"spatial": spatial},
        obsp=graph,
        uns={"spatial_neighbors": neighbours, "cellstack_version": __version__},
    )


def nearest_neighbours(positions: NDArray[np.float64], stacks: Sequence[str]) -> NDArray[np.int64]:
    """Return the pairs of objects of a stack of which one is among the six nearest of the other.

    Parameters
    ----------
    positions : (N, 3) ndarray of float
        In um.
    stacks : sequence of str
        The stack of each object.

    Returns
    -------
    (M, 2) ndarray of int
        Indices, the smaller one first; sorted.

    Examples
    --------
    >>> nearest_neighbours(np.array([[0.0, 0, 0], [1, 0, 0], [0, 0, 0]]), ["a", "a", "b"])
    array([[0, 1]])
    """
    found: set[tuple[int, int]] = set()
    names = np.array(stacks, dtype=object)
    for stack in dict.fromkeys(stacks):
        members = np.flatnonzero(names == stack)
        if len(members) < 2:
            continue
        count = min(NEIGHBOURS + 1, len(members))
        _, near = KDTree(positions[members]).query(positions[members], k=count)
        for number, others in zip(members, members[near], strict=True):
            # the object itself is among them, not always first: others can be in the same place
            found |= {
                (min(number, other), max(number, other)) for other in others if other != number
            }
    return np.array(sorted(found), np.int64).reshape(-1, 2)


def _pairs_of(
    contacts: Iterable[Contact], index: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the pairs of measured cells that touch, and the areas of their contacts."""
    numbers = {name: number for number, name in enumerate(index)}
    pairs, areas = [], []
    for contact in contacts:
        first, second = (numbers.get(f"{contact.stack}/cells/{each}") for each in contact.labels)
        if first is not None and second is not None:  # else one of them is not measured
            pairs.append((first, second))
            areas.append(contact.area_um2)
    return np.array(pairs, np.int64).reshape(-1, 2), np.array(areas, np.float64)


def _symmetric(
    pairs: NDArray[np.int64], values: NDArray[np.float64], count: int
) -> sparse.csr_matrix:
    both = np.concatenate([pairs, pairs[:, ::-1]])
    return sparse.csr_matrix(
        (np.concatenate([values, values]), (both[:, 0], both[:, 1])), (count, count)
    )
