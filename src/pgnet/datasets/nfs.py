"""NfS (Galoogahi et al.: Need for Speed: A Benchmark for Higher Frame Rate Object Tracking, ICCV 2017).

``NAME/240/NAME/00001.jpg ...`` with ``NAME/240/NAME.txt``, and the same at 30 frames per second below ``NAME/30``. An
annotation is VATIC's: target, xmin, ymin, xmax, ymax (0-based), frame, lost, occluded, generated and a label per line.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from pgnet.boxes import xyxy_to_xywh
from pgnet.datasets.reading import choose, numbered_frames, read_rows, subfolders, words
from pgnet.datasets.sequence import Sequence
from pgnet.errors import PgnetError

STEP = 8
"""Frames at 240 per second for one at 30."""


def read_nfs(
    root: Path,
    names: Iterable[str] | None = None,
    fps: Literal[30, 240] = 30,
    *,
    problems: dict[str, str] | None = None,
) -> list[Sequence]:
    """The sequences below a folder, by name.

    Args:
        root: folder that has the sequences' folders.
        names: only these, in any case.
        fps: which of the two frame rates.
        problems: see `pgnet.datasets.reading.choose`.

    Raises:
        PgnetError: no sequence there, an unknown name, or a damaged annotation.
    """
    annotations = (folder / str(fps) / f"{folder.name}.txt" for folder in subfolders(root))
    found = {path.stem: partial(_read, path) for path in annotations if path.is_file()}
    return choose(found, root, names, problems, f"NfS's folders NAME/{fps} with NAME.txt")


def _read(annotation: Path) -> Sequence:
    rows = read_rows(annotation)
    try:
        corners = np.array([[float(value) for value in row[1:5]] for row in rows])
        lost = np.array([row[6] == "1" for row in rows])
    except (ValueError, IndexError) as error:
        raise PgnetError(f"{annotation} should have ten values per line, of which 2 to 5 are corners.") from error
    if corners.ndim != 2:
        raise PgnetError(f"{annotation} is empty; get the data set again.")
    boxes = xyxy_to_xywh(corners)
    frames = numbered_frames(annotation.with_suffix(""), 5, 1)
    # Most 30 fps annotations have a row for each frame of 240 fps.
    if len(boxes) > 2 * len(frames):
        boxes, lost = boxes[::STEP], lost[::STEP]
    if abs(len(boxes) - len(frames)) == 1:  # some end a frame early or late
        length = min(len(boxes), len(frames))
        boxes, lost, frames = boxes[:length], lost[:length], frames[:length]
    return Sequence(annotation.stem, frames, boxes, absent=lost)


NAMES = words(
    """
    Gymnastics MachLoop_jet Skiing_red Skydiving airboard_1 airplane_landing airtable_3 basketball_1 basketball_2
    basketball_3 basketball_6 basketball_7 basketball_player basketball_player_2 beach_flipback_person bee
    biker_acrobat biker_all_1 biker_head_2 biker_head_3 biker_upper_body biker_whole_body billiard_2 billiard_3
    billiard_6 billiard_7 billiard_8 bird_2 book bottle bowling_1 bowling_2 bowling_3 bowling_6 bowling_ball bunny
    car car_camaro car_drifting car_jumping car_rc_rolling car_rc_rotating car_side car_white cheetah cup cup_2
    dog dog_1 dog_2 dog_3 dogs dollar drone ducks_lake exit first flower footbal_skill helicopter horse_jumping
    horse_running iceskating_6 jellyfish_5 kid_swing motorcross motorcross_kawasaki parkour person_scooter
    pingpong_2 pingpong_7 pingpong_8 purse rubber running running_100_m running_100_m_2 running_2 shuffleboard_1
    shuffleboard_2 shuffleboard_4 shuffleboard_5 shuffleboard_6 shuffletable_2 shuffletable_3 shuffletable_4
    ski_long soccer_ball soccer_ball_2 soccer_ball_3 soccer_player_2 soccer_player_3 stop_sign suv tiger walking
    walking_3 water_ski_2 yoyo zebra_fish
    """
)
"""The official sequences."""
