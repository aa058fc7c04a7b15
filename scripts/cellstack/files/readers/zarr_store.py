"""A Zarr store that reads only regular files in the folder of an OME-Zarr."""

from collections.abc import Iterable
from pathlib import Path

from zarr.abc.store import ByteRequest
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import LocalStore

from cellstack.errors import InputError
from cellstack.files.images import check_regular

MAX_METADATA_BYTES = 2**24
METADATA = ("zarr.json", ".zgroup", ".zarray", ".zattrs", ".zmetadata")


class ContainedStore(LocalStore):
    """A read-only Zarr store that follows no link out of its folder.

    Parameters
    ----------
    root : path-like
    read_only : bool
        Ignored: the store is always read-only.
    """

    def __init__(self, root: Path | str, *, read_only: bool = True) -> None:
        super().__init__(root, read_only=True)
        self._top = self.root.resolve()

    async def get(
        self,
        key: str,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        """Return the content of a file, None if it does not exist."""
        self._check(key)
        return await super().get(key, prototype, byte_range)

    async def get_partial_values(
        self,
        prototype: BufferPrototype,
        key_ranges: Iterable[tuple[str, ByteRequest | None]],
    ) -> list[Buffer | None]:
        """Return parts of files."""
        ranges = list(key_ranges)
        for key, _ in ranges:
            self._check(key)
        return await super().get_partial_values(prototype, ranges)

    def _check(self, key: str) -> None:
        path = self.root / key
        resolved = path.resolve()
        if not resolved.is_relative_to(self._top):
            raise InputError(
                f"{path}: leads to a file outside the Zarr: copy that file into its folder"
            )
        if not resolved.exists():
            return
        check_regular(resolved)
        size = resolved.stat().st_size
        if resolved.name in METADATA and size > MAX_METADATA_BYTES:
            raise InputError(
                f"{path}: has {size:,} bytes, more than the metadata of an image: export it again"
            )
