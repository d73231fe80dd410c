import functools
import gc
import http.server
import itertools
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from pgnet.errors import PgnetError
from pgnet.video import reader
from pgnet.video.reader import Frame, open_source

from .clips import COUNT, HEIGHT, NAMES, TIMES, WIDTH, number, numbered, save, write_clip


@pytest.fixture
def clip(folder: Path) -> Path:
    return folder / "clip.mp4"


def read(source: str | Path | int, **options: float) -> list[Frame]:
    with open_source(source, **options) as opened:
        return list(opened)


@pytest.mark.parametrize("name", NAMES)
def test_every_frame_once_and_in_order(folder: Path, name: str) -> None:
    with open_source(folder / name) as source:
        assert (source.kind, source.width, source.height) == ("video", WIDTH, HEIGHT)
        frames = list(source)
    assert [f.index for f in frames] == list(range(COUNT))
    assert [number(f.image) for f in frames] == list(range(COUNT))
    assert all(f.image.shape == (HEIGHT, WIDTH, 3) and f.image.dtype == np.uint8 for f in frames)
    assert not source.warnings


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "open-gop.mp4", "clip.webm"])
def test_irregular_times_are_exact(folder: Path, name: str) -> None:
    assert [f.time for f in read(folder / name)] == pytest.approx(TIMES, abs=1e-9)


@pytest.mark.parametrize("name", ["fragmented.mp4", "clip.ts"])
def test_time_stamps_are_the_files_own(folder: Path, name: str) -> None:
    with av.open(str(folder / name)) as container:
        stamps = [float(frame.pts * container.streams.video[0].time_base) for frame in container.decode(video=0)]
    assert [f.time for f in read(folder / name)][:50] == stamps[:50]


def test_facts(clip: Path) -> None:
    with open_source(clip) as source:
        assert source.frame_count == source.expected == COUNT
        assert source.fps == pytest.approx(COUNT / (TIMES[-1] + 0.05), rel=0.05)
        assert source.name == str(clip)
    with open_source(clip, start=10, end=25) as source:
        assert source.frame_count == COUNT
        assert source.expected == 15


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("start", [1, 11, 12, 13, 35, 59])
def test_start_is_exact_and_keeps_the_numbers(folder: Path, name: str, start: int) -> None:
    whole = read(folder / name)
    frames = read(folder / name, start=start, end=start + 3)
    assert [f.index for f in frames] == list(range(start, min(start + 3, COUNT)))
    assert [number(f.image) for f in frames] == [f.index for f in frames]
    assert [f.time for f in frames] == [whole[f.index].time for f in frames]


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.avi"])
def test_start_and_end_in_seconds(folder: Path, name: str) -> None:
    times = [f.time for f in read(folder / name)]
    frames = read(folder / name, start=0.9, end=1.3)
    assert [f.index for f in frames] == [i for i, t in enumerate(times) if 0.9 <= t < 1.3]
    at = read(folder / name, start=times[30])
    assert at[0].index == 30


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "open-gop.mp4"])
def test_start_decodes_from_the_key_frame_before(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[object] = []
    packets = reader.packets

    def spy(*arguments: Any) -> Iterator[Any]:
        decoded.clear()  # the last call is the one that decodes
        for packet in packets(*arguments):
            decoded.append(packet)
            yield packet

    monkeypatch.setattr(reader, "packets", spy)
    frames = read(folder / name, start=COUNT - 5)
    assert [f.index for f in frames] == list(range(COUNT - 5, COUNT))
    assert len(decoded) <= 2 * 12 + 1, "at most two groups of pictures and the end"


@pytest.mark.parametrize(
    ("degrees", "hflip", "vflip"), list(itertools.product((0, 90, 180, 270), (False, True), (False, True)))
)
def test_rotated_and_mirrored_video_comes_upright(tmp_path: Path, degrees: int, hflip: bool, vflip: bool) -> None:
    path = write_clip(tmp_path / "turned.mp4", TIMES[:3], rotation=(degrees, hflip, vflip))
    expected = np.rot90(numbered(1), degrees // 90)  # counter-clockwise, then mirrored
    expected = expected[:, ::-1] if hflip else expected
    expected = expected[::-1] if vflip else expected
    with open_source(path) as source:
        image = list(source)[1].image
        assert (source.height, source.width) == image.shape[:2] == expected.shape[:2]
    assert np.abs(image.astype(int) - expected).mean() < 6


def test_truncated_file_gives_what_is_there_and_a_warning(folder: Path, tmp_path: Path) -> None:
    for name in ("clip.mp4", "clip.mkv", "fragmented.mp4"):
        data = (folder / name).read_bytes()
        (tmp_path / name).write_bytes(data[: int(len(data) * 0.6)])
        with open_source(tmp_path / name) as source:
            frames = list(source)
        assert 10 < len(frames) < COUNT, name
        assert [number(f.image) for f in frames[:10]] == list(range(10))
        assert "truncated" in source.warnings[0], name
        # Stopping before the cut is no reason to warn.
        with open_source(tmp_path / name, end=5) as source:
            assert len(list(source)) == 5
        assert not source.warnings


def test_damaged_frames_are_counted_and_the_rest_is_read(folder: Path, tmp_path: Path) -> None:
    data = bytearray((folder / "clip.mp4").read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2000] = np.random.default_rng(0).bytes(2000)
    (tmp_path / "bad.mp4").write_bytes(data)
    with open_source(tmp_path / "bad.mp4") as source:
        frames = list(source)
    assert len(frames) > COUNT // 2
    assert "damaged" in source.warnings[0]


def test_mid_stream_size_change_is_scaled(tmp_path: Path) -> None:
    path = tmp_path / "two.ts"
    with path.open("wb") as file:
        for name, (width, height) in (("a.ts", (160, 96)), ("b.ts", (96, 64))):
            with av.open(str(tmp_path / name), "w") as container:
                stream = container.add_stream("libx264", rate=25)
                stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
                for i in range(5):
                    container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(i, width, height), format="rgb24")))
                container.mux(stream.encode(None))
            file.write((tmp_path / name).read_bytes())
    with open_source(path) as source:
        assert {f.image.shape for f in source} == {(96, 160, 3)}
    assert "changes its size" in source.warnings[0]
    assert len(source.warnings) == 1


def _without_video(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), format="s16", layout="mono")
        sound.sample_rate = 8000
        container.mux(stream.encode(sound))
        container.mux(stream.encode(None))
    return path


def test_bad_sources_are_said_in_one_sentence(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("hello\n" * 100)
    (tmp_path / "text.txt").write_text("hello\n" * 100)
    (tmp_path / "folder").mkdir()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(clip.read_bytes()[:200])
    cases: list[tuple[str | Path, dict[str, float], str]] = [
        (tmp_path / "none.mp4", {}, "no file or folder"),
        ("", {}, "empty"),
        (tmp_path / "empty.mp4", {}, "cannot be read as a video"),
        (tmp_path / "text.mp4", {}, "cannot be read as a video"),
        (tmp_path / "text.txt", {}, "no video stream"),
        (cut, {}, "video"),
        (_without_video(tmp_path / "sound.wav"), {}, "no video stream"),
        (tmp_path / "folder", {}, "has no images"),
        (tmp_path / "*.png", {}, "No image file matches"),
        (tmp_path / "none.png", {}, "No image file matches"),
        ("12345", {}, "camera 12345"),
        (clip, {"start": 1000}, "nothing from frame 1000"),
        (clip, {"start": 100.0}, "nothing from second 100"),
        (clip, {"start": 5, "end": 5}, "not after the start"),
        (clip, {"start": -1}, "0 or more"),
        (clip, {"end": float("nan")}, "0 or more"),
    ]
    for source, options, sentence in cases:
        with pytest.raises(PgnetError, match=sentence) as caught:
            open_source(source, **options)
        assert str(caught.value).count("\n") == 0


def test_passwords_of_addresses_stay_secret() -> None:
    with pytest.raises(PgnetError) as caught:
        open_source("http://anna:secret@127.0.0.1:9/x.mp4?token=hidden")
    assert "secret" not in str(caught.value)
    assert "hidden" not in str(caught.value)
    assert "http://127.0.0.1:9/x.mp4" in str(caught.value)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(folder: Path) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=folder)) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_address[1]}"
        httpd.shutdown()
        thread.join()


def test_video_over_http_loses_no_frame(server: str) -> None:
    with open_source(f"{server}/clip.mp4", start=20) as source:
        assert source.kind == "stream"
        assert [number(f.image) for f in source] == list(range(20, COUNT))
    with pytest.raises(PgnetError, match="cannot be opened"):
        open_source(f"{server}/none.mp4")


def test_images_in_natural_order(tmp_path: Path) -> None:
    for i in (1, 2, 10, 9, 100):
        save(tmp_path / f"img{i}.png", numbered(i))
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "._img1.png").write_text("left by another system")
    (tmp_path / "img3.png").mkdir()
    for source in (tmp_path, tmp_path / "img*.png", str(tmp_path / "*")):
        with open_source(source, fps=10) as opened:
            assert opened.kind == "images"
            assert opened.frame_count == opened.expected == 5
            frames = list(opened)
        assert [number(f.image) for f in frames] == [1, 2, 9, 10, 100]
        assert [f.time for f in frames] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    frames = read(tmp_path, start=3, fps=10)
    assert [(f.index, number(f.image)) for f in frames] == [(3, 10), (4, 100)]
    assert [f.index for f in read(tmp_path, start=0.1, end=0.3, fps=10)] == [1, 2]


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp", "tiff", "JPEG"])
def test_image_formats(tmp_path: Path, suffix: str) -> None:
    (frame,) = read(save(tmp_path / f"one.{suffix}", numbered(5)))
    assert np.abs(frame.image.astype(int) - numbered(5)).mean() < 6


def test_grey_alpha_and_16_bit_images_become_rgb(tmp_path: Path) -> None:
    rgb = numbered(5)
    rgba = np.dstack([rgb, np.full(rgb.shape[:2], 7, np.uint8)])
    grey = rgb[..., 0]
    pairs = [(rgb, rgb), (rgba, rgb), (grey, np.dstack([grey] * 3)), (rgb.astype(np.uint16) * 257, rgb)]
    for i, (stored, expected) in enumerate(pairs):
        (frame,) = read(save(tmp_path / f"{i}.png", stored))
        np.testing.assert_array_equal(frame.image, expected)
        assert frame.image.dtype == np.uint8


def test_unreadable_image_is_left_out_with_a_warning(tmp_path: Path) -> None:
    for i in range(4):
        save(tmp_path / f"{i}.png", numbered(i))
    (tmp_path / "2.png").write_bytes(b"no image")
    with open_source(tmp_path) as source:
        assert [(f.index, number(f.image)) for f in source] == [(0, 0), (1, 1), (3, 3)]
    assert len(source.warnings) == 1
    assert "2.png" in source.warnings[0]
    # The first image is the one that the target is marked on.
    (tmp_path / "0.png").write_bytes(b"")
    with pytest.raises(PgnetError, match=r"0\.png cannot be decoded"):
        open_source(tmp_path)


def test_images_of_different_sizes_are_refused_by_name(tmp_path: Path) -> None:
    save(tmp_path / "a.png", numbered(0))
    save(tmp_path / "b.png", numbered(0, 170, 96))
    with pytest.raises(PgnetError, match=r"b\.png is 170 x 96"):
        read(tmp_path)


def test_float_images_are_refused(tmp_path: Path) -> None:
    assert cv2.imwrite(str(tmp_path / "a.tiff"), np.ones((8, 8, 3), np.float32))
    with pytest.raises(PgnetError, match="float32"):
        open_source(tmp_path)


def test_leaving_early_ends_the_thread(clip: Path) -> None:
    before = threading.active_count()
    with open_source(clip) as source:
        for frame in source:
            assert threading.active_count() == before + 1
            if frame.index == 2:
                break
    assert threading.active_count() == before
    source.close()  # twice is fine


def test_frames_are_freed_at_once(clip: Path) -> None:
    # A reference cycle would keep megabytes per frame until the garbage collector happens to run.
    gc.collect()
    gc.disable()
    try:
        with open_source(clip) as source:
            held = [sum(isinstance(o, Frame | av.VideoFrame) for o in gc.get_objects()) for _ in source]
    finally:
        gc.enable()
    assert 0 < max(held) < COUNT // 2
