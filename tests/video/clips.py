"""Small real videos for the tests: every frame carries its number as a row of black and white squares."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

WIDTH, HEIGHT = 160, 96
MILLISECOND = Fraction(1, 1000)


def numbered(index: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """(height, width, 3) uint8 RGB: smooth colours, and the number's eight bits in the top row."""
    y, x = np.mgrid[:height, :width]
    image = np.stack([x * 255 // width, y * 255 // height, np.full_like(x, 60 + index % 100)], -1).astype(np.uint8)
    for bit in range(8):
        image[:16, bit * 16 : bit * 16 + 16] = 255 if index >> bit & 1 else 0
    return image


def number(image: np.ndarray) -> int:
    """Reads the number back."""
    return sum(1 << bit for bit in range(8) if image[4:12, bit * 16 + 4 : bit * 16 + 12].mean() > 128)


def irregular_times(count: int) -> list[float]:
    """Increasing times in whole milliseconds, unequally spaced, starting at 0."""
    return [round(float(t)) / 1000 for t in np.cumsum(np.random.default_rng(0).choice([20, 33, 40, 80], count)) - 20][
        :count
    ]


COUNT = 60
TIMES = irregular_times(COUNT)
NAMES = ["clip.mp4", "clip.mkv", "fragmented.mp4", "open-gop.mp4", "clip.webm", "clip.ts", "clip.avi"]


def write_clips(folder: Path) -> None:
    """One clip of `COUNT` frames in several containers and codecs: the files `NAMES`."""
    write_clip(folder / "clip.mp4", TIMES, muxer={"movflags": "+faststart"})
    write_clip(folder / "clip.mkv", TIMES)
    write_clip(folder / "fragmented.mp4", TIMES, muxer={"movflags": "frag_keyframe+empty_moov"})
    write_clip(folder / "open-gop.mp4", TIMES, options={"x264-params": "open-gop=1:keyint=12:bframes=3"})
    write_clip(folder / "clip.webm", TIMES, "libvpx-vp9", options={"cpu-used": "8", "deadline": "realtime"})
    write_clip(folder / "clip.ts", TIMES)
    write_clip(folder / "clip.avi", [i / 25 for i in range(COUNT)], "mpeg4")


def write_clip(
    path: Path,
    times: list[float],
    codec: str = "libx264",
    *,
    options: dict[str, str] | None = None,
    muxer: dict[str, str] | None = None,
    rotation: tuple[float, bool, bool] | None = None,
) -> Path:
    """A video with B-frames and a key frame every 12 frames, straight from PyAV."""
    with av.open(str(path), "w", options=muxer or {}) as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.time_base = MILLISECOND
        stream.codec_context.gop_size = 12
        stream.codec_context.thread_count = 1
        stream.options = options or {}
        if rotation is not None:
            stream.set_display_rotation(rotation[0], hflip=rotation[1], vflip=rotation[2])
        for index, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(numbered(index), format="rgb24")
            frame.pts, frame.time_base = round(time / MILLISECOND), MILLISECOND
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def save(path: Path, image: np.ndarray) -> Path:
    """Writes an RGB, RGBA or grey image by its suffix."""
    if image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_RGBA2BGRA if image.shape[2] == 4 else cv2.COLOR_RGB2BGR)
    assert cv2.imwrite(str(path), image)
    return path
