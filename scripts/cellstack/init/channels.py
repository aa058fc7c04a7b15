"""Guess from names which part of a name is the channel, and what the channel shows."""

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

NUCLEI_WORDS = (
    "nuclei", "nucleus", "nuclear", "nuc", "dapi", "hoechst", "h2b", "h2a", "histone", "draq",
    "sytox", "topro", "propidium", "nls", "dna",
)  # fmt: skip
MEMBRANE_WORDS = (
    "membrane", "membranes", "memb", "mem", "plasmamembrane", "caax", "cellmask", "wga",
    "cadherin", "ecad", "ecadherin", "zo", "fm", "calcofluor", "cellwall", "wall", "phalloidin",
    "actin", "lifeact", "myr",
)  # fmt: skip
OTHER_WORDS = (
    "gfp", "egfp", "rfp", "yfp", "cfp", "bfp", "mcherry", "cherry", "tdtomato", "mscarlet",
    "mneongreen", "venus", "fitc", "tritc", "texasred", "alexa", "alexafluor", "af", "cy", "atto",
    "brightfield", "bf", "dic", "trans",
)  # fmt: skip
ROLES = {"nuclei": NUCLEI_WORDS, "membrane": MEMBRANE_WORDS}
RESERVED = ("nuclei", "membrane", "cells", "figures", "gallery")  # not for other channels
MAX_NAME = 100
# a number of a channel, and the name that MetaMorph appends to it, such as w1DAPI
NUMBERED = re.compile(
    r"(?:^|(?<=[^A-Za-z0-9]))(ch|c|w|chan|channel|wavelength)[_ -]?(\d{1,3})(?!\d)"
)
WORD = re.compile(r"[A-Za-z]+[0-9]*[A-Za-z]?|[0-9]+[A-Za-z]+")


class NamedChannel(NamedTuple):
    """A name, divided into the names of the stack and of the channel.

    Attributes
    ----------
    stack : str
    channel : str
        Empty if no part of the name is a channel.
    numbered : bool
        Whether the channel is a number, such as ``"ch01"``.
    """

    stack: str
    channel: str
    numbered: bool = False


def split_name(name: str) -> NamedChannel:
    """Divide the name of an image into the names of the stack and of the channel.

    Parameters
    ----------
    name : str
        Relative path without the file extension.

    Returns
    -------
    NamedChannel

    Examples
    --------
    >>> split_name("day1/mouse2_DAPI")
    NamedChannel(stack='day1/mouse2', channel='DAPI', numbered=False)
    >>> split_name("exp1_w2GFP_s1")
    NamedChannel(stack='exp1_s1', channel='w2GFP', numbered=True)
    >>> split_name("mouse2")
    NamedChannel(stack='mouse2', channel='', numbered=False)
    """
    numbered = [*NUMBERED.finditer(name.lower())]
    if numbered:
        start, end = numbered[-1].span()
        known = WORD.match(name, end)
        if known and _kind(known[0]):
            end = known.end()
        return NamedChannel(_without(name, start, end), name[start:end], True)
    known_words = [match for match in WORD.finditer(name) if _kind(match[0])]
    if known_words:
        start, end = known_words.pop().span()
        while known_words and start - known_words[-1].end() == 1 and name[start - 1] in " _-":
            start = known_words.pop().start()  # a marker and its fluorophore, such as H2B-GFP
        return NamedChannel(_without(name, start, end), name[start:end])
    return NamedChannel(name, "")


def guess_role(name: str) -> str:
    """Guess from its name what a channel shows.

    Parameters
    ----------
    name : str
        Name of a channel, a file or a dye.

    Returns
    -------
    str
        ``"nuclei"``, ``"membrane"``, or empty if the name indicates neither.

    Examples
    --------
    >>> guess_role("H2B-mCherry"), guess_role("E-cadherin"), guess_role("GFP")
    ('nuclei', 'membrane', '')
    """
    kinds = [_kind(match[0]) for match in WORD.finditer(re.sub(r"^[Ww]\d+", "", name))]
    return next((role for role in ROLES if role in kinds), "")


def name_channels(
    names: Sequence[str], nuclei: str | None = None, membrane: str | None = None
) -> list[str]:
    """Return the names that the channels of a stack get in the sheet.

    Parameters
    ----------
    names : sequence of str
        Names of the channels, empty for channels without one.
    nuclei, membrane : str, optional
        Name or number of the channel that shows nuclei or membranes, if the user gave it.

    Returns
    -------
    list of str
        ``"nuclei"`` and ``"membrane"`` at most once each, and other names. A single channel is
        called nuclei, unless its name indicates a membrane.

    Examples
    --------
    >>> name_channels(["DAPI", "Alexa Fluor 546", ""])
    ['nuclei', 'Alexa-Fluor-546', 'channel-2']
    >>> name_channels(["GFP", "RFP"], nuclei="1")
    ['GFP', 'nuclei']
    """
    given = {"nuclei": nuclei, "membrane": membrane}
    found: dict[str, int] = {}
    for role, wanted in given.items():
        matches = [
            number
            for number, name in enumerate(names)
            if wanted is not None and wanted.casefold() in (name.casefold(), str(number))
        ]
        if len(matches) == 1:
            found[role] = matches[0]
    for role, words in ROLES.items():
        if role in found or given[role] is not None:
            continue
        ranked = [
            (_rank(name, words), number)
            for number, name in enumerate(names)
            if guess_role(name) == role and number not in found.values()
        ]
        if ranked:
            found[role] = min(ranked)[1]
    if len(names) == 1 and not found:
        found["nuclei"] = 0
    roles = {number: role for role, number in found.items()}
    named: list[str] = []
    for number, name in enumerate(names):
        own = roles.get(number) or as_name(name)
        taken = {each.casefold() for each in named} | set(RESERVED)
        if number not in roles and (not own or own.casefold() in taken):
            own = f"channel-{number}"
        named.append(own)
    return named


def as_name(text: str) -> str:
    """Convert a text to a name that the sheet accepts: letters, digits and hyphens.

    Accents are removed from letters.

    Examples
    --------
    >>> as_name("day 1/mouse_2 (left)")
    'day-1-mouse-2-left'
    >>> as_name("Émbryo 1")
    'Embryo-1'
    """
    letters = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", text)
        if not unicodedata.combining(letter)
    )
    return re.sub(r"[^A-Za-z0-9]+", "-", letters).strip("-")[:MAX_NAME].rstrip("-")


def _kind(word: str) -> str:
    """Return the role of a word, ``"other"`` for other known channels, empty for other words."""
    letters = word.lower().rstrip("0123456789")
    for role, words in {**ROLES, "other": OTHER_WORDS}.items():
        if word.lower() in words or (letters in words and len(letters) > 1):
            return role
    return ""


def _rank(name: str, words: Sequence[str]) -> int:
    """Return the position of the first word of a list that is in a name."""
    present = {match[0].lower() for match in WORD.finditer(name)}
    present |= {word.rstrip("0123456789") for word in present}
    return next((number for number, word in enumerate(words) if word in present), len(words))


def _without(name: str, start: int, end: int) -> str:
    """Remove a part of a name, and a separator that is then superfluous."""
    before, after = name[:start].rstrip(" _-."), name[end:].lstrip(" _-.")
    joined = f"{before}{name[len(before) : start] or '_' if before and after else ''}{after}"
    return joined.strip("/").replace("//", "/")
