"""The body of an answer, piece by piece: no longer than allowed, and dropped as soon as it is seen to be no picture.

What is counted is what comes out after decompression, and what the server says of length and kind is not believed.
"""

import zlib
from collections.abc import AsyncIterator

import aiohttp

from irisline.collection.downloads import pictures
from irisline.collection.downloads.download import DAMAGED, NOT_A_PICTURE, TOO_LARGE, Refused
from irisline.collection.downloads.response_heads import values

_ZLIB_OR_GZIP = 47  # zlib's windowBits: either form, told by its first bytes
_PACKED = {"gzip", "x-gzip", "deflate"}


async def read(answer: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    """Return the whole body.

    Raise Refused when it is longer than max_bytes, begins like no picture, or cannot be unpacked.
    """
    said = values(answer, "content-length")
    if said and said[0].isascii() and said[0].isdigit() and int(said[0][:18]) > max_bytes:
        raise Refused(TOO_LARGE, f"says it has {said[0][:18]} bytes, more than {max_bytes}")
    body, known = bytearray(), False
    async for piece in _unpacked(answer, max_bytes):
        body += piece
        if len(body) > max_bytes:
            raise Refused(TOO_LARGE, f"more than {max_bytes} bytes")
        if not known and len(body) >= pictures.SIGNATURE:
            known = bool(pictures.kind_of(body))
    return bytes(body)


def _unpacked(answer: aiohttp.ClientResponse, max_bytes: int) -> AsyncIterator[bytes]:
    names = ",".join(values(answer, "content-encoding")).lower()
    if names in ("", "identity"):
        return answer.content.iter_any()
    if names in _PACKED:
        return _inflated(answer.content.iter_any(), max_bytes)
    raise Refused(NOT_A_PICTURE, f"packed as {names[:40]!r}, though asked for plain bytes")


async def _inflated(pieces: AsyncIterator[bytes], max_bytes: int) -> AsyncIterator[bytes]:
    """Yield what the pieces unpack to; of one piece no more than shows that it is too much."""
    unpacker, came = zlib.decompressobj(_ZLIB_OR_GZIP), 0
    try:
        async for piece in pieces:
            came += len(piece)
            if came > max_bytes + max_bytes // 100:  # what is packed already grows by less
                raise Refused(TOO_LARGE, f"more than {max_bytes} bytes, packed")
            yield unpacker.decompress(piece, max_bytes + 1)
            if unpacker.unused_data:
                raise Refused(DAMAGED, "goes on after the end of what is packed")
    except zlib.error as error:
        raise Refused(DAMAGED, f"cannot be unpacked: {error}") from error
    if not unpacker.eof:
        raise Refused(DAMAGED, "cut short while packed")
