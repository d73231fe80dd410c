import pytest

from pgnet.errors import PgnetError
from pgnet.training.adapters import clips

CVAT = """\
<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta><task><id>7</id><name>walk</name><size>6</size><mode>interpolation</mode>
    <original_size><width>64</width><height>48</height></original_size><source>walk.mp4</source></task></meta>
  <track id="0" label="dog" source="manual">
    <box frame="0" outside="0" occluded="0" keyframe="1" xtl="10" ytl="5" xbr="30" ybr="25" z_order="0"></box>
    <box frame="2" outside="0" occluded="0" keyframe="1" xtl="14" ytl="5" xbr="34" ybr="25" z_order="0"></box>
    <box frame="3" outside="1" occluded="0" keyframe="1" xtl="14" ytl="5" xbr="34" ybr="25" z_order="0"></box>
    <box frame="5" outside="0" occluded="1" keyframe="1" xtl="1" ytl="5" xbr="21" ybr="25" z_order="0"></box>
  </track>
  <track id="2" label="dog" source="manual">
    <box frame="4" outside="0" occluded="1" keyframe="1" xtl="0" ytl="0" xbr="8.5" ybr="9" z_order="0"></box>
  </track>
  <track id="1" label="dog" source="manual">
    <box frame="4" outside="0" occluded="0" keyframe="1" xtl="0" ytl="0" xbr="8.5" ybr="9" z_order="0"></box>
  </track>
</annotations>
"""
MOT = "1,3,11,6,20,20,1,1,1\n2,3,12,6,20,20,1,1,0.5\n3,3,13,6,20,20,0,1,1\n4,3,14,6,20,20,1,1,0\n"


def cvat_clip(folder, picture, names):
    for name in names:
        picture(folder / "images" / name)
    (folder / "annotations.xml").write_text(CVAT)


@pytest.mark.parametrize(
    ("name", "first"), [("frame_{:06d}.PNG", 0), ("frame_{:04d}.jpg", 1), ("{}.jpg", 0), ("{:05d}.jpg", 1)]
)
def test_cvat_tracks_get_their_frames(tmp_path, picture, name, first):
    """From CVAT's own export, from FFmpeg, which counts from 1, and from pictures without leading zeros."""
    cvat_clip(tmp_path / "walk", picture, [name.format(i + first) for i in range(12)])
    dog, other = clips.read(tmp_path).videos["clips"]
    assert (dog.name, dog.target, other.target) == ("walk", "0", "1")
    assert [t.path.name for t in dog] == [name.format(i + first) for i in range(3)]
    assert [t.box.tolist() for t in dog] == [[10, 5, 20, 20], [12, 5, 20, 20], [14, 5, 20, 20]]
    assert other[0].path.name == name.format(4 + first) and other[0].box.tolist() == [0, 0, 8.5, 9]


def test_pictures_without_numbers_are_taken_in_order(tmp_path, picture):
    cvat_clip(tmp_path, picture, [f"{letter}.jpg" for letter in "abcdef"])
    dog, _ = clips.read(tmp_path).videos["clips"]
    assert dog.name == tmp_path.name and [t.path.name for t in dog] == ["a.jpg", "b.jpg", "c.jpg"]


def test_mot_leaves_out_what_is_ignored_or_hidden(tmp_path, picture):
    folder = tmp_path / "MOT17-02"
    for i in range(1, 5):
        picture(folder / f"img1/{i:06d}.jpg")
    (folder / "gt").mkdir()
    (folder / "gt/gt.txt").write_text(MOT)
    (folder / "seqinfo.ini").write_text("[Sequence]\nname=MOT17-02\nimDir=img1\nframeRate=30\nseqLength=4\n")
    (video,) = clips.read(tmp_path).videos["clips"]
    assert (video.name, video.target) == ("MOT17-02", "3")
    assert [(t.path.name, t.box.tolist()) for t in video] == [
        ("000001.jpg", [10, 5, 20, 20]),
        ("000002.jpg", [11, 5, 20, 20]),
    ]


def test_what_is_wrong_with_a_clip_is_noted_with_its_file(tmp_path, picture):
    for clip in ("a", "b", "c"):
        cvat_clip(tmp_path / clip, picture, [f"frame_{i:06d}.png" for i in range(6)])
    (tmp_path / "a/images/frame_000002.png").unlink()
    (tmp_path / "b/annotations.xml").write_text(CVAT[:500])
    found = clips.read(tmp_path)
    assert {v.name for v in found.videos["clips"]} == {"c"}
    assert "lacks frame 2, which is annotated" in found.damaged[0] and str(tmp_path / "a/images") in found.damaged[0]
    assert "b/annotations.xml" in found.damaged[1]


def test_there_are_no_splits(tmp_path, picture):
    cvat_clip(tmp_path, picture, ["0.jpg"])
    with pytest.raises(PgnetError, match="no splits"):
        clips.read(tmp_path, "train")
