from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from pgnet.errors import PgnetError
from pgnet.video.reader import open_source
from pgnet.video.writer import VideoWriter

from .clips import HEIGHT, WIDTH, irregular_times, number, numbered

TIMES = irregular_times(40)


def write(path: Path, times: list[float], width: int = WIDTH, height: int = HEIGHT, **options: object) -> None:
    with VideoWriter(path, width, height, **options) as video:  # type: ignore[arg-type]
        for i, time in enumerate(times):
            video.write(numbered(i, width, height), time)


@pytest.mark.parametrize("unit", [None, Fraction(1, 15360), Fraction(1001, 30000), Fraction(1, 1000)])
def test_timing_of_the_source_is_kept(tmp_path: Path, unit: Fraction | None) -> None:
    times = [round(t / unit) * float(unit) for t in TIMES] if unit else TIMES
    times = [t - min(times) for t in sorted(set(times))]
    write(tmp_path / "out.mp4", times, fps=25, time_base=unit)
    with open_source(tmp_path / "out.mp4") as source:
        frames = list(source)
        assert source.expected == len(times)
    assert [number(f.image) for f in frames] == list(range(len(times)))
    assert [f.time for f in frames] == pytest.approx(times, abs=1e-9 if unit and unit < Fraction(1, 999) else 6e-6)
    assert not source.warnings


def test_start_in_the_middle_begins_at_once(tmp_path: Path) -> None:
    write(tmp_path / "out.mp4", [4.5, 4.54, 4.6])
    with open_source(tmp_path / "out.mp4") as source:
        assert [f.time for f in source] == pytest.approx([0, 0.04, 0.1], abs=6e-6)


def test_what_players_need(tmp_path: Path) -> None:
    write(tmp_path / "out.mp4", TIMES, fps=25)
    with av.open(str(tmp_path / "out.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
        assert (context.color_range, context.colorspace, context.color_primaries, context.color_trc) == (1, 1, 1, 1)
        assert context.level <= 31  # a level made for the clock instead of the frame rate would stop small devices
    data = (tmp_path / "out.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_colours_come_back(tmp_path: Path) -> None:
    colours = np.array(
        [[200, 40, 40], [40, 200, 40], [40, 40, 200], [255, 255, 255], [0, 0, 0], [200, 180, 60]], np.uint8
    )
    image = np.repeat(np.repeat(colours[None], 64, 0), 32, 1)
    with VideoWriter(tmp_path / "out.mp4", image.shape[1], 64) as video:
        for i in range(5):
            video.write(image, i / 25)
    with open_source(tmp_path / "out.mp4") as source:
        for frame in source:
            centres = frame.image[32, 16::32].astype(int)
            assert np.abs(centres - colours).max() <= 6


@pytest.mark.parametrize(("width", "height"), [(161, 96), (160, 97), (161, 97), (129, 17)])
def test_odd_sizes_are_padded_by_one_pixel(tmp_path: Path, width: int, height: int) -> None:
    write(tmp_path / "out.mp4", TIMES[:5], width, height, crf=5)
    with open_source(tmp_path / "out.mp4") as source:
        frames = list(source)
        assert (source.width, source.height) == (width + width % 2, height + height % 2)
    difference = np.abs(frames[2].image[:height, :width].astype(int) - numbered(2, width, height))
    assert difference[18:].mean() < 5 if height > 20 else number(frames[2].image) == 2


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    def record() -> None:
        with VideoWriter(tmp_path / "out.mp4", WIDTH, HEIGHT) as video:
            video.write(numbered(0), 0)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        record()
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_video_can_be_kept(tmp_path: Path) -> None:
    video = VideoWriter(tmp_path / "out.mp4", WIDTH, HEIGHT)

    def record() -> None:
        with video:
            try:
                for i in range(10):
                    video.write(numbered(i), i / 25)
                raise KeyboardInterrupt
            except KeyboardInterrupt:
                video.close()
                raise

    with pytest.raises(KeyboardInterrupt):
        record()
    with open_source(tmp_path / "out.mp4") as source:
        assert len(list(source)) == 10
    video.close()
    video.discard()
    assert list(tmp_path.iterdir()) == [tmp_path / "out.mp4"]


def test_no_frame_no_file(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "out.mp4", WIDTH, HEIGHT):
        pass
    assert list(tmp_path.iterdir()) == []


def test_repeated_times_do_not_stop_the_video(tmp_path: Path) -> None:
    write(tmp_path / "out.mp4", [0.0, 0.04, 0.04, 0.03, 0.08])
    with open_source(tmp_path / "out.mp4") as source:
        times = [f.time for f in source]
    assert len(times) == 5
    assert times == sorted(set(times))


def test_unwritable_places_and_wrong_frames(tmp_path: Path) -> None:
    with pytest.raises(PgnetError, match="does not exist"):
        VideoWriter(tmp_path / "no" / "out.mp4", WIDTH, HEIGHT)
    with pytest.raises(PgnetError, match="is a folder"):
        VideoWriter(tmp_path, WIDTH, HEIGHT)
    with VideoWriter(tmp_path / "out.mp4", WIDTH, HEIGHT) as video, pytest.raises(ValueError, match="shape"):
        video.write(numbered(0)[:-1], 0)
    assert list(tmp_path.iterdir()) == []
