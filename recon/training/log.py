"""The log of a training: a CSV file, and an event file that TensorBoard reads.

Both are written row by row, and cut back to a checkpoint's step when a run is continued from it,
so that no step is in them twice. The event file is written without TensorBoard or TensorFlow: it
is a TFRecord file of `Event` messages, of which few fields are needed.
"""

import csv
import io
import os
import struct
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType

from PIL import Image

# The last column is a matter of the machine; the others repeat to the bit.
COLUMNS = ("step", "loss", "mse", "learning_rate", "validation_loss", "images_per_s")
CSV_NAME, EVENTS_NAME = "log.csv", "events.out.tfevents.rrstyle"


class TrainingLog:
    """The log in a run's folder, to be used in a `with`.

    Args:
        folder: The run's.
        step: Rows after it are cut off: those of a run that was killed.
        columns: Of the CSV file, "step" first.

    Raises:
        ValueError: If the CSV file has other columns.
        OSError: If a file cannot be read or written.
    """

    def __init__(self, folder: Path, *, step: int, columns: tuple[str, ...] = COLUMNS) -> None:
        self._columns = columns
        _cut(folder / CSV_NAME, _rows_until((folder / CSV_NAME), step, columns))
        _cut(folder / EVENTS_NAME, _events_until(folder / EVENTS_NAME, step))
        # Unbuffered: what was not written is never tried again behind one's back.
        self._csv = (folder / CSV_NAME).open("ab", buffering=0)
        self._events = (folder / EVENTS_NAME).open("ab", buffering=0)
        if self._csv.seek(0, io.SEEK_END) == 0:
            self._csv.write(_line(columns))
        if self._events.seek(0, io.SEEK_END) == 0:
            self._event(0, _field(3, b"brain.Event:2"))

    def __enter__(self) -> "TrainingLog":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._csv.close()
        self._events.close()

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """A row; columns without a value stay empty.

        Args:
            step: Steps done.
            values: By column. Losses come back from the CSV file as they were, to the bit.
        """
        digits = {"learning_rate": 9, "images_per_s": 4}
        text = {
            name: f"{value:.{digits[name]}g}" if name in digits else repr(float(value))
            for name, value in values.items()
        }
        self._csv.write(_line([str(step), *(text.get(name, "") for name in self._columns[1:])]))
        scalars = [
            _field(1, _field(1, name.encode()) + b"\x15" + struct.pack("<f", value))
            for name, value in values.items()
        ]
        self._event(step, _field(5, b"".join(scalars)))

    def add_picture(self, step: int, name: str, png: bytes) -> None:
        """A picture, for TensorBoard only."""
        with Image.open(io.BytesIO(png)) as image:
            width, height = image.size
        picture = b"\x08" + _varint(height) + b"\x10" + _varint(width) + b"\x18\x03"  # 3: RGB
        picture += _field(4, png)
        self._event(step, _field(5, _field(1, _field(1, name.encode()) + _field(4, picture))))

    def sync(self) -> None:
        """What was added lasts through a loss of power."""
        os.fsync(self._csv.fileno())
        os.fsync(self._events.fileno())

    def _event(self, step: int, content: bytes) -> None:
        data = b"\x09" + struct.pack("<d", time.time()) + b"\x10" + _varint(step) + content
        length = struct.pack("<Q", len(data))
        self._events.write(length + _checksum(length) + data + _checksum(data))


def _line(values) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow(values)
    return stream.getvalue().encode()


def _cut(path: Path, size: int) -> None:
    if path.exists() and size < path.stat().st_size:
        os.truncate(path, size)


def _rows_until(path: Path, step: int, columns: tuple[str, ...]) -> int:
    """Bytes of the header and the whole rows up to a step."""
    if not path.exists():
        return 0
    header, *lines = path.read_bytes().splitlines(keepends=True) or [b""]
    if header != _line(columns):
        if not _line(columns).startswith(header):
            raise ValueError(f"{path.name} must have the columns {', '.join(columns)}")
        return 0
    size = len(header)
    for line in lines:
        first = line.split(b",", 1)[0]
        if not (line.endswith(b"\n") and first.isdigit() and int(first) <= step):
            break
        size += len(line)
    return size


def _events_until(path: Path, step: int) -> int:
    """Bytes of the whole events up to a step."""
    size = 0
    if path.exists():
        for found, end in _events(path.read_bytes()):
            if found > step:
                break
            size = end
    return size


def _events(data: bytes) -> Iterator[tuple[int, int]]:
    """The step of each whole event of a file of ours, and where it ends."""
    start = 0
    while start + 12 <= len(data):
        (length,) = struct.unpack_from("<Q", data, start)
        end = start + 12 + length + 4
        event = data[start + 12 : end - 4]
        if end > len(data) or data[end - 4 : end] != _checksum(event):
            return
        step, shift = 0, 0
        for byte in event[10:]:  # after the time and the step's tag
            step |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        yield step, end
        start = end


def _field(number: int, content: bytes) -> bytes:
    """A field of bytes, text or another message, in the encoding of protocol buffers."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    result = bytearray()
    while value > 0x7F:
        result.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*result, value])


def _crc_table() -> list[int]:
    table = []
    for entry in range(256):
        for _ in range(8):
            entry = entry >> 1 ^ (0x82F63B78 if entry & 1 else 0)
        table.append(entry)
    return table


_CRC_TABLE = _crc_table()  # of CRC-32C (Castagnoli), which Python does not have


def _checksum(data: bytes) -> bytes:
    """The masked CRC-32C of the TFRecord format."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
