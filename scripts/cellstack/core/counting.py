"""Numbers in texts: a count with its noun, words that agree with it, significant digits."""

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


def significant(value: float, digits: int) -> str:
    """Return a number with a few significant digits, large ones without an exponent.

    Parameters
    ----------
    value : float
    digits : int
        Number of significant digits.

    Examples
    --------
    >>> [significant(value, 3) for value in (0.52187, 12.0, 7224.4, 1234567)]
    ['0.522', '12', '7220', '1230000']
    """
    text = f"{value:.{digits}g}"
    return f"{float(text):.0f}" if "e+" in text else text
