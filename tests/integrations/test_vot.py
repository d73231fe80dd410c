"""The server of the TraX protocol: its logic with a stand-in for vot-trax, and the real thing where it is installed."""

import subprocess
import sys
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from pgnet.demo import demo_frames
from pgnet.errors import PgnetError
from pgnet.integrations import vot
from pgnet.models import available
from pgnet.tracking import Prediction


class Drifting:
    """The box moves one pixel to the right in every frame."""

    def init(self, image, box):
        self.box = np.asarray(box, np.float64)

    def update(self, image):
        self.box = self.box + (1, 0, 0, 0)
        return Prediction(self.box, 0.5)


@pytest.fixture
def frame(tmp_path):
    cv2.imwrite(str(tmp_path / "1.png"), np.zeros((60, 80, 3), np.uint8))
    return SimpleNamespace(path=lambda: str(tmp_path / "1.png"))


def rectangle(*values):
    return SimpleNamespace(bounds=lambda: values)


@pytest.fixture
def talk(monkeypatch):
    """Serve these requests; gives the boxes that were answered, a list for each request."""

    def run(tracker, *requests):
        answers = []

        class Server:
            def __init__(self, regions, images, **_):
                assert (regions, images) == (["rectangle"], ["path"])
                self.requests = iter(requests)

            def __enter__(self):
                return self

            def __exit__(self, *_):
                pass

            def wait(self):
                return next(self.requests)

            def status(self, states):
                answers.append([tuple(region.bounds()) for region, _ in states])

        fake = SimpleNamespace(
            Server=Server,
            Region=SimpleNamespace(RECTANGLE="rectangle"),
            Image=SimpleNamespace(PATH="path"),
            TraxStatus=SimpleNamespace(INITIALIZE="initialize", FRAME="frame"),
            Rectangle=SimpleNamespace(create=rectangle),
        )
        monkeypatch.setitem(sys.modules, "trax", fake)
        vot.serve(tracker)
        return answers

    return run


def request(kind, frame=None, *objects):
    return SimpleNamespace(type=kind, image={"color": frame}, objects=[(box, {}) for box in objects])


def test_each_object_has_a_tracker(talk, frame):
    answers = talk(
        Drifting(),
        request("initialize", frame, rectangle(1, 2, 3, 4), rectangle(10, 20, 30, 40)),
        request("frame", frame),
        request("frame", frame, rectangle(5, 5, 5, 5)),  # one more comes
        request("frame", frame),
        request("initialize", frame, rectangle(7, 7, 7, 7)),
        request("frame", frame),
        request("quit"),
    )
    assert answers == [
        [(1, 2, 3, 4), (10, 20, 30, 40)],
        [(2, 2, 3, 4), (11, 20, 30, 40)],
        [(3, 2, 3, 4), (12, 20, 30, 40), (5, 5, 5, 5)],
        [(4, 2, 3, 4), (13, 20, 30, 40), (6, 5, 5, 5)],
        [(7, 7, 7, 7)],
        [(8, 7, 7, 7)],
    ]


def test_without_trax(monkeypatch):
    monkeypatch.setitem(sys.modules, "trax", None)
    with pytest.raises(PgnetError, match=r"TraX cannot be imported .*pip install vot-trax"):
        vot.serve(Drifting())


def test_unknown_model_is_a_sentence(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["vot", "--model", "none"])
    assert vot.main() == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.skipif("pgnet-lite" not in [m.name for m in available()], reason="pgnet-lite is not installed")
def test_over_the_real_protocol(tmp_path):
    pytest.importorskip("trax", reason="vot-trax is not installed")
    image, box = next(demo_frames(8))
    cv2.imwrite(str(tmp_path / "still.png"), image[..., ::-1])
    lines = [
        '@@TRAX:initialize "' + ",".join(map(str, box)) + '"',
        *[f'@@TRAX:frame "file://{tmp_path}/still.png"'] * 3,
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pgnet.integrations.vot", "--threads", "1"],
        input="\n".join([*lines, "@@TRAX:quit", ""]),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = [line for line in done.stdout.splitlines() if line.startswith("@@TRAX:")]
    assert [line.split()[0] for line in said] == ["@@TRAX:hello"] + ["@@TRAX:state"] * 3
    last = [float(value) for value in said[3].split('"')[1].split(",")]
    np.testing.assert_allclose(last, box, atol=15)
