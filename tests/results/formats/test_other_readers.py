"""What is written is read by the tools of others; each test needs its tool, see docs/formats.md for the versions."""

import json

import numpy as np
import pytest

from pgnet.results import ModelInfo, SourceInfo, TargetTrack, Track
from pgnet.results.formats import read, write

WIDTH, HEIGHT, COUNT = 640, 360, 12
KNOWN = SourceInfo("", "video", WIDTH, HEIGHT, 25.0)
WHY = "not installed; docs/formats.md says how the formats are checked with it"


def make(label="dog", more=True, model=None, score=1.0) -> Track:
    """Two targets in 12 frames; the first is absent in frames 4 and 5, the second begins in frame 3."""
    track = Track(SourceInfo("clip.mp4", "video", WIDTH, HEIGHT, 25.0, COUNT), model, targets=[TargetTrack(1, label)])
    for frame in range(10):
        flags = {"absent": frame in (4, 5), "occluded": frame == 3, "keyframe": frame in (0, 9)}
        track.targets[0].append(frame, frame / 25, (10.25 + 7 * frame, 20.5, 60, 40), score, **flags)
    if more:
        track.targets.append(TargetTrack(2, "car"))
        for frame in range(3, 9):
            track.targets[1].append(frame, frame / 25, (300, 100 + 3 * frame, 50.5, 25))
    return track


def visible(track: Track, frame: int) -> dict[int, list[float]]:
    """The boxes in a frame by target."""
    found = {}
    for target in track.targets:
        for at, box, absent in zip(target.frames, target.boxes.tolist(), target.absent, strict=True):
            if at == frame and not absent:
                found[target.id] = box
    return found


@pytest.fixture
def pictures(tmp_path):
    """A folder of grey frames 000000.jpg ..., for readers that open them."""
    import cv2

    folder = tmp_path / "pictures"
    folder.mkdir()
    for frame in range(COUNT):
        cv2.imwrite(str(folder / f"{frame:06d}.jpg"), np.full((HEIGHT, WIDTH, 3), 128, np.uint8))
    return folder


@pytest.mark.parametrize("library", ["pycocotools.coco", "faster_coco_eval"])
def test_coco(library, tmp_path):
    coco = pytest.importorskip(library, reason=WHY)
    track = make()
    write(track, tmp_path / "boxes.json", "coco")
    data = coco.COCO(str(tmp_path / "boxes.json"))
    assert {data.cats[c]["name"] for c in data.getCatIds()} == {"car", "dog"}
    assert len(data.getImgIds()) == 10
    for image in data.loadImgs(data.getImgIds()):
        found = {a["track_id"]: a["bbox"] for a in data.loadAnns(data.getAnnIds(imgIds=[image["id"]]))}
        assert found == visible(track, image["frame_id"])


def test_coco_as_results(tmp_path):
    """Scores come through COCO's own evaluation: a track against itself is perfect."""
    coco = pytest.importorskip("pycocotools.coco", reason=WHY)
    evaluation = pytest.importorskip("pycocotools.cocoeval")
    write(make(), tmp_path / "boxes.json", "coco")
    truth = coco.COCO(str(tmp_path / "boxes.json"))
    results = [
        {key: a[key] for key in ("image_id", "category_id", "bbox")} | {"score": 0.9}
        for a in json.loads((tmp_path / "boxes.json").read_text())["annotations"]
    ]
    run = evaluation.COCOeval(truth, truth.loadRes(results), "bbox")
    run.evaluate()
    run.accumulate()
    run.summarize()
    assert run.stats[0] == pytest.approx(1)


def test_mot_with_motmetrics(tmp_path):
    motmetrics = pytest.importorskip("motmetrics", reason=WHY)
    track = make()
    write(track, tmp_path / "seq", "mot")
    table = motmetrics.io.loadtxt(tmp_path / "seq" / "gt" / "gt.txt", fmt="mot16", min_confidence=1)
    assert len(table) == 8 + 6
    for (frame, target), row in table.iterrows():
        np.testing.assert_allclose(row[["X", "Y", "Width", "Height"]], visible(track, frame - 1)[target])


def test_mot_with_trackeval(tmp_path, capsys):
    """Ground truth and results of a tracker in the folders of MOTChallenge: HOTA of a track against itself is 1."""
    trackeval = pytest.importorskip("trackeval", reason=WHY)
    truth = tmp_path / "gt" / "MOT17-train"
    truth.mkdir(parents=True)
    write(make("pedestrian", more=False), truth / "clip", "mot")
    results = tmp_path / "trackers" / "MOT17-train" / "pgnet" / "data"
    results.mkdir(parents=True)
    tracked = make("", more=False, model=ModelInfo("pgnet-lite", "0"), score=0.75)
    write(tracked, results / "clip.txt", "mot")
    maps = tmp_path / "gt" / "seqmaps"
    maps.mkdir()
    (maps / "MOT17-train.txt").write_text("name\nclip\n")
    dataset = trackeval.datasets.MotChallenge2DBox(
        {
            "GT_FOLDER": str(tmp_path / "gt"),
            "TRACKERS_FOLDER": str(tmp_path / "trackers"),
            "SPLIT_TO_EVAL": "train",
            "PRINT_CONFIG": False,
        }
    )
    quiet = {"PRINT_RESULTS": False, "PRINT_CONFIG": False, "OUTPUT_SUMMARY": False, "OUTPUT_DETAILED": False}
    quiet |= {"PLOT_CURVES": False, "TIME_PROGRESS": False, "OUTPUT_EMPTY_CLASSES": False}
    scores, _ = trackeval.Evaluator(quiet).evaluate([dataset], [trackeval.metrics.HOTA({"PRINT_CONFIG": False})])
    found = scores["MotChallenge2DBox"]["pgnet"]["clip"]["pedestrian"]["HOTA"]
    assert found["HOTA"].mean() == pytest.approx(1)
    capsys.readouterr()


@pytest.mark.parametrize("name", ["cvat", "mot", "coco"])
def test_datumaro(name, tmp_path, pictures):
    datumaro = pytest.importorskip("datumaro", reason=WHY)
    track = make()
    path = tmp_path / "data"
    path.mkdir()
    if name == "cvat":
        write(track, path / "annotations.xml", name)
        data = datumaro.Dataset.import_from(str(path / "annotations.xml"), "cvat")
        frames = {item.attributes["frame"]: item for item in data}
    elif name == "mot":
        write(track, path / "seq", name)
        data = datumaro.Dataset.import_from(str(path / "seq"), "mot_seq")
        frames = {int(item.id) - 1: item for item in data}
        assert len(frames) == COUNT
    else:
        (path / "annotations").mkdir()
        pictures.rename(path / "images")
        write(track, path / "annotations" / "instances_default.json", name)
        data = datumaro.Dataset.import_from(str(path), "coco_instances")
        frames = {int(item.id.split("/")[-1]): item for item in data}
    shift = 1 if name == "mot" else 0
    names = [category.name for category in data.categories()[datumaro.AnnotationType.label].items]
    for frame, item in frames.items():
        boxes = [a for a in item.annotations if a.type == datumaro.AnnotationType.bbox]
        boxes = [a for a in boxes if not a.attributes.get("outside")]
        found = {int(a.attributes["track_id"]): [a.x - shift, a.y - shift, a.w, a.h] for a in boxes}
        expected = visible(track, frame)
        assert found.keys() == expected.keys()
        for number, box in found.items():
            np.testing.assert_allclose(box, expected[number], atol=0.01)
        assert {names[a.label] for a in boxes} == {("dog", "car")[number - 1] for number in expected}
        if frame == 3:
            assert [a.attributes["occluded"] for a in sorted(boxes, key=lambda a: a.x)] == [True, False]


def test_datumaro_writes_what_is_read(tmp_path, pictures):
    datumaro = pytest.importorskip("datumaro", reason=WHY)
    track = make()
    write(track, tmp_path / "seq", "mot")
    data = datumaro.Dataset.import_from(str(tmp_path / "seq"), "mot_seq")
    data.export(str(tmp_path / "again"), "mot_seq_gt")
    back = read(tmp_path / "again")
    for target, other in zip(track.targets, back.targets, strict=True):
        seen = ~target.absent
        np.testing.assert_array_equal(other.frames[~other.absent], target.frames[seen])
        np.testing.assert_allclose(other.boxes[~other.absent], target.boxes[seen], atol=0.01)
        assert other.label == target.label


def test_yolo_with_supervision(tmp_path, pictures):
    supervision = pytest.importorskip("supervision", reason=WHY)
    track = make(more=False)
    write(track, tmp_path / "yolo", "yolo")
    (tmp_path / "data.yaml").write_text("names: [dog]\nnc: 1\n")
    for path in list(pictures.iterdir()):
        path.rename(path.with_name(f"clip_{path.name}"))
    data = supervision.DetectionDataset.from_yolo(
        str(pictures), str(tmp_path / "yolo" / "labels"), str(tmp_path / "data.yaml")
    )
    for path, _, detections in data:
        expected = visible(track, int(path[-10:-4]))
        assert len(detections) == len(expected)
        for box in expected.values():
            x, y, w, h = box
            np.testing.assert_allclose(detections.xyxy[0], (x, y, x + w, y + h), atol=0.01)


def test_coco_with_supervision(tmp_path, pictures):
    supervision = pytest.importorskip("supervision", reason=WHY)
    track = make()
    write(track, tmp_path / "boxes.json", "coco")
    pictures.rename(tmp_path / "clip")
    data = supervision.DetectionDataset.from_coco(str(tmp_path), str(tmp_path / "boxes.json"))
    assert sum(len(detections) for _, _, detections in data) == 8 + 6
    assert sorted(data.classes) == ["car", "dog"]


@pytest.mark.parametrize("model", [None, ModelInfo("pgnet-lite", "0")])
def test_label_studio_takes_it(model, tmp_path):
    sdk = pytest.importorskip("label_studio_sdk.label_interface", reason=WHY)
    interface = sdk.LabelInterface(
        '<View><Labels name="videoLabels" toName="video"><Label value="dog"/><Label value="car"/></Labels>'
        '<Video name="video" value="$video"/><VideoRectangle name="box" toName="video"/></View>'
    )
    write(make(model=model), tmp_path / "tasks.json", "labelstudio")
    (task,) = json.loads((tmp_path / "tasks.json").read_text())
    if model is None:
        assert interface.validate_annotation(task["annotations"][0])
    else:
        assert interface.validate_prediction(task["predictions"][0], return_errors=True) == []


def test_label_studio(tmp_path):
    """Its own code finds the boxes between the key boxes, and where the target is away."""
    video = pytest.importorskip("label_studio_sdk._extensions.label_studio_tools.postprocessing.video", reason=WHY)
    track = make()
    write(track, tmp_path / "tasks.json", "labelstudio")
    (task,) = json.loads((tmp_path / "tasks.json").read_text())
    results = task["annotations"][0]["result"]
    for target, result in zip(track.targets, video.extract_key_frames(results), strict=True):
        assert result["value"]["labels"] == [target.label]
        boxes = {item["frame"] - 1: item for item in result["value"]["sequence"]}
        assert sorted(boxes) == target.frames[~target.absent].tolist()
        for frame, item in boxes.items():
            box = np.array([item[name] for name in ("x", "y", "width", "height")]) / 100
            expected = visible(track, frame)[target.id]
            np.testing.assert_allclose(box * (WIDTH, HEIGHT, WIDTH, HEIGHT), expected, atol=0.001)


@pytest.mark.parametrize("name", ["otb", "got10k", "vot"])
def test_got10k_toolkit(name, tmp_path, pictures):
    datasets = pytest.importorskip("got10k.datasets", reason=WHY)
    track = make(more=False)
    root = tmp_path / "root"
    if name == "got10k":
        folder, images = root / "val" / "clip", root / "val" / "clip"
        (root / "val").mkdir(parents=True)
        (root / "val" / "list.txt").write_text("clip\n")
    else:
        folder, images = root / "clip", root / "clip" / ("img" if name == "otb" else "")
        root.mkdir()
        (root / "list.txt").write_text("clip\n")
    write(track, folder, name)
    images.mkdir(exist_ok=True)
    for path in sorted(pictures.iterdir())[:10]:
        path.rename(images / path.name)
    if name == "otb":
        data = object.__new__(datasets.OTB)  # its constructor only takes the benchmark's own sequences
        data.seq_names = ["clip"]
        data.seq_dirs, data.anno_files = [str(folder)], [str(folder / "groundtruth_rect.txt")]
        frames, boxes = data[0]
    elif name == "got10k":
        frames, boxes, meta = datasets.GOT10k(str(root), "val", return_meta=True)[0]
        assert meta["object_class"] == "dog"
        assert meta["absence"].tolist() == track.target.absent.tolist()
    else:
        frames, boxes = datasets.VOT(str(root), 2018, anno_type="default", download=False)[0]
    assert len(frames) == len(boxes) == 10
    seen = ~track.target.absent
    expected = track.boxes[seen] + ((1, 1, 0, 0) if name == "otb" else 0)
    np.testing.assert_allclose(boxes[seen], expected, atol=0.001)


def test_vot_toolkit(tmp_path, pictures):
    common = pytest.importorskip("vot.dataset.common", reason=WHY)
    special = pytest.importorskip("vot.region").Special
    track = make()
    write(track, tmp_path / "clip", "vot")
    (tmp_path / "clip" / "color").mkdir()
    for number, path in enumerate(sorted(pictures.iterdir()), 1):
        path.rename(tmp_path / "clip" / "color" / f"{number:08d}.jpg")
    sequence = common.read_sequence(str(tmp_path / "clip"))
    assert len(sequence) == COUNT
    assert sequence.size == (WIDTH, HEIGHT)
    for target in track.targets:
        for frame, box, absent in zip(target.frames, target.boxes.tolist(), target.absent, strict=True):
            region = sequence.object(str(target.id), int(frame))
            found = None if isinstance(region, special) else [region.x, region.y, region.width, region.height]
            assert (found is None) == absent
            assert absent or found == pytest.approx(box, abs=0.001)
