"""An agent's picture: a small square PNG, unpacked and packed anew, so that nothing but its points goes to customers.

The browser makes the square of whatever picture it can show; what arrives is checked as if nobody had.
"""

import struct
import zlib
from typing import Final

from helpdesk.conversations.files import keep

LARGEST_SIDE: Final = 256
LARGEST_BYTES: Final = 400 * 1024
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
# Bytes of a point, by colour type: grey, RGB, grey and alpha, RGB and alpha; each of 8 bits (PNG, §11.2.2).
_BYTES: Final = {0: 1, 2: 3, 4: 2, 6: 4}


class NoPicture(ValueError):
    """It is no square PNG of at most 256 points a side, in 8 bits a colour."""


def keep_picture(content: bytes) -> str:
    """Store it; its SHA-256. Raises NoPicture."""
    return keep(repacked(content))


def repacked(content: bytes) -> bytes:
    """The same points without anything else. Memory is bounded by the largest side. Raises NoPicture."""
    if len(content) > LARGEST_BYTES or not content.startswith(_SIGNATURE):
        raise NoPicture("this is no small PNG")
    head, packed = _parts(content)
    if len(head) != 13:
        raise NoPicture("its header is damaged")
    width, height, depth, colour, method, filters, interlaced = struct.unpack(">IIBBBBB", head)
    if width != height or not 0 < width <= LARGEST_SIDE:
        raise NoPicture(f"it is not a square of at most {LARGEST_SIDE} points")
    if depth != 8 or colour not in _BYTES or (method, filters, interlaced) != (0, 0, 0):
        raise NoPicture("its kind of PNG is not taken")
    line = 1 + width * _BYTES[colour]
    points = _unpacked(packed, line * height)
    if any(points[begin] > 4 for begin in range(0, len(points), line)):
        raise NoPicture("its lines are damaged")
    return b"".join(
        (_SIGNATURE, _chunk(b"IHDR", head), _chunk(b"IDAT", zlib.compress(points, 9)), _chunk(b"IEND", b""))
    )


def _parts(content: bytes) -> tuple[bytes, bytes]:
    """The header, and what is packed."""
    head, packed, begin = b"", [], len(_SIGNATURE)
    while begin + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, begin)
        kind, data = content[begin + 4 : begin + 8], content[begin + 8 : begin + 8 + length]
        if kind == b"IHDR" and not head:
            head = data
        elif kind == b"IDAT":
            packed.append(data)
        elif kind == b"IEND":
            break
        begin += 12 + length
    return head, b"".join(packed)


def _unpacked(packed: bytes, length: int) -> bytes:
    """Exactly so many bytes, however many it claims to hold."""
    try:
        points = zlib.decompressobj().decompress(packed, length + 1)
    except zlib.error:
        raise NoPicture("it cannot be unpacked") from None
    if len(points) != length:
        raise NoPicture("it is cut, or holds more than it says")
    return points


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
