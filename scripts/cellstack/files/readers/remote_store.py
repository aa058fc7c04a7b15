"""A Zarr store for remote images that notes what is absent."""

from typing import Any

from zarr.abc.store import ByteRequest
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import ObjectStore


class RemoteStore(ObjectStore[Any]):
    """A read-only Zarr store of a web server or a bucket.

    Zarr reads absent chunks as empty, and a web server cannot list those that exist.

    Parameters
    ----------
    store : obstore.store.ObjectStore

    Attributes
    ----------
    absent : set of str
        Keys that were read and do not exist.
    """

    def __init__(self, store: Any) -> None:
        super().__init__(store, read_only=True)
        self.absent: set[str] = set()

    async def get(
        self,
        key: str,
        prototype: BufferPrototype,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        """Return the content of a file or a part of it, None if it does not exist."""
        content = await super().get(key, prototype, byte_range)
        if content is None:
            self.absent.add(key)
        return content
