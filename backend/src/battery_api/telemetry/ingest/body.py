"""Read a request body within bounds: never more in memory than one batch may hold, compressed or not."""

import zlib
from collections.abc import AsyncIterator
from typing import Final

from starlette.requests import Request

from battery_api.telemetry.errors import BatchTooLarge, MalformedBatch, UnsupportedEncoding
from battery_contracts.telemetry import MAX_BATCH_BYTES

# 32 lets zlib tell gzip from zlib framing by the header, 15 is the largest window.
_GZIP_OR_ZLIB: Final = 32 + 15
_COMPRESSED: Final = frozenset({"gzip", "x-gzip", "deflate"})


async def read_body(request: Request, *, limit: int = MAX_BATCH_BYTES) -> bytes:
    """Return the decompressed body, refusing it as soon as it certainly exceeds ``limit`` bytes."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    if encoding in _COMPRESSED:
        return await _inflated(request.stream(), limit)
    if encoding != "identity":
        raise UnsupportedEncoding(f"Content-Encoding {encoding[:40]!r} is not supported; send gzip, deflate or none.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise _too_large(limit)
    return bytes(body)


async def _inflated(chunks: AsyncIterator[bytes], limit: int) -> bytes:
    inflater = _Inflater(limit)
    received = 0
    async for chunk in chunks:
        received += len(chunk)
        # Compressed data above the limit is either invalid or incompressible: it would not fit either.
        if received > limit:
            raise _too_large(limit)
        inflater.feed(chunk)
    return inflater.finish()


class _Inflater:
    """Decompresses piece by piece and stops at the limit, so that a bomb costs no more than a full batch."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._stream = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._started = False
        self._body = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Decompress one more piece."""
        rest = chunk
        while rest:
            if self._stream.eof:
                # gzip allows several members in a row.
                self._stream = zlib.decompressobj(_GZIP_OR_ZLIB)
            self._started = True
            try:
                self._body += self._stream.decompress(rest, self._limit + 1 - len(self._body))
            except zlib.error as error:
                raise MalformedBatch(f"The compressed body cannot be decompressed: {error}.") from error
            if len(self._body) > self._limit:
                raise _too_large(self._limit)
            rest = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail

    def finish(self) -> bytes:
        """Return the whole body; raises `MalformedBatch` if its end is missing."""
        if self._started and not self._stream.eof:
            raise MalformedBatch("The compressed body ends too early.")
        return bytes(self._body)


def _too_large(limit: int) -> BatchTooLarge:
    return BatchTooLarge(
        f"One batch may hold {limit // (1024 * 1024)} MiB of JSON; send the readings in several batches.",
        # The rest of the body is not read, so the connection cannot carry another request.
        headers={"Connection": "close"},
    )
