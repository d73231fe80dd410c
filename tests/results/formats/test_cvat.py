import zipfile

import numpy as np
import pytest

from pgnet.errors import PgnetError
from pgnet.results import SourceInfo, TargetTrack, Track
from pgnet.results.formats import cvat, read, read_all

EXPORT = """<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta>
    <task>
      <id>7</id>
      <name>my task</name>
      <size>20</size>
      <mode>interpolation</mode>
      <overlap>5</overlap>
      <created>2025-06-01 12:00:00.000000+00:00</created>
      <start_frame>0</start_frame>
      <stop_frame>19</stop_frame>
      <frame_filter>{filter}</frame_filter>
      <segments><segment><id>7</id><start>0</start><stop>19</stop><url>http://localhost/?id=7</url></segment></segments>
      <owner><username>ann</username><email>ann@example.org</email></owner>
      <assignee></assignee>
      <labels>
        <label>
          <name>car</name>
          <color>#fa3253</color>
          <type>any</type>
          <attributes><attribute><name>model</name><input_type>text</input_type></attribute></attributes>
        </label>
      </labels>
      <original_size><width>1920</width><height>1080</height></original_size>
      <source>street.mp4</source>
    </task>
    <dumped>2025-06-01 12:00:00.000000+00:00</dumped>
  </meta>
  <track id="0" label="car" source="manual">
    <box frame="2" keyframe="1" outside="0" occluded="0" xtl="100.50" ytl="200.25" xbr="160.50" ybr="240.25">
      <attribute name="model">mazda</attribute>
    </box>
    <box frame="3" keyframe="0" outside="0" occluded="0" xtl="102.00" ytl="200.25" xbr="162.00" ybr="240.25">
      <attribute name="model">mazda</attribute>
    </box>
    <box frame="4" keyframe="1" outside="1" occluded="1" xtl="102.00" ytl="200.25" xbr="162.00" ybr="240.25">
    </box>
    <box frame="8" keyframe="1" outside="0" occluded="1" xtl="10.00" ytl="20.00" xbr="30.00" ybr="60.00"></box>
    <box frame="12" keyframe="1" outside="0" occluded="0" xtl="30.00" ytl="20.00" xbr="50.00" ybr="60.00"></box>
    <box frame="13" keyframe="1" outside="1" occluded="0" xtl="30.00" ytl="20.00" xbr="50.00" ybr="60.00"></box>
  </track>
  <track id="3" label="car" source="manual">
    <polygon frame="0" keyframe="1" outside="0" occluded="0" points="1,1;2,2;3,1"></polygon>
    <box frame="0" keyframe="1" outside="0" occluded="0" xtl="0" ytl="0" xbr="20" ybr="10" rotation="90.0"/>
  </track>
</annotations>
"""


@pytest.fixture
def export(tmp_path):
    path = tmp_path / "annotations.xml"
    path.write_text(EXPORT.format(filter=""))
    return path


def test_an_export_of_cvat(export):
    track = read(export)
    assert track.source == SourceInfo("street.mp4", "video", 1920, 1080, None, 20)
    first, second = track.targets
    assert (first.id, first.label, second.id) == (0, "car", 3)
    assert first.frames.tolist() == list(range(2, 14))
    assert first.boxes[0].tolist() == [100.5, 200.25, 60, 40]
    # Outside from frame 4 on until the next box; between key boxes CVAT moves evenly.
    assert first.frames[first.absent].tolist() == [4, 5, 6, 7, 13]
    assert first.boxes[first.frames == 10].tolist() == [[20, 20, 20, 40]]
    assert first.frames[first.keyframes].tolist() == [2, 4, 8, 12, 13]
    assert first.frames[first.occluded].tolist() == [4, 5, 6, 7, 8, 9, 10, 11]
    np.testing.assert_allclose(second.boxes[0], [5, -5, 10, 20])  # turned about its centre
    assert track.warnings == [
        "Left out, as it is no box: 1 polygon.",
        "Left out: 2 attributes of boxes.",
        "Taken as the upright box around it: 1 rotated box.",
    ]


def test_every_fifth_frame_is_not_filled_up(export):
    export.write_text(EXPORT.format(filter="step=5"))
    assert read(export).targets[0].frames.tolist() == [2, 3, 4, 8, 12, 13]


def test_the_zip_that_cvat_exports(export, tmp_path):
    with zipfile.ZipFile(tmp_path / "task.zip", "w") as archive:
        archive.write(export, "annotations.xml")
    assert len(read(tmp_path / "task.zip").targets) == 2
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme.txt", "")
    with pytest.raises(PgnetError, match=r"other.zip has no annotations.xml"):
        read(tmp_path / "other.zip")


def test_a_project_with_several_tasks(tmp_path):
    tasks = "".join(
        f"<task><id>{i}</id><name>task {i}</name><size>9</size><source>{name}</source></task>"
        for i, name in ((4, "a.mp4"), (5, "b.mp4"))
    )
    boxes = "".join(
        f'<track id="{i}" label="dog" task_id="{task}"><box frame="1" outside="0" occluded="0" keyframe="1" '
        f'xtl="{task}" ytl="2" xbr="9" ybr="9"/></track>'
        for i, task in ((0, 4), (1, 5))
    )
    path = tmp_path / "project.xml"
    path.write_text(f"<annotations><meta><project><tasks>{tasks}</tasks></project></meta>{boxes}</annotations>")
    assert [track.source.name for track in read_all(path)] == ["a.mp4", "b.mp4"]
    with pytest.raises(PgnetError, match=r"has 2 videos; choose one with --video-name: a.mp4, b.mp4"):
        read(path)
    assert read(path, video_name="b.mp4").boxes.tolist() == [[5, 2, 4, 7]]
    path.write_text(path.read_text().replace('task_id="5"', 'task_id="6"'))
    with pytest.raises(PgnetError, match="line 1: the track belongs to task 6, which <meta> does not have"):
        read(path)


def test_single_images_are_refused(tmp_path):
    path = tmp_path / "images.xml"
    path.write_text('<annotations>\n<image id="0" name="a.png" width="4" height="4"></image></annotations>')
    with pytest.raises(PgnetError, match=r"line 2: these are single images; export the task as 'CVAT for video 1.1'"):
        read(path)


def test_key_boxes_stay_and_others_become_key_boxes(tmp_path):
    """CVAT drops boxes that are no key boxes: only those that it finds itself may be none."""
    track = Track(SourceInfo("a.mp4", "video", 640, 360, 25.0, 10), targets=[TargetTrack(1, "dog"), TargetTrack(2)])
    for frame in range(7):
        track.targets[0].append(frame, frame / 25, (10 + 2 * frame, 5, 20, 20), keyframe=frame in (0, 3, 6))
        track.targets[1].append(frame, frame / 25, (10 + frame**2, 5, 20, 20), keyframe=frame in (0, 3, 6))
    notes = cvat.write(track, tmp_path / "a.xml")
    assert "4 boxes that no person set become keyframes" in " ".join(notes)
    even, curved = read(tmp_path / "a.xml").targets
    assert even.frames[even.keyframes].tolist() == [0, 3, 6, 7]  # and the end
    assert curved.frames[curved.keyframes].tolist() == list(range(8))
    assert 'label="object"' in (tmp_path / "a.xml").read_text()  # CVAT asks for one
    assert curved.label == ""
    assert [even.absent[-1], even.frames[-1]] == [True, 7]


def test_the_track_ends_with_the_video(tmp_path):
    track = Track(SourceInfo("a.mp4", "video", 640, 360, 25.0, 3))
    for frame in range(3):
        track.append(frame, frame / 25, (10, 5, 20, 20), 1)
    cvat.write(track, tmp_path / "a.xml")
    assert 'frame="3"' not in (tmp_path / "a.xml").read_text()  # CVAT refuses frames after the last


def test_what_the_tracker_lost_is_outside(tmp_path):
    track = Track(SourceInfo("a.mp4", "video", 640, 360, 25.0, 9))
    for frame in range(9):
        state = "lost" if 3 <= frame < 7 else "present"
        track.append(frame, frame / 25, (10 + frame, 5, 20, 20), 0.9 - frame / 10, presence=0.8, state=state)
    cvat.write(track, tmp_path / "a.xml")
    assert (tmp_path / "a.xml").read_text().count('outside="1"') == 1  # the first of them is enough
    back = read(tmp_path / "a.xml").target
    assert back.frames[back.absent].tolist() == [3, 4, 5, 6]
