"""Counts in texts: a number with its noun, and words that agree with it."""

from typing import SupportsInt

SINGULARS = {"axes": "axis", "entries": "entry", "nuclei": "nucleus"}  # others end in -s


def counted(count: SupportsInt, nouns: str) -> str:
    """Return a number and its noun.

    Parameters
    ----------
    count : int
    nouns : str
        The noun in the plural.

    Examples
    --------
    >>> counted(2, "planes"), counted(1, "planes"), counted(1, "nuclei"), counted(0, "axes")
    ('2 planes', '1 plane', '1 nucleus', '0 axes')
    """
    return f"{int(count)} {agree(count, SINGULARS.get(nouns, nouns.removesuffix('s')), nouns)}"


def agree(count: SupportsInt, singular: str, plural: str) -> str:
    """Return the word that agrees with a number.

    Parameters
    ----------
    count : int
    singular, plural : str

    Examples
    --------
    >>> [f"{count} of 3 {agree(count, 'is', 'are')} absent" for count in (1, 2)]
    ['1 of 3 is absent', '2 of 3 are absent']
    """
    return singular if int(count) == 1 else plural
