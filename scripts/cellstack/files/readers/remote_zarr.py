"""Reader of OME-Zarr on a web server or in an S3 bucket that needs no credentials."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from cellstack.errors import InputError
from cellstack.files import images
from cellstack.files.readers import image_source, optional, parts, zarr
from cellstack.files.readers.image_source import ImageSource, Planes
from cellstack.files.readers.parts import Part

RETRIES = {"max_retries": 3, "retry_timeout": timedelta(seconds=60)}
TIMEOUT = timedelta(seconds=60)  # of a request


@contextmanager
def open_remote(url: str, part: Part | None = None) -> Iterator[ImageSource]:
    """Open a remote OME-Zarr.

    Parameters
    ----------
    url : str
        Address of the group with the attribute ``multiscales``: http, https or s3. The region and
        the server of an S3 bucket are those of the environment variables AWS_REGION and
        AWS_ENDPOINT_URL.
    part : Part, optional
        The time point to be read, if there are several.

    Yields
    ------
    ImageSource
        Chunks are downloaded when their planes are read.

    Raises
    ------
    InputError
        The address contains a password or a query, cannot be reached, or is not an OME-Zarr with a
        single stack.
    """
    if secret := images.find_secret(url):
        raise InputError(secret)
    parts.refuse_axes(url, part)
    library = optional.load("obstore", "obstore", url, "remote images")
    server = os.environ.get("AWS_ENDPOINT_URL", "") if url.startswith("s3:") else url
    options = {"timeout": TIMEOUT, "allow_http": server.startswith("http:")}
    config = {"skip_signature": True} if url.startswith("s3://") else {}
    with _network_errors(url, library), image_source.input_errors(url):
        from cellstack.files.readers import remote_store

        remote = library.store.from_url(
            url, config=config, client_options=options, retry_config=RETRIES
        )
        source = zarr.describe(url, remote_store.RemoteStore(remote), part)

    def read_planes(channel: int) -> Planes:
        with _network_errors(url, library):
            yield from source.planes(channel)

    yield replace(source, planes=read_planes)


@contextmanager
def _network_errors(url: str, library: Any) -> Iterator[None]:
    """Replace the advice of errors caused by the network or the address."""
    from zarr.errors import GroupNotFoundError

    try:
        yield
    except InputError as error:
        cause = error.__cause__
        if isinstance(cause, GroupNotFoundError):
            raise InputError(
                f"{url}: there is no OME-Zarr at this address: correct image in the sheet"
            ) from error
        if isinstance(cause, library.exceptions.BaseError):
            reason = image_source.one_line(str(cause), image_source.MAX_REASON_LENGTH)
            raise InputError(
                f"{url}: cannot be downloaded ({reason}): check the address and the network, or "
                "download the image and give its folder"
            ) from error
        raise
