import random
import shutil
from pathlib import Path

import av
import numpy as np
import pytest

from pgnet.errors import PgnetError
from pgnet.video import FrameIndex, FrameReader, access, open_source

from .clips import COUNT, HEIGHT, NAMES, TIMES, WIDTH, number, numbered, save, write_clip


@pytest.mark.parametrize("name", NAMES)
def test_any_frame_in_any_order_is_the_one_that_is_painted_in(folder: Path, name: str) -> None:
    with open_source(folder / name) as source:
        whole = {frame.index: frame for frame in source}
    wanted = random.Random(1).choices(range(COUNT), k=80) + [0, COUNT - 1]
    with FrameReader(folder / name) as frames:
        assert len(frames) == COUNT
        assert (frames.source.width, frames.source.height, frames.source.frame_count) == (WIDTH, HEIGHT, COUNT)
        for n in wanted:
            frame = frames[n]
            assert (frame.index, frame.time) == (n, whole[n].time)
            assert number(frame.image) == n
            assert np.array_equal(frame.image, whole[n].image)


@pytest.mark.parametrize("memory", [0, 8 * WIDTH * HEIGHT, access.MEMORY])
def test_backwards_whatever_is_kept(folder: Path, memory: int) -> None:
    with FrameReader(folder / "clip.mp4", memory=memory) as frames:
        backwards = [frames[n] for n in reversed(range(COUNT))]
    assert [number(frame.image) for frame in backwards] == list(reversed(range(COUNT)))
    assert [frame.time for frame in backwards] == pytest.approx(TIMES[::-1], abs=1e-9)


def test_steps_back_decode_little(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begins: list[int] = []
    begin = access._VideoDecoder._begin
    monkeypatch.setattr(access._VideoDecoder, "_begin", lambda self, n: begins.append(n) or begin(self, n))
    with FrameReader(folder / "clip.mp4") as frames:
        for n in reversed(range(COUNT)):
            assert number(frames[n].image) == n
    assert begins == [0, *range(48, -1, -12)], "opened once, then each group of pictures once"


@pytest.mark.parametrize("degrees", [90, 180, -90])
def test_upright(tmp_path: Path, degrees: float) -> None:
    path = write_clip(tmp_path / "turned.mp4", TIMES[:20], rotation=(degrees, False, False))
    with open_source(path) as source, FrameReader(path) as frames:
        for frame in source:
            assert np.array_equal(frames[frame.index].image, frame.image)


def test_hidden_frames_of_vp8_are_not_counted(tmp_path: Path) -> None:
    options = {"auto-alt-ref": "1", "lag-in-frames": "16", "deadline": "good", "cpu-used": "4"}
    path = write_clip(tmp_path / "hidden.webm", TIMES, "libvpx", options=options)
    with open_source(path) as source:
        assert [number(frame.image) for frame in source] == list(range(COUNT))
    with FrameReader(path) as frames:
        assert len(frames) == COUNT
        assert [number(frames[n].image) for n in (59, 3, 30, 29)] == [59, 3, 30, 29]


def test_a_file_that_breaks_off(folder: Path, tmp_path: Path) -> None:
    data = (folder / "clip.mkv").read_bytes()
    path = tmp_path / "broken.mkv"
    path.write_bytes(data[: len(data) // 2])
    with FrameReader(path) as frames:
        assert 10 < len(frames) < COUNT
        last = len(frames) - 2
        assert [number(frames[n].image) for n in (last, 0)] == [last, 0]


def test_a_file_that_breaks_off_is_said(folder: Path, tmp_path: Path) -> None:
    for name in ("clip.mp4", "clip.mkv"):
        data = (folder / name).read_bytes()
        (tmp_path / name).write_bytes(data[: int(len(data) * 0.6)])
        with FrameReader(tmp_path / name) as frames:
            assert any("truncated" in warning for warning in frames.source.warnings), name
        with FrameReader(folder / name) as frames:
            assert not frames.source.warnings, name


def test_the_index_is_made_once(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with FrameReader(folder / "clip.ts") as frames:
        frames.index.save(tmp_path / "index.npz")
    monkeypatch.setattr(access, "_list_frames", None)
    with FrameReader(folder / "clip.ts", index=FrameIndex.load(tmp_path / "index.npz")) as frames:
        assert [number(frames[n].image) for n in (40, 41, 7)] == [40, 41, 7]
    (tmp_path / "index.npz").write_bytes(b"no index")
    with pytest.raises(PgnetError, match="delete it"):
        FrameIndex.load(tmp_path / "index.npz")


def test_frames_are_played_in_any_order(folder: Path) -> None:
    with FrameReader(folder / "clip.mp4") as frames:
        with frames.play(range(30, 10, -3)) as source:
            assert [number(frame.image) for frame in source] == list(range(30, 10, -3))
            assert (source.fps, source.time_base) == (frames.source.fps, frames.source.time_base)
        assert number(frames[2].image) == 2


def test_images(tmp_path: Path) -> None:
    for n in range(12):
        save(tmp_path / f"img{n}.png", numbered(n))
    with FrameReader(tmp_path, fps=10) as frames:
        assert frames.source.kind == "images"
        assert [number(frames[n].image) for n in (11, 2, 3)] == [11, 2, 3]
        assert frames[11].time == pytest.approx(1.1)
        with pytest.raises(IndexError):
            frames[12]
    save(tmp_path / "img4.png", numbered(4, 80, 80))
    with FrameReader(tmp_path) as frames, pytest.raises(PgnetError, match="one size"):
        frames[4]


def test_what_is_no_video(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(PgnetError, match="cannot be read as a video"):
        FrameReader(tmp_path / "text.mp4")
    with pytest.raises(PgnetError, match="check the path"):
        FrameReader(tmp_path / "nothing.mp4")
    shutil.copy(save(tmp_path / "x.png", numbered(1)), tmp_path / "cover.mkv")
    with FrameReader(tmp_path / "cover.mkv") as frames:
        assert len(frames) == 1


def test_a_damaged_frame_is_said(folder: Path, tmp_path: Path) -> None:
    data = bytearray((folder / "clip.avi").read_bytes())
    with av.open(str(folder / "clip.avi")) as container:
        places = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    index_before = FrameReader(folder / "clip.avi").index
    position, size = places[-1]
    data[position : position + size + 8] = bytes(size + 8)
    (tmp_path / "damaged.avi").write_bytes(data)
    with FrameReader(tmp_path / "damaged.avi", index=index_before) as frames:
        assert number(frames[COUNT - 2].image) == COUNT - 2
        with pytest.raises(PgnetError, match="damaged"):
            frames[COUNT - 1]
