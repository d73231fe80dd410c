"""How a server is run, and what it accepts."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """What `pgnet serve` was told."""

    data: Path
    """Folder of the database and of all files; the server writes nowhere else."""
    library: Path | None = None
    """Folder of videos that can be opened without uploading them."""
    host: str = "127.0.0.1"
    port: int = 8000
    token: str | None = None
    """What a client has to know; None: everybody who reaches the server may use it."""
    hosts: tuple[str, ...] = ()
    """More names that the server may be called by."""
    workers: int = 1
    """Jobs that run at the same time, each in a process of its own."""
    threads: int | None = None
    """Threads for the network in each of them; None: the physical cores, shared by the workers."""
    queue: int = 50
    """Jobs that may wait."""
    upload_bytes: int = 4 << 30
    frames: int = 200_000
    """Of a video."""
    pixels: int = 8192 * 4320
    """Of a frame."""
    targets: int = 64
    """Of a video."""
    import_bytes: int = 64 << 20
    """Of a file of boxes, unpacked."""
    memory: int = 6 << 30
    """Bytes that a process which decodes or tracks may allocate (Linux)."""
    check_seconds: float = 600
    """For listing the frames of a new video."""
    frame_seconds: float = 20
    """For one picture, and for reading a file of boxes."""
    stall_seconds: float = 120
    """A job that says nothing for this long is stopped."""

    @property
    def files(self) -> Path:
        """Folder of the uploaded videos and their indices."""
        return self.data / "videos"

    @property
    def renders(self) -> Path:
        """Folder of the videos that jobs made."""
        return self.data / "renders"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server bound to the host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
