import pytest

from pgnet.cli.boxes import Given, check_boxes, combine, last_frame, parse_given, parse_place, read_boxes
from pgnet.errors import PgnetError
from pgnet.results import SourceInfo
from pgnet.results.marks import Marks

A, B, C = (10.0, 20.0, 30.0, 40.0), (50.0, 20.0, 30.0, 40.0), (70.0, 20.0, 30.0, 40.0)
FIRST, LAST = 5, 99


def targets(*texts, known=()):
    found = combine([parse_given(text) for text in texts], known, FIRST, LAST)
    return {(target.id, target.label): target.keyframes for target in found}


def text(box):
    return ",".join(f"{v:g}" for v in box)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("10,20,30,40", Given("10,20,30,40", "", None, A)),
        ("120:10,20,30,40", Given("120:10,20,30,40", "", 120, A)),
        ("dog@10, 20, 30, 40", Given("dog@10, 20, 30, 40", "dog", None, A)),
        ("red car: 2@120:10,20,30,40", Given("red car: 2@120:10,20,30,40", "red car: 2", 120, A)),
        ("a@b@7:absent", Given("a@b@7:absent", "a@b", 7, None)),
    ],
)
def test_one_option(said, expected):
    assert parse_given(said) == expected


@pytest.mark.parametrize(
    "said",
    [
        "",
        "1,2,3",
        "1,2,3,4,5",
        "@1,2,3,4",
        "dog@",
        "dog@absent",
        "x:1,2,3,4",
        "-3:1,2,3,4",
        "dog:7@absent",
        "a\n@1,2,3,4",
    ],
)
def test_other_forms_are_refused_with_an_example(said):
    with pytest.raises(PgnetError, match=r"--box takes .*dog@250:120,80,64,48"):
        parse_given(said)


@pytest.mark.parametrize(
    ("said", "who", "frame"),
    [("120", "", 120), ("2@0", "2", 0), ("red car: 2@7", "red car: 2", 7), ("a@b@7", "a@b", 7)],
)
def test_a_frame_to_confirm_or_remove(said, who, frame):
    assert parse_place(said, "--remove") == Given(said, who, frame, option="--remove")


@pytest.mark.parametrize("said", ["", "-3", "2.5s", "dog", "@7", " @7", "dog@", "7:absent", "7:1,2,3,4", "a\n@7"])
def test_what_is_no_frame_is_refused_with_an_example(said):
    with pytest.raises(PgnetError, match=r"--confirm takes a frame, .*dog@250"):
        parse_place(said, "--confirm")


def test_boxes_without_a_frame_are_targets_of_their_own():
    assert targets(text(A), text(B)) == {(1, ""): {5: A}, (2, ""): {5: B}}


def test_a_box_with_a_frame_corrects_the_only_target():
    assert targets(f"50:{text(B)}", text(A), "60:absent") == {(1, ""): {5: A, 50: B, 60: None}}
    assert targets(f"50:{text(B)}") == {(1, ""): {50: B}}  # it comes later


def test_names_and_numbers_say_whose_box_it_is():
    assert targets(f"dog@{text(A)}", f"cat@30:{text(B)}", f"dog@40:{text(C)}", "2@50:absent") == {
        (1, "dog"): {5: A, 40: C},
        (2, "cat"): {30: B, 50: None},
    }


def test_numbers_that_are_taken_are_not_given_to_others():
    assert targets(text(A), f"1@{text(B)}", f"7@{text(C)}") == {(1, ""): {5: B}, (2, ""): {5: A}, (7, ""): {5: C}}


def test_options_add_to_a_file():
    known = [Marks(3, "dog", {5: A})]
    assert targets(f"dog@20:{text(B)}", text(C), known=known) == {(3, "dog"): {5: A, 20: B}, (1, ""): {5: C}}


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ([text(A), text(B), f"50:{text(C)}"], r"--box 50:.*several targets.*NAME@"),
        ([f"dog@{text(A)}", f"dog@{text(B)}"], r"--box dog@50.*target 1 \(dog\) has a box in frame 5 already"),
        ([text(A), f"5:{text(B)}"], r"target 1 has a box in frame 5 already"),
        ([text(A), f"4:{text(B)}"], r"--box 4:.* before the first one to track, frame 5"),
        ([text(A), f"100:{text(B)}"], r"--box 100:.*last one to track is frame 99"),
    ],
)
def test_what_does_not_fit_together_is_named(said, complaint):
    with pytest.raises(PgnetError, match=complaint):
        targets(*said)


def test_a_name_of_several_is_refused():
    with pytest.raises(PgnetError, match=r"several targets are called dog; give a number: 1 \(dog\), 2 \(dog\)"):
        targets(f"dog@50:{text(A)}", known=[Marks(1, "dog", {5: A}), Marks(2, "dog", {5: B})])


def test_boxes_must_lie_in_the_frame():
    check_boxes([Marks(1, "", {5: (-10, -10, 40, 40), 7: None})], 320, 240)
    with pytest.raises(PgnetError, match=r"No frame has a box of target 2 \(dog\)"):
        check_boxes([Marks(1, "", {5: A}), Marks(2, "dog", {50: None})], 320, 240)
    with pytest.raises(PgnetError, match=r"target 2 \(dog\) in frame 7: .*outside the frame \(320 x 240\)"):
        check_boxes([Marks(2, "dog", {5: A, 7: (400, 20, 30, 40)})], 320, 240)


@pytest.mark.parametrize(("end", "last"), [(None, 9), (4, 3), (40, 9), (0.5, 4), (0.45, 4), (3.0, 9)])
def test_last_frame(end, last):
    import numpy as np

    assert last_frame(np.arange(10) / 10, end) == last


VIDEO = SourceInfo("clip.mp4", "video", 320, 240, 10.0, 100)


def read(tmp_path, content, name="boxes.csv"):
    file = tmp_path / name
    file.write_text(content)
    return read_boxes(file, VIDEO, FIRST, LAST)


def test_a_table_of_boxes(tmp_path):
    found = read(tmp_path, "frame,target,label,x,y,w,h\n5,1,dog,10,20,30,40\n50,1,dog,50,20,30,40\n30,2,,70,20,30,40\n")
    assert found == [Marks(1, "dog", {5: A, 50: B}), Marks(2, "", {30: C})]


def test_of_a_track_only_what_a_person_set(tmp_path):
    lines = "5,10,20,30,40,1,1,0\n6,50,20,30,40,1,0,0\n7,50,20,30,40,1,1,1\n"
    [found] = read(tmp_path, f"frame,x,y,w,h,score,keyframe,absent\n{lines}")
    assert found.keyframes == {5: A, 7: None}
    # An older file does not say who set a box, but trackers give no score of 1.
    [found] = read(tmp_path, "frame,x,y,w,h,score\n5,10,20,30,40,1\n6,50,20,30,40,0.9\n7,50,20,30,40,0.95\n")
    assert found.keyframes == {5: A}
    [found] = read(tmp_path, "frame,x,y,w,h,score\n6,50,20,30,40,0.9\n7,50,20,30,40,0.95\n")
    assert found.keyframes == {6: B}
    # Absent before the start or after the end: formats close a track with it.
    closed = "2,0,0,0,0,,1,1\n5,10,20,30,40,,1,0\n100,0,0,0,0,,1,1"
    [found] = read(tmp_path, f"frame,x,y,w,h,score,keyframe,absent\n{closed}\n")
    assert found.keyframes == {5: A}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("frame,x,y,w,h\n200,10,20,30,40\n", r"boxes.csv: target 1 has a box in frame 200, and the last .* 99"),
        (
            "frame,x,y,w,h\n3,10,20,30,40\n",
            r"boxes.csv: target 1 has a box in frame 3, before the first one to track, frame 5",
        ),
        ("frame,x,y,w,h\n9,10,20,30,40\n9,11,20,30,40\n", r"boxes.csv, line 3: target 1 has a second box in frame 9"),
        (
            "frame,target,label,x,y,w,h\n9,1,dog,1,2,3,4\n10,1,cat,1,2,3,4\n",
            r"boxes.csv, line 3: target 1 is 'cat' here and 'dog' before",
        ),
        ("frame,x,y,w,h\n9,10,20,thirty,40\n", r"boxes.csv, line 2: the width is 'thirty'"),
    ],
)
def test_damaged_files_and_those_of_another_video(tmp_path, content, complaint):
    with pytest.raises(PgnetError, match=complaint):
        read(tmp_path, content)
