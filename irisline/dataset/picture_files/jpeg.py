"""The parts of a JPEG (ITU T.81) as libjpeg sees them. Knows nothing of pixels."""

import re
import struct
from collections.abc import Iterator

from irisline.core.errors import UnreadableImage
from irisline.dataset.picture_files.parts import EXIF, MAX_PARTS, PictureFile, orientation_of

MAX_SCANS = 100  # cameras write one, web pages some fourteen

_MARKER = re.compile(rb"\xff[\xc0-\xfe]")
_END_OF_DATA = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # others stand for a byte, for a restart, or fill
_PROGRESSIVE = 0xC2
_SOF = {0xC0, 0xC1, _PROGRESSIVE}
_OTHER_SOF = {0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_TABLES = {0xC4, 0xDB, 0xDD}  # Huffman, quantisation, restart interval
_SOI, _EOI, _SOS, _APP0, _APP1, _APP2, _APP14 = 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xE2, 0xEE
_ICC = b"ICC_PROFILE\0"


def read(data: bytes) -> PictureFile:
    """Return what a JPEG holds; raise UnreadableImage, or an IndexError or KeyError for one that is cut short."""
    profile: dict[int, bytes] = {}
    scans: list[bytes] = []
    written, frame, progressive = [b"\xff\xd8"], b"", False
    exif, jfif, adobe, ended = b"", b"", b"", False
    for marker, segment, entropy in _segments(data):
        if marker in _SOF:
            if frame:
                raise UnreadableImage("damaged: two frames")
            frame, progressive = segment, marker == _PROGRESSIVE
            written.append(_segment(marker, segment))
        elif marker in _OTHER_SOF:
            raise UnreadableImage(
                "a JPEG that is lossless, hierarchical or coded arithmetically; save it as an ordinary one"
            )
        elif marker == _SOS:
            scans.append(segment)
            written += [_segment(marker, segment), entropy]
        elif marker in _TABLES:
            written.append(_segment(marker, segment))
        elif marker == _APP0 and segment.startswith(b"JFIF\0") and not jfif:
            jfif = _segment(marker, segment)
        elif marker == _APP14 and segment.startswith(b"Adobe") and not adobe:
            adobe = _segment(marker, segment)
        elif marker == _APP1 and segment.startswith(EXIF):
            exif = exif or segment[len(EXIF) :]
        elif marker == _APP2 and segment.startswith(_ICC):
            profile.setdefault(segment[12], segment[14:])
        ended = marker == _EOI
    if not frame or not scans:
        raise UnreadableImage("damaged: no pixels in it")
    whole = b"".join([written[0], jfif, adobe, *written[1:], b"\xff\xd9"])
    icc = b"".join(part for _, part in sorted(profile.items()))
    height, width = struct.unpack(">HH", frame[1:5])
    blocks, kept = _blocks(frame, scans, width, height, progressive)
    return PictureFile("JPEG", width, height, whole, orientation_of(exif), icc, ended, blocks, kept)


def _segments(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield each marker with its segment and, of a scan, its compressed data, as libjpeg sees them; the end comes last."""
    at, parts = 2, 0
    while found := _MARKER.search(data, at):
        marker = data[found.end() - 1]
        at = found.end()
        if 0xD0 <= marker <= 0xD7:
            continue  # a restart between segments stands alone
        if marker == _EOI:
            yield marker, b"", b""
            return
        parts += 1
        if marker == _SOI or parts > MAX_PARTS:
            raise UnreadableImage(
                "damaged: another begins in it" if marker == _SOI else f"more than {MAX_PARTS} segments"
            )
        length = int.from_bytes(data[at : at + 2])
        if length < 2 or at + length > len(data):
            raise UnreadableImage("damaged: cut short")
        segment, at, start = data[at + 2 : at + length], at + length, at + length
        if marker == _SOS:
            end = _END_OF_DATA.search(data, at)
            at = end.start() if end else len(data)
        yield marker, segment, data[start:at].rstrip(b"\xff") if marker == _SOS else b""


def _segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2) + body


def _blocks(
    frame: bytes, scans: list[bytes], width: int, height: int, progressive: bool
) -> tuple[tuple[int, ...], int]:
    """Return how many blocks each scan goes over, and how many are kept until the last one."""
    if frame[0] != 8:
        raise UnreadableImage(f"a JPEG of {frame[0]} bits; save it with 8")
    if len(scans) > MAX_SCANS:
        raise UnreadableImage(f"more than {MAX_SCANS} scans")
    components = {frame[6 + 3 * n]: (frame[7 + 3 * n] >> 4, frame[7 + 3 * n] & 15) for n in range(frame[5])}
    if not frame[5] or len(components) < frame[5]:
        raise UnreadableImage("damaged: no colours in it, or one of them twice")
    if not all(1 <= across <= 4 and 1 <= down <= 4 for across, down in components.values()):
        raise UnreadableImage("damaged: sampled in no known way")
    most_across, most_down = (max(each[way] for each in components.values()) for way in (0, 1))
    of = {
        name: -(-width * across // (8 * most_across)) * -(-height * down // (8 * most_down))
        for name, (across, down) in components.items()
    }
    visited = tuple(sum(of[scan[1 + 2 * n]] for n in range(scan[0])) for scan in scans)
    whole_at_once = not progressive and len(scans) == 1 and scans[0][0] == len(components)
    return visited, 0 if whole_at_once else sum(of.values())
