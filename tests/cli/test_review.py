"""`pgnet review`."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from pgnet.cli import main
from pgnet.results import ModelInfo, SourceInfo, Track


@pytest.fixture
def track(tmp_path: Path) -> Path:
    """Of a folder of images: uncertain in frame 4, lost in 7 and 8."""
    (tmp_path / "shots").mkdir()
    run = Track(SourceInfo("shots", "images", 64, 48, 30.0, 12), ModelInfo("m", "0"))
    for frame in range(12):
        image = np.full((48, 64, 3), 90 + 5 * frame, np.uint8)
        cv2.imwrite(str(tmp_path / "shots" / f"{frame:03d}.png"), image)
        state = {4: "uncertain", 7: "lost", 8: "lost"}.get(frame, "present")
        run.append(frame, frame / 30, (20, 10, 12, 9), 0.8, presence=0.95 if state == "present" else 0.1, state=state)
    run.write_json(tmp_path / "track.json")
    return tmp_path / "track.json"


def test_the_list_and_its_files(track: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet, listed = track.with_name("sheet.png"), track.with_name("review.json")
    assert main(["review", str(track), "--sheet", str(sheet), "--json", str(listed)]) == 0
    out = capsys.readouterr().out
    assert "Look at 2 of 12 frames." in out and "hangs on it" in out
    moments = json.loads(listed.read_text())["moments"]
    assert {m["kind"] for m in moments} == {"lost", "back"}  # the doubt before it belongs to the loss
    assert [m["cost"] for m in moments] == sorted((m["cost"] for m in moments), reverse=True)
    picture = cv2.imread(str(sheet))
    assert picture.shape[1] > 800 and picture.std() > 10
    assert main(["review", str(track), "--top", "1", "--json", str(listed), "--overwrite"]) == 0
    assert len(json.loads(listed.read_text())["moments"]) == 1
    assert "The worst 1:" in capsys.readouterr().out


def test_nothing_to_look_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = Track(SourceInfo("a.mp4", "video", 64, 48, 30.0, 2), ModelInfo("m", "0"))
    for frame in range(2):
        run.append(frame, frame / 30, (20, 10, 12, 9), 0.8, presence=0.99)
    run.write_json(tmp_path / "track.json")
    assert main(["review", str(tmp_path / "track.json"), "--sheet", str(tmp_path / "sheet.png")]) == 0
    assert "Nothing to look at" in capsys.readouterr().out
    assert not (tmp_path / "sheet.png").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--sheet", "a.gif"], "must end in .png or .jpg"),
        (["--sheet", "TRACK"], "must end in .png"),
        (["--json", "TRACK"], "exists already"),
        (["--sheet", "a.png", "--video", "nowhere.mp4"], "nowhere.mp4"),
    ],
)
def test_bad_input(
    track: Path,
    arguments: list[str],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(track.parent)
    assert main(["review", str(track), *(a.replace("TRACK", str(track)) for a in arguments)]) == 2
    assert sentence in capsys.readouterr().err
    assert not (track.parent / "a.png").exists()


def test_another_video_is_refused(track: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = track.with_name("sheet.png")
    other = track.parent / "other"
    other.mkdir()
    cv2.imwrite(str(other / "0.png"), np.zeros((48, 64, 3), np.uint8))
    assert main(["review", str(track), "--sheet", str(sheet), "--video", str(other)]) == 2
    assert "has 1 frames" in capsys.readouterr().err
    cv2.imwrite(str(other / "0.png"), np.zeros((24, 64, 3), np.uint8))
    assert main(["review", str(track), "--sheet", str(sheet), "--video", str(other)]) == 2
    assert "64 x 24 and 64 x 48 pixels" in capsys.readouterr().err
    track.parent.joinpath("shots").rename(track.parent / "moved")
    assert main(["review", str(track), "--sheet", str(sheet)]) == 2
    assert "give --video" in capsys.readouterr().err
