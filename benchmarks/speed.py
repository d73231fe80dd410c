"""Measure what docs/performance.md says about speed and memory, and print it as tables in Markdown.

    python benchmarks/speed.py --json speed.json

What is compared takes turns in one run, so that a machine that is slower for a while is slower for all; times are
medians. Comparisons with PyTorch and the profile of the network need the extra [train]. Integer models are looked for
below --int8 as NAME-int8.safetensors (`pgnet export NAME --int8 --calibrate FOLDER --out DIR`), or else by their name.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from itertools import cycle
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from pgnet import anchors
from pgnet.cli import run_script
from pgnet.crop import search_side, square_crop
from pgnet.demo import FPS, demo_frames
from pgnet.engine import Engine, Features, available_cores, load_engine
from pgnet.engine.choice import here
from pgnet.errors import PgnetError
from pgnet.files import atomic
from pgnet.models import ModelFile, resolve
from pgnet.tracking import MultiTracker, Tracker
from pgnet.tracking.colours import Colours, colours_in
from pgnet.tracking.postprocess import best_candidate, candidate_boxes, change_penalty, target_scores
from pgnet.tracking.presence import gather
from pgnet.video import VideoWriter, draw_prediction, open_source

Image = NDArray[np.uint8]
WIDTH, HEIGHT = 1280, 720
FRAMES = 48
"""Of the demo clip, which is cut where its target goes behind the trunk; they are played to and fro."""
ALWAYS = 1e9
"""The tracking option `near` with which every frame in which the target is present is searched in a small crop."""
LIBRARIES = ("onnxruntime", "opencv-contrib-python-headless", "numpy", "av", "torch", "openvino")


@dataclass
class Row:
    """One line of the table: a target and what was measured."""

    what: str
    measured: str
    target: str
    met: bool | None
    """None: nothing to be met, or not measured."""


@dataclass
class Part:
    """What one part of the measurements gives; kept in the JSON file."""

    rows: list[Row] = field(default_factory=list)
    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    """Head and lines by title."""
    times: dict[str, dict[str, float]] = field(default_factory=dict)
    """Milliseconds: median, best, and the number of times."""

    def keep(self, name: str, seconds: list[float]) -> float:
        """Note the times of something -> their median in milliseconds."""
        ms = 1000 * np.array(seconds)
        self.times[name] = {"median": float(np.median(ms)), "best": float(ms.min()), "times": len(ms)}
        return self.times[name]["median"]


@dataclass
class Setting:
    """What all parts share."""

    frames: list[Image]
    box: NDArray[np.float64]
    clip: Path
    """A video of them, to and fro."""
    clip_frames: int
    models: list[ModelFile]
    int8: dict[str, ModelFile]
    """By the name of the model they were made of."""
    threads: int
    quick: bool

    def rounds(self, full: int) -> int:
        return 2 if self.quick else full

    def tracker(self, model: ModelFile, engine: Engine | None = None, *, near: float | None = 0.0) -> Tracker:
        """On the first frame; `engine` and `near` replace the model's own. Without `near`, all crops are whole."""
        tracker = Tracker.load(model, threads=self.threads)
        tracker.engine = Timed(engine or tracker.engine)
        if near is not None:
            tracker.options = replace(tracker.options, near=near)
        tracker.init(self.frames[0], self.box)
        return tracker

    def play(self) -> Iterator[Image]:
        """The frames after the first, to and fro without end."""
        return cycle(self.frames[1:] + self.frames[-2:0:-1])


class Timed:
    """An engine that notes how long its searches take."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.seconds: list[float] = []

    def embed(self, template: Image) -> Features:
        return self.engine.embed(template)

    def search(self, features: Features, crop: Image) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        begin = time.perf_counter()
        out = self.engine.search(features, crop)
        self.seconds.append(time.perf_counter() - begin)
        return out


class Eager:
    """The network as PyTorch computes it when one calls it: no folding, no other memory layout, no compiler."""

    def __init__(self, model: ModelFile, threads: int) -> None:
        import torch

        from pgnet.nn.weights import load_model

        torch.set_num_threads(threads)
        self.net = load_model(model.path).eval()

    def embed(self, template: Image) -> Features:
        import torch

        with torch.no_grad():
            return [z.numpy() for z in self.net.embed(torch.from_numpy(template).permute(0, 3, 1, 2))]

    def search(self, features: Features, crop: Image) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        import torch

        with torch.no_grad():
            out = self.net.search([torch.from_numpy(z) for z in features], torch.from_numpy(crop).permute(0, 3, 1, 2))
            return out.cls.numpy(), out.reg.numpy()


def race(functions: dict[str, Callable[[], object]], rounds: int, turn: int = 1) -> dict[str, list[float]]:
    """Seconds of each call; in each round everyone has its turn: once to get going, then `turn` times on the clock."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            function()
            for _ in range(turn):
                begin = time.perf_counter()
                function()
                times[name].append(time.perf_counter() - begin)
    return times


def updates(tracker: Tracker | MultiTracker, setting: Setting) -> Callable[[], object]:
    """One `update` with the next frame at each call."""
    frames = setting.play()
    return lambda: tracker.update(next(frames))


def track(setting: Setting, model: ModelFile, *options: object) -> str:
    """Run `pgnet track` on the clip -> what it printed."""
    box = ",".join(f"{v:g}" for v in setting.box)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pgnet", "track", setting.clip, "--box", box, "--model", model.path]
        command += ["--threads", setting.threads, "--out", folder, *options]
        return subprocess.run([*map(str, command)], check=True, capture_output=True, text=True).stdout


# --- the parts --------------------------------------------------------------------------------------------------------


def update(setting: Setting) -> Part:
    """Whole `update()` of each model: against PyTorch, the processor's matrix product, integers and CSRT."""
    part = Part()
    for model in setting.models:
        _update(setting, model, part)
    return part


def _update(setting: Setting, model: ModelFile, part: Part) -> None:
    name = model.name
    trackers = {name: setting.tracker(model), f"{name}, small crops": setting.tracker(model, near=ALWAYS)}
    if find_spec("torch"):
        trackers[f"{name}, eager PyTorch"] = setting.tracker(model, Eager(model, setting.threads))
    if integer := setting.int8.get(name):
        trackers[f"{name} int8"] = setting.tracker(integer)
        trackers[f"{name} int8, small crops"] = setting.tracker(integer, near=ALWAYS)
    functions = {key: updates(tracker, setting) for key, tracker in trackers.items()}
    if find_spec("torch"):
        import torch

        a, b = torch.rand(2048, 2048), torch.rand(2048, 2048)
        functions["torch.mm"] = lambda: torch.mm(a, b)
    if name == "pgnet-lite":
        functions["CSRT"] = _csrt(setting)
    large = name == "pgnet-r50"
    times = race(functions, setting.rounds(12 if large else 40), 1 if large else 3)
    ms = {key: part.keep(key, seconds) for key, seconds in times.items()}
    whole, search = _inside(trackers[name], functions[name], setting.rounds(10 if large else 60))
    part.keep(f"{name}: search", search)
    around = part.keep(f"{name}: around the network", [a - b for a, b in zip(whole, search, strict=True)])

    def ratio(slow: str, fast: str, target: float, what: str, *, note: str = "") -> None:
        if slow in ms and fast in ms:
            value = ms[slow] / ms[fast]
            part.rows.append(
                Row(
                    what,
                    f"{value:.2f}x ({ms[slow]:.1f} ms against {ms[fast]:.1f}){note}",
                    f"{target}x",
                    value >= target,
                )
            )

    ratio(f"{name}, eager PyTorch", name, 1.35, f"`{name}` `update()` against eager PyTorch")
    if "torch.mm" in ms and large:
        own = _gflop(model) / part.times[f"{name}: search"]["median"] * 1000
        product = 2 * 2048**3 / 1e9 / ms["torch.mm"] * 1000
        measured = f"{own:.0f} GFLOP/s against {product:.0f}"
        part.rows.append(
            Row(f"`{name}`: rate of the search against `torch.mm` 2048", measured, "as much", own >= product)
        )
    part.tables[f"{name}: `update()`, by the search crop"] = [
        ["", "whole", "small"],
        *([key, f"{ms[key]:.1f}", f"{ms[f'{key}, small crops']:.1f}"] for key in (name, f"{name} int8") if key in ms),
    ]
    ratio(name, f"{name} int8", 1.75 if large else 1.4, f"`{name}` int8 against fp32")
    ratio("CSRT", name, 1.4, f"`{name}` against OpenCV's CSRT, 720p")
    if f"{name} int8" in ms and not large:
        rate = 1000 / ms[f"{name} int8"]
        part.rows.append(Row(f"`{name}` int8, 720p", f"{rate:.0f} frames/s", "60 frames/s", rate >= 60))
    share = around / (1000 * np.median(whole))
    part.rows.append(
        Row(
            f"`{name}`: everything around the network",
            f"{around:.2f} ms, {share:.1%} of `update()`",
            "1 ms" + (" and 5%" if large else ""),
            bool(around < 1 and (share < 0.05 or not large)),
        )
    )


def _inside(tracker: Tracker, step: Callable[[], object], count: int) -> tuple[list[float], list[float]]:
    """Seconds of `count` updates, and those of the network in each."""
    assert isinstance(tracker.engine, Timed)
    whole, search = [], []
    for _ in range(count):
        begin = time.perf_counter()
        step()
        whole.append(time.perf_counter() - begin)
        search.append(tracker.engine.seconds[-1])
    return whole, search


def _gflop(model: ModelFile) -> float:
    from pgnet.nn import MODELS
    from pgnet.nn.summary import rows

    return 2e-9 * sum(row.macs for row in rows(MODELS[model.metadata["architecture"]["model"]]()) if row.search)


def _csrt(setting: Setting) -> Callable[[], object]:
    tracker = cv2.TrackerCSRT_create()
    cv2.setNumThreads(setting.threads)
    bgr = [np.ascontiguousarray(frame[..., ::-1]) for frame in setting.frames]
    tracker.init(bgr[0], [round(v) for v in setting.box])
    frames = cycle(bgr[1:] + bgr[-2:0:-1])
    return lambda: tracker.update(next(frames))


def profile(setting: Setting) -> Part:
    """Where the time of one `update()` goes."""
    part = Part()
    for model in setting.models:
        part.tables[f"{model.name}: one `update()`"] = _around(setting, model, part)
        if find_spec("onnx"):
            part.tables[f"{model.name}: the network"] = _network(setting, model)
    return part


def _around(setting: Setting, model: ModelFile, part: Part) -> list[list[str]]:
    tracker = setting.tracker(model)
    grid, options, presence = anchors.grid(), tracker.options, tracker.presence
    x, y, w, h = setting.box
    side, centre = search_side(w, h, options.context), (x + w / 2, y + h / 2)
    scale = anchors.SEARCH_SIZE / side
    size = (w * scale, h * scale)
    frame, fill = setting.frames[1], (0.0, 0.0, 0.0)
    features = tracker.engine.embed(square_crop(frame, *centre, side / 2, anchors.TEMPLATE_SIZE, fill)[None])
    crop = square_crop(frame, *centre, side, anchors.SEARCH_SIZE, fill)[None]
    cls, reg = (out[0] for out in tracker.engine.search(features, crop))
    boxes, best = candidate_boxes(grid, reg), best_candidate(cls, reg, grid, size, options)
    middle, extent = np.array(centre), np.array((w, h))
    colours = Colours.of(setting.frames[0], middle, extent)

    def believe() -> float:
        likeness = colours.likeness(colours_in(frame, middle, extent))
        return presence.probability(gather(best, likeness))

    functions: dict[str, Callable[[], object]] = {
        "crop": lambda: square_crop(frame, *centre, side, anchors.SEARCH_SIZE, fill),
        "network": lambda: tracker.engine.search(features, crop),
        "scores and candidates decoded": lambda: (target_scores(cls), candidate_boxes(grid, reg)),
        "penalty": lambda: change_penalty(boxes, *size, options.penalty_k),
        "all post-processing": lambda: best_candidate(cls, reg, grid, size, options),
        "presence, colours": believe,
        "whole update()": updates(tracker, setting),
    }
    # The small ones apart: after a network, everything is out of the caches.
    large = ("network", "whole update()")
    times = race({key: functions[key] for key in large}, setting.rounds(12))
    times |= race({key: functions[key] for key in functions if key not in large}, setting.rounds(12), 5)
    ms = {key: part.keep(f"{model.name}: {key}", times[key]) for key in functions}
    return [["step", "ms"], *([key, f"{value:.3f}"] for key, value in ms.items())]


def _network(setting: Setting, model: ModelFile) -> list[list[str]]:
    """Milliseconds of each part of the network, as ONNX Runtime's own profiler sees them."""
    import onnxruntime

    from pgnet.engine.onnx import session_options

    options = session_options(setting.threads)
    options.enable_profiling = True
    runs = setting.rounds(12)
    with tempfile.TemporaryDirectory() as folder:
        options.profile_file_prefix = str(Path(folder, "profile"))
        session = onnxruntime.InferenceSession(model.graph("search"), options, providers=["CPUExecutionProvider"])
        rng = np.random.default_rng(0)
        crop = rng.integers(0, 256, (1, anchors.SEARCH_SIZE, anchors.SEARCH_SIZE, 3), np.uint8)
        inputs = {value.name: value.shape for value in session.get_inputs()}
        feeds = {"crop": crop}
        feeds |= {z: rng.random((1, *shape[1:]), np.float32) for z, shape in inputs.items() if z != "crop"}
        for _ in range(runs):
            session.run(None, feeds)
        events = json.loads(Path(session.end_profiling()).read_text())
    part_of = _parts(model.graph("search"))
    spent: dict[str, list[float]] = defaultdict(list)
    for event in events:
        name, suffix, _ = event["name"].rpartition("_kernel_time")
        if event["cat"] == "Node" and suffix:
            spent[name].append(event["dur"] / 1000)
    total: dict[str, float] = defaultdict(float)
    for name, values in spent.items():
        key = name.split("/")[0].removesuffix("_nchwc")
        total[part_of.get(key, "changes of memory layout")] += float(np.median(values))
    whole = sum(total.values())
    order = [*dict.fromkeys(part_of.values()), "changes of memory layout"]
    lines = [[key, f"{total[key]:.2f}", f"{total[key] / whole:.1%}"] for key in order if key in total]
    return [["part", "ms", "share"], *lines, ["all", f"{whole:.2f}", "100%"]]


def _parts(graph: Path) -> dict[str, str]:
    """The part of the network that each node, and each node's output, belongs to."""
    import onnx

    def part(weight: str) -> str:
        words = weight.removeprefix("net.").split(".")
        if words[0] == "backbone":
            return "stem" if words[1] == "conv1" else f"Block {int(words[2]) + 1}"
        if words[0] == "levels":
            kind = words[2]
            return {"adjust": "adjusted layers", "shared": "shared convolutions"}.get(kind, "heads")
        return "enhanced detection"

    found: dict[str, str] = {}
    template = {f"z{i}" for i in range(9)}
    for node in onnx.load(graph, load_external_data=False).graph.node:
        weight = next((name for name in node.input[1:] if name.startswith("net.") and name.endswith(".weight")), None)
        if weight and node.op_type == "Conv":
            own = part(weight)
        elif template & set(node.input):  # PG-Corr and what only moves its numbers
            own = "PG-Corr"
        else:
            own = next((found[name] for name in node.input if name in found), "stem")
        if own == "PG-Corr":
            template |= set(node.output)
        found[node.name] = own
        found.update(dict.fromkeys(node.output, own))
    return found


def engines(setting: Setting) -> Part:
    """One search with each engine that is installed, on the processor; half precision where it has that."""
    part = Part()
    for model in setting.models:
        functions: dict[str, Callable[[], object]] = {}
        for choice in here():
            try:
                if choice.device == "cpu":
                    engine = load_engine(model, choice.engine, "cpu", setting.threads, half=choice.half)
                    functions[choice.engine + (", half precision" if choice.half else "")] = _search(engine)
            except PgnetError:  # no half precision
                continue
        times = race(functions, setting.rounds(8 if model.name == "pgnet-r50" else 30))
        ms = {key: part.keep(f"{model.name}: {key}", seconds) for key, seconds in times.items()}
        part.tables[f"{model.name}: one search"] = [["engine", "ms"], *([key, f"{v:.1f}"] for key, v in ms.items())]
    return part


def _search(engine: Engine) -> Callable[[], object]:
    rng = np.random.default_rng(0)
    template, crop = (
        rng.integers(0, 256, (1, s, s, 3), np.uint8) for s in (anchors.TEMPLATE_SIZE, anchors.SEARCH_SIZE)
    )
    features = engine.embed(template)
    return lambda: engine.search(features, crop)


def video(setting: Setting) -> Part:
    """Reading, tracking, drawing and encoding, against the tracker alone on frames that are in memory."""
    part = Part()
    for model in setting.models:
        alone = setting.tracker(model, near=None)
        step = updates(alone, setting)
        end = 8 if setting.quick else 60 if model.name == "pgnet-r50" else setting.clip_frames
        whole, bare = [], []
        for _ in range(setting.rounds(3)):
            printed = track(setting, model, "--end", end)
            match = re.search(r"([\d.]+) frames per second", printed)
            assert match, printed
            whole.append(1 / float(match[1]))
            begin = time.perf_counter()
            alone.init(setting.frames[0], setting.box)
            for _ in range(end - 1):
                step()
            bare.append((time.perf_counter() - begin) / end)
        ms = part.keep(f"{model.name}: a frame of the whole", whole), part.keep(f"{model.name}: of it alone", bare)
        ratio = ms[1] / ms[0]
        measured = f"{ratio:.2f}x ({1000 / ms[0]:.1f} frames/s against {1000 / ms[1]:.1f})"
        part.rows.append(
            Row(f"`{model.name}`: read, track, draw, encode 720p", measured, "0.9x of the tracker alone", ratio >= 0.9)
        )
    part.tables["Video, each on its own, of the 720p clip"] = _video_steps(setting, part)
    return part


def _video_steps(setting: Setting, part: Part) -> list[list[str]]:
    """Processor time of a frame: what the cores have to share with the network."""
    count = 8 if setting.quick else setting.clip_frames

    def read() -> None:
        with open_source(setting.clip, end=count) as source:
            for _ in source:
                pass

    def draw() -> None:
        for i in range(count):
            draw_prediction(setting.frames[i % FRAMES], setting.box, 0.9, i)

    def encode() -> None:
        with tempfile.TemporaryDirectory() as folder, VideoWriter(Path(folder, "out.mp4"), WIDTH, HEIGHT) as writer:
            for i in range(count):
                writer.write(setting.frames[i % FRAMES], i / FPS)

    lines = [["step", "ms", "ms of processor time"]]
    for name, function in {"read, decode": read, "draw": draw, "encode": encode}.items():
        begin, processor = time.perf_counter(), time.process_time()
        function()
        seconds, cpu = (time.perf_counter() - begin) / count, (time.process_time() - processor) / count
        lines.append([name, f"{part.keep(name, [seconds]):.2f}", f"{1000 * cpu:.2f}"])
    return lines


def targets(setting: Setting) -> Part:
    """What more targets in one video cost."""
    part = Part()
    for model in setting.models:
        counts = (1, 2) if setting.quick else (1, 2, 4) if model.name == "pgnet-r50" else (1, 2, 4, 8)
        engine = Tracker.load(model, threads=setting.threads)
        functions = {}
        for count in counts:
            several = MultiTracker(engine.engine, engine.options)
            for i in range(count):
                several.start(i, setting.frames[0], setting.box + [i, 0, 0, 0])
            functions[str(count)] = updates(several, setting)
        times = race(functions, setting.rounds(5 if model.name == "pgnet-r50" else 30))
        ms = {int(key): part.keep(f"{model.name}: {key} targets", seconds) for key, seconds in times.items()}
        most = counts[-1]
        extra = (ms[most] - ms[1]) / (most - 1) / ms[1]
        measured = f"{extra:.2f}x ({ms[1]:.1f} ms for one, {ms[most]:.1f} for {most})"
        lite = model.name == "pgnet-lite"
        part.rows.append(
            Row(
                f"`{model.name}`: each further target, of the first",
                measured,
                "0.8x" if lite else "",
                extra < 0.8 if lite else None,
            )
        )
    return part


def start(setting: Setting) -> Part:
    """`pgnet track` from its start to its end after two frames, the files in the system's cache."""
    part = Part()
    for model in setting.models:

        def run(model: ModelFile = model) -> None:
            track(setting, model, "--end", 2, "--no-video")

        ms = part.keep(f"{model.name}: start", race({"run": run}, setting.rounds(5))["run"])
        lite = model.name == "pgnet-lite"
        part.rows.append(
            Row(
                f"`{model.name}`: `pgnet track` of two frames, from start to end",
                f"{ms / 1000:.2f} s",
                "2 s" if lite else "",
                ms < 2000 if lite else None,
            )
        )
    return part


MEMORY = """
import resource, sys
import numpy as np
from pgnet.tracking import Tracker
frames = np.load(sys.argv[1])
tracker = Tracker.load(sys.argv[2], threads=int(sys.argv[3]))
tracker.init(frames[0], [float(v) for v in sys.argv[4].split(",")])
unit = 1 if sys.platform == "darwin" else 1024
count = int(sys.argv[5])
for i in range(count):
    tracker.update(frames[i % len(frames)])
    if i in (count // 10, count - 1):
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
"""


def memory(setting: Setting) -> Part:
    """Peak resident memory of a process that tracks in 720p frames, after a tenth of them and at the end."""
    part = Part()
    if sys.platform == "win32":
        return part
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "frames.npy")
        np.save(file, np.stack(setting.frames[:4]))
        for model in setting.models:
            lite = model.name == "pgnet-lite"
            count = 10 if setting.quick else 10_000 if lite else 200
            arguments = [file, model.path, setting.threads, ",".join(map(str, setting.box)), count]
            done = subprocess.run(
                [sys.executable, "-c", MEMORY, *map(str, arguments)], check=True, capture_output=True, text=True
            )
            early, late = (int(line) / 2**20 for line in done.stdout.split())
            limit = 350 if lite else 1200
            measured = f"{late:.0f} MB at the peak, {late - early:.1f} MB of it after frame {count // 10} of {count}"
            part.rows.append(
                Row(f"`{model.name}`: memory", measured, f"{limit} MB, flat", late < limit and late - early < 5)
            )
    return part


PARTS: dict[str, Callable[[Setting], Part]] = {
    "update": update,
    "profile": profile,
    "engines": engines,
    "video": video,
    "targets": targets,
    "start": start,
    "memory": memory,
}


# --- around them ------------------------------------------------------------------------------------------------------


def make_clip(folder: Path, count: int) -> tuple[list[Image], NDArray[np.float64], Path]:
    """The demo clip's beginning in 720p -> its frames, the first box, and a video of `count` frames, to and fro."""
    frames, boxes = [], []
    for image, box in demo_frames():
        frames.append(np.asarray(cv2.resize(image, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8))
        boxes.append(2 * box)
        if len(frames) == FRAMES:
            break
    path = folder / "clip.mp4"
    order = cycle([*range(FRAMES), *range(FRAMES - 2, 0, -1)])
    with VideoWriter(path, WIDTH, HEIGHT, fps=FPS) as writer:
        for i in range(count):
            writer.write(frames[next(order)], i / FPS)
    return frames, boxes[0], path


def environment(threads: int) -> dict[str, Any]:
    """What the numbers depend on; no names of hosts."""
    flags: list[str] = []
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").is_file():
        facts = dict(
            tuple(map(str.strip, line.split(":", 1)))  # type: ignore[misc]
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if ":" in line
        )
        model = f"{facts.get('model name', model)}, family {facts.get('cpu family')}, model {facts.get('model')}"
        wanted = ("avx2", "fma", "avx512f", "avx_vnni", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16")
        flags = [flag for flag in wanted if flag in facts.get("flags", "").split()]
    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "processor": model,
        "instructions": flags,
        "cores": available_cores(),
        "threads": threads,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "libraries": versions,
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
    }


def table(lines: list[list[str]]) -> str:
    """Markdown; the first line is the head."""
    head, *rest = lines
    ruled = [head, ["---", *["---:" if len(head) < 4 else "---"] * (len(head) - 1)], *rest]
    return "\n".join("| " + " | ".join(line) + " |" for line in ruled)


def report(record: dict[str, Any]) -> str:
    """All that was measured, as Markdown."""
    env = record["environment"]
    libraries = ", ".join(f"{name} {number}" for name, number in env["libraries"].items())
    out = [
        f"`{record['command']}`, {env['date']}, {env['threads']} threads on {env['cores']} cores of {env['processor']} "
        f"({', '.join(env['instructions'])}), {env['system']}, Python {env['python']}, {libraries}."
    ]
    lines = [["what", "measured", "target", "met"]]
    words = {True: "yes", False: "**no**", None: ""}
    parts = [record["parts"][name] for name in PARTS if name in record["parts"]]
    lines += [
        [row["what"], row["measured"], row["target"], words[row["met"]]] for part in parts for row in part["rows"]
    ]
    out.append(table(lines))
    out += [f"{title}\n\n{table(lines)}" for part in parts for title, lines in part["tables"].items()]
    return "\n\n".join(out)


def find_int8(model: ModelFile, folder: Path | None) -> ModelFile | None:
    name = f"{model.name}-int8"
    try:
        return resolve(folder / f"{name}.safetensors" if folder else name)
    except PgnetError:
        return None


def main(
    models: Annotated[str, typer.Option(help="Names or paths, comma-separated.")] = "pgnet-r50,pgnet-lite",
    int8: Annotated[Path | None, typer.Option(metavar="DIR", help="Where the integer models are.")] = None,
    parts: Annotated[str, typer.Option(help="Only these, comma-separated.")] = ",".join(PARTS),
    threads: Annotated[int | None, typer.Option(min=1, help="Threads; by default all physical cores.")] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write it all to this file; parts that it has already stay in it.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A few frames each: does it work at all?")] = False,
) -> None:
    """Measure speed and memory and print them as tables."""
    if unknown := set(parts.split(",")) - set(PARTS):
        raise PgnetError(f"There is no part {', '.join(sorted(unknown))}; the parts are {', '.join(PARTS)}.")
    files = [resolve(name) for name in models.split(",")]
    threads = threads or available_cores()
    with tempfile.TemporaryDirectory() as folder:
        count = 10 if quick else 240
        frames, box, clip = make_clip(Path(folder), count)
        found = {file.name: integer for file in files if (integer := find_int8(file, int8))}
        setting = Setting(frames, box, clip, count, files, found, threads, quick)
        record: dict[str, Any] = {"parts": {}}
        if json_file and json_file.is_file():
            record = json.loads(json_file.read_text())
        record["environment"] = environment(threads)
        arguments = sys.argv[1:]
        record["command"] = " ".join(["python", "benchmarks/speed.py", *arguments])
        for name in PARTS:
            if name in parts.split(","):
                print(f"measuring: {name}", file=sys.stderr)
                record["parts"][name] = asdict(PARTS[name](setting))
                if json_file:
                    with atomic(json_file) as temporary:
                        temporary.write_text(json.dumps(record, indent=1) + "\n")
    print(report(record))


if __name__ == "__main__":
    run_script(main)
