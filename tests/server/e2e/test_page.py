"""The page as a person uses it: a real browser without a window, and a real `pgnet serve` that tracks with a model.

Where Chromium or Playwright is missing these tests are skipped, but fail where CI is set: there they have to run.
"""

import base64
import itertools
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from pgnet.boxes import iou
from pgnet.demo import FPS, HEIGHT, WIDTH, demo_frames
from pgnet.results import SourceInfo, TargetTrack, Track, formats
from pgnet.video.writer import VideoWriter

try:
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=120_000)
except ImportError:
    sync_playwright = None

FRAMES, LONG, BARS = 24, 480, 60
"""Of the clip to be tracked, within seconds; of the one that is not to the end; of the one with its frame numbers."""
TRACKED = re.compile(r"^(\d\d+|[3-9]) of")
"""Progress of a job that has begun."""


def more_than(frames: int) -> re.Pattern[str]:
    """Progress of a job that has done more frames than that."""
    return re.compile(rf"^({'|'.join(map(str, range(frames + 1, 2 * LONG)))}) of")


def lacking(what: str) -> None:
    message = f"{what} is missing; .ci/run installs it"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="module")
def chromium():
    """Debian's Chromium; nothing is downloaded."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        lacking("Chromium")
    if sync_playwright is None:
        lacking("Playwright")
    with sync_playwright() as playwright:
        # As root, as in a container, Chromium starts only without its sandbox.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def stone():
    """The first frames of the demo clip, each with the true box."""
    return list(itertools.islice(demo_frames(), FRAMES))


def write_clip(path: Path, images) -> Path:
    with VideoWriter(path, WIDTH, HEIGHT, fps=FPS) as video:
        for index, image in enumerate(images):
            video.write(image, index / FPS)
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory, stone):
    """A clip to track, and (FRAMES, 4) the true boxes."""
    path = write_clip(tmp_path_factory.mktemp("clip") / "stone.mp4", [image for image, _ in stone])
    return path, np.array([box for _, box in stone])


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory, stone):
    """Forth and back many times: still being tracked when something happens to it, on a fast machine, too."""
    there = [image for image, _ in stone]
    images = (there + there[::-1]) * (LONG // (2 * FRAMES))
    return write_clip(tmp_path_factory.mktemp("clip") / "long.mp4", images)


@pytest.fixture(scope="module")
def numbered(tmp_path_factory):
    """A clip with its frame numbers painted as eight black and white bars; uneven times, B-frames."""
    path = tmp_path_factory.mktemp("numbered") / "numbered.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"bf": "3", "g": "24", "crf": "12"})
        stream.width, stream.height, stream.pix_fmt = 320, 96, "yuv420p"
        stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
        pts = 0
        for number in range(BARS):
            picture = np.full((96, 320, 3), 128, np.uint8)
            for bit in range(8):
                picture[:, bit * 40 : bit * 40 + 40] = 235 if number >> bit & 1 else 20
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = pts, Fraction(1, 1000)
            pts += 20 + 37 * (number % 3)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


class Server:
    """`pgnet serve` in a process of its own, that can be killed and started again."""

    def __init__(self, data: Path, library: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data.with_suffix(".log")
        self.command = [sys.executable, "-m", "pgnet", "serve", "--port", str(self.port)]
        self.command += ["--data", str(data), "--library", str(library)]
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as log:
            # A group of its own: what it starts can be killed with it.
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, start_new_session=True)
        end = time.monotonic() + 180
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/api/info", timeout=60).close()
                return
            except (urllib.error.URLError, OSError):
                if self.process.poll() is not None or time.monotonic() > end:
                    pytest.fail(f"pgnet serve did not start:\n{self.log.read_text()}")
                time.sleep(0.1)

    def end(self, how: signal.Signals) -> None:
        os.killpg(self.process.pid, how)
        self.process.wait(30)


@pytest.fixture(scope="module")
def server(tmp_path_factory, numbered, chromium):
    folder = tmp_path_factory.mktemp("serve")
    library = folder / "library"
    library.mkdir()
    shutil.copy(numbered, library)
    running = Server(folder / "data", library)
    yield running
    running.end(signal.SIGTERM)


@pytest.fixture
def context(chromium):
    """One person's browser; what goes wrong in the page fails the test."""
    context = chromium.new_context(viewport={"width": 1366, "height": 768}, accept_downloads=True)
    context.set_default_timeout(120_000)
    wrong = []
    context.on("weberror", lambda error: wrong.append(str(error.error)))
    # A refused style, script or request is told on the console.
    context.on("console", lambda line: wrong.append(line.text) if "Content Security Policy" in line.text else None)
    yield context
    context.close()
    assert wrong == []


@pytest.fixture
def page(context, server):
    page = context.new_page()
    page.goto(server.url)
    return page


class Editor:
    """What a person does on the page of a video."""

    def __init__(self, page) -> None:
        self.page = page

    def ready(self) -> "Editor":
        self.page.wait_for_selector(".stage canvas[data-frame]")
        return self

    @property
    def frame(self) -> int:
        """On the screen, when the one that was asked for is there."""
        wanted = self.page.locator("[data-el=frame]").input_value()
        expect(self.page.locator(".stage canvas")).to_have_attribute("data-frame", wanted)
        return int(wanted)

    def go(self, frame: int) -> None:
        self.page.keyboard.press("g")
        self.page.keyboard.type(str(frame))
        self.page.keyboard.press("Enter")
        self.page.locator("input[data-el=frame]").blur()
        self.page.wait_for_selector(f".stage canvas[data-frame='{frame}']")

    def to_screen(self, x: float, y: float) -> tuple[float, float]:
        """Of a point of the frame, which is shown as a whole with a margin of 12 pixels."""
        canvas = self.page.locator(".stage canvas").bounding_box()
        scale = min((canvas["width"] - 24) / WIDTH, (canvas["height"] - 24) / HEIGHT)
        left = canvas["x"] + (canvas["width"] - scale * WIDTH) / 2
        top = canvas["y"] + (canvas["height"] - scale * HEIGHT) / 2
        return left + scale * x, top + scale * y

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """From one point of the frame to another."""
        mouse = self.page.mouse
        mouse.move(*self.to_screen(*start))
        mouse.down()
        mouse.move(*self.to_screen(*end), steps=5)
        mouse.up()

    def draw(self, box) -> None:
        x, y, w, h = box
        self.drag((x, y), (x + w, y + h))
        self.saved()

    def saved(self) -> None:
        expect(self.page.locator("[data-el=saved]")).to_have_text("All saved")

    def tracked(self) -> None:
        """Waits until no job is under way."""
        open_jobs = self.page.locator(
            ", ".join(f".job[data-state={state}]" for state in ("queued", "running", "paused"))
        )
        expect(open_jobs).to_have_count(0, timeout=120_000)

    @property
    def box(self) -> list[float]:
        """x, y, w, h of the selected target as the panel shows it."""
        return [float(side.input_value()) for side in self.page.locator(".panel .box input").all()]

    @property
    def state(self) -> str:
        """Of the selected target in the frame on the screen."""
        return self.page.locator("[data-el=selected-state]").get_attribute("data-state")

    def get(self, path: str):
        """What the server says, asked from the page."""
        return self.page.evaluate("path => fetch('/api' + path).then(answer => answer.json())", path)

    @property
    def id(self) -> int:
        return int(self.page.url.split("/videos/")[1].split("/")[0])

    def rows(self) -> dict[int, tuple[list[float], str, str]]:
        """frame -> box, state, by whom, of the only target."""
        (rows,) = self.get(f"/videos/{self.id}/rows")["targets"]
        frames = [n for first, count in rows["runs"] for n in range(first, first + count)]
        boxes = [rows["boxes"][4 * n : 4 * n + 4] for n in range(len(frames))]
        return dict(zip(frames, zip(boxes, rows["states"], rows["by"], strict=True), strict=True))


def drop(page, path: Path, name: str) -> None:
    """Drops a file on the page, as if it came from the desktop."""
    page.evaluate(
        """([data, name]) => {
            const bytes = Uint8Array.from(atob(data), c => c.charCodeAt(0));
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([bytes], name));
            document.querySelector('main').dispatchEvent(new DragEvent('drop', {dataTransfer, bubbles: true}));
        }""",
        [base64.b64encode(path.read_bytes()).decode(), name],
    )


@pytest.fixture
def editor(page, clip):
    """The page of the clip, dropped a moment ago."""
    page.wait_for_selector(".drop")
    drop(page, clip[0], "stone.mp4")
    return Editor(page).ready()


def seriously_inaccessible(page) -> list[str]:
    """What axe finds serious or critical."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    violations = axe.run(page).response["violations"]
    return [
        f"{one['id']}: {one['help']} {[node['target'] for node in one['nodes']]}"
        for one in violations
        if one["impact"] in ("serious", "critical")
    ]


def test_from_a_video_to_a_corrected_cvat_file(editor, page, clip, tmp_path):
    truth = clip[1]
    # Nothing is there yet, so the page waits for a box.
    assert page.locator(".hint").is_visible()
    assert page.locator("[data-el=no-targets]").is_visible()
    assert seriously_inaccessible(page) == []
    editor.draw(truth[0])
    assert editor.box == pytest.approx(truth[0], abs=1.5)
    page.keyboard.press("F2")
    page.keyboard.type("stone")
    page.keyboard.press("Enter")
    page.wait_for_selector(".targets .name:text-is('stone')")

    page.keyboard.press("t")
    page.wait_for_selector(".job")
    assert seriously_inaccessible(page) == []
    editor.tracked()
    rows = editor.rows()
    assert list(rows) == list(range(FRAMES))
    assert [by for _, _, by in rows.values()] == ["k"] + ["t"] * (FRAMES - 1)
    assert np.mean(iou(np.array([box for box, _, _ in rows.values()]), truth)) > 0.5

    # Corrections: a box that is moved, one that is drawn anew, a frame where the target is absent.
    editor.go(8)
    box = editor.box
    middle = (box[0] + box[2] / 2, box[1] + box[3] / 2)
    editor.drag(middle, (middle[0] + 6, middle[1] - 4))
    editor.saved()
    assert editor.box == pytest.approx([box[0] + 6, box[1] - 4, box[2], box[3]], abs=1)
    editor.tracked()
    before = editor.rows()
    editor.go(16)
    page.keyboard.press("b")
    editor.draw(truth[16])
    editor.tracked()
    after = editor.rows()
    # Only what lies beside the correction was tracked again.
    assert {n: after[n] for n in range(9)} == {n: before[n] for n in range(9)}
    assert after[16][2] == "k" and list(after) == list(range(FRAMES))
    editor.go(20)
    page.click(".panel [data-do=absent]")
    editor.saved()
    editor.tracked()
    assert editor.state == "absent"

    page.keyboard.press("e")
    page.wait_for_selector("dialog[open]")
    assert seriously_inaccessible(page) == []
    page.check("input[value=cvat]")
    with page.expect_download() as download:
        page.click("dialog .primary")
    page.wait_for_selector("dialog .good")
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    (target,) = formats.read(file).targets
    assert target.label == "stone"
    shown = editor.rows()
    read = dict(zip(target.frames.tolist(), zip(target.boxes, target.absent, strict=True), strict=True))
    for frame in (0, 8, 16):
        assert shown[frame][2] == "k"
        assert read[frame][0] == pytest.approx(shown[frame][0], abs=0.01) and not read[frame][1]
    assert read[20][1]
    page.keyboard.press("Escape")

    # All of it is there again after a reload, and the file can be imported.
    page.reload()
    editor.ready()
    assert editor.frame == 20
    assert editor.rows() == shown
    page.keyboard.press("i")
    page.set_input_files("dialog input[type=file]", file)
    page.click("dialog .primary")
    page.wait_for_selector("dialog .good")
    page.keyboard.press("Escape")
    expect(page.locator(".targets li")).to_have_count(2)
    page.keyboard.press("Control+z")
    expect(page.locator(".targets li")).to_have_count(1)


def test_undo_and_redo_from_the_keyboard(editor, page, clip):
    editor.draw(clip[1][0])
    box = editor.box
    page.keyboard.press("Alt+ArrowRight")
    page.keyboard.press("Alt+Shift+ArrowDown")
    moved = [box[0] + 1, box[1], box[2], box[3] + 1]
    assert editor.box == pytest.approx(moved)
    page.keyboard.press("Control+z")
    left = page.locator(".panel .box input").first
    expect(left).to_have_value(f"{box[0]:.1f}")
    assert editor.box == pytest.approx(box)
    page.keyboard.press("Control+Shift+z")
    expect(left).to_have_value(f"{moved[0]:.1f}")
    assert editor.rows()[0][0] == pytest.approx(moved, abs=0.06)
    page.keyboard.press("Delete")
    expect(page.locator(".targets li")).to_have_count(0)
    page.click("#toasts button:text-is('Undo')")
    page.wait_for_selector(".targets li")
    assert editor.rows()[0][0] == pytest.approx(moved, abs=0.06)


def test_a_box_that_cannot_be_sent_is_sent_later(editor, page, clip):
    editor.draw(clip[1][0])
    box = editor.box
    page.route("**/keyframes/**", lambda route: route.abort())
    page.keyboard.press("Alt+ArrowRight")
    expect(page.locator("[data-el=saved]")).to_have_text("Saving…")
    page.wait_for_timeout(1000)
    assert page.locator("[data-el=saved]").text_content() == "Saving…"
    page.unroute("**/keyframes/**")
    editor.saved()
    assert editor.rows()[0][0] == pytest.approx([box[0] + 1, *box[1:]], abs=0.06)


def test_a_second_tab_sees_the_same(page, context, stone, long_clip):
    page.wait_for_selector(".drop")
    page.set_input_files("input[type=file]", long_clip)
    editor = Editor(page).ready()
    other = context.new_page()
    other.goto(page.url)
    second = Editor(other).ready()
    editor.draw(stone[0][1])
    page.keyboard.press("n")
    editor.draw((400, 60, 70, 60))
    expect(other.locator(".targets li")).to_have_count(2)
    page.dblclick(".targets .name >> nth=1")
    page.keyboard.type("pebble")
    page.keyboard.press("Enter")
    other.click(".targets .name:text-is('pebble')")
    assert second.box == pytest.approx([400, 60, 70, 60], abs=1.5)

    # Both are tracked; paused in one tab, going on from the other.
    page.keyboard.press("t")
    progress = page.locator(".job .text")
    expect(progress).to_have_text(TRACKED)
    other.click(".job button:has-text('Pause')")
    page.wait_for_selector(".job[data-state=paused]")
    done = int(re.search(r"\d+", progress.text_content())[0])
    page.click(".job button:has-text('Go on')")
    expect(progress).to_have_text(more_than(done + 4))
    page.keyboard.press("s")
    other.wait_for_selector(".job[data-state=stopped]")
    # The boxes on both screens, not only the server's.
    for tab in (editor, second):
        tab.page.click(".targets .name:text-is('pebble')")
        tab.go(1)
    assert second.box == editor.box and editor.state != "no box"


def test_killed_in_the_middle_of_tracking(context, stone, long_clip, tmp_path):
    server = Server(tmp_path / "data", tmp_path)
    try:
        page = context.new_page()
        page.goto(server.url)
        page.wait_for_selector(".drop")
        page.set_input_files("input[type=file]", long_clip)
        editor = Editor(page).ready()
        editor.draw(stone[0][1])
        page.keyboard.press("t")
        progress = page.locator(".job .text")
        expect(progress).to_have_text(TRACKED)
        shown = int(progress.text_content().split()[0])
        server.end(signal.SIGKILL)
        page.wait_for_selector("#banner:not([hidden])")
        assert "saved" in page.locator("#banner").text_content()
        server.start()
        page.wait_for_selector("#banner", state="hidden")
        rows = editor.rows()
        assert shown < len(rows) < LONG
        # It goes on by itself, and nothing of what was there is lost.
        expect(progress).to_have_text(more_than(len(rows) + 2))
        after = editor.rows()
        assert all(after[n][1:] == rows[n][1:] for n in rows)
        # It went on from the last box, and tracked that frame once more.
        assert np.abs(np.array([after[n][0] for n in rows]) - [rows[n][0] for n in rows]).max() < 4
    finally:
        server.end(signal.SIGKILL)


NUMBER = """() => {
    const canvas = document.querySelector('.stage canvas');
    const ratio = devicePixelRatio;
    const scale = Math.min((canvas.clientWidth - 24) / 320, (canvas.clientHeight - 24) / 96);
    const left = (canvas.clientWidth - 320 * scale) / 2;
    const context = canvas.getContext('2d');
    let number = 0;
    for (let bit = 0; bit < 8; bit++) {
        const x = (left + (bit * 40 + 20) * scale) * ratio;
        number |= (context.getImageData(x, canvas.height / 2, 1, 1).data[1] > 128) << bit;
    }
    return [number, Number(canvas.dataset.frame)];
}"""
"""The number that is painted in the picture on the canvas, and the frame that the page says it is."""


def test_the_frame_on_the_screen_is_the_frame_of_the_file(page, numbered):
    count = BARS
    page.wait_for_selector(".drop")
    page.set_input_files("input[type=file]", numbered)
    editor = Editor(page).ready()
    page.keyboard.press("Escape")
    # A box would lie over the bars; the drawing mode's cross, too.
    rng = np.random.default_rng(3)
    for frame in [int(n) for n in rng.integers(0, count, 12)]:
        editor.go(frame)
        assert page.evaluate(NUMBER) == [frame, frame]
        for key, step in (("ArrowRight", 1), ("d", -1), ("Shift+ArrowLeft", -10)):
            to = min(max(editor.frame + step, 0), count - 1)
            page.keyboard.press(key)
            page.wait_for_selector(f".stage canvas[data-frame='{to}']")
            assert page.evaluate(NUMBER) == [to, to]
    page.keyboard.press("Home")
    page.wait_for_selector(".stage canvas[data-frame='0']")
    page.keyboard.press("Space")
    page.wait_for_selector(f".stage canvas[data-frame='{count - 1}']")
    assert page.evaluate(NUMBER) == [count - 1, count - 1]


def test_review_goes_through_what_is_doubtful(page, tmp_path):
    # Boxes with doubtful stretches are imported, so no model decides what is doubtful. The clip is the server's.
    page.click("[data-do=library]")
    page.click("dialog .files button")
    editor = Editor(page).ready()
    page.keyboard.press("Escape")
    states = ["present"] * 10 + ["uncertain"] * 4 + ["present"] * 16 + ["lost"] * 8 + ["present"] * 22
    sure = {"present": 0.99, "uncertain": 0.5, "lost": 0.02}
    target = TargetTrack(label="bar")
    for n, state in enumerate(states):
        target.append(n, n / FPS, (40, 20, 30, 40), state=state, presence=sure[state])
    file = tmp_path / "track.json"
    Track(SourceInfo("numbered.mp4", "video", 320, 96, FPS, BARS), targets=[target]).write_json(file)
    page.keyboard.press("i")
    page.set_input_files("dialog input[type=file]", file)
    page.click("dialog .primary")
    page.wait_for_selector("dialog .good")
    page.keyboard.press("Escape")

    looked_at = page.locator(".queue [aria-current]")
    expect(page.locator(".queue li").first).to_contain_text("frames 10")
    page.keyboard.press("r")
    expect(looked_at).to_contain_text("frames 10")
    assert 10 <= editor.frame < 14 and editor.state == "uncertain"
    settled = editor.frame
    page.keyboard.press("Enter")
    # That is a key frame now, and the page has gone on to where it is lost.
    expect(looked_at).to_contain_text("lost")
    assert editor.rows()[settled][1:] == ("p", "k")
    assert 30 <= editor.frame < 38 and editor.state == "lost"
    page.keyboard.press("a")
    editor.saved()
    assert "a" in [state for _, state, _ in editor.rows().values()]


def test_what_is_no_video_is_said(page, tmp_path):
    file = tmp_path / "notes.mp4"
    file.write_text("not a video")
    page.wait_for_selector(".drop")
    assert seriously_inaccessible(page) == []
    page.set_input_files("input[type=file]", file)
    message = page.locator(".message.bad p, .toast.error span").first
    message.wait_for()
    assert "cannot be read as a video" in message.text_content()


def test_every_key_is_listed_in_both_themes(editor, page):
    for _ in range(2):
        page.keyboard.press("?")
        page.wait_for_selector("dialog[open] .keys")
        assert seriously_inaccessible(page) == []
        keys = page.locator("dialog dl").all_text_contents()
        assert all(word in " ".join(keys) for word in ("Undo", "Track", "Next doubtful frame", "Draw a box"))
        page.keyboard.press("Escape")
        page.keyboard.press("u")
        assert seriously_inaccessible(page) == []


@pytest.mark.parametrize("size", [(1366, 768), (1024, 768), (820, 1180)])
def test_nothing_is_cut_off(editor, page, clip, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    editor.draw(clip[1][0]) if size[0] == 1366 else None
    for name in ("track", "export", "play", "draw", "undo"):
        box = page.locator(f"[data-do={name}]").first.bounding_box()
        assert box["x"] >= 0 and box["y"] >= 0
        assert box["x"] + box["width"] <= size[0] and box["y"] + box["height"] <= size[1], name
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
