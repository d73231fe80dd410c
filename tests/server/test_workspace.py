"""What the page can do, without processes: a job's boxes are made up here."""

import pytest

pytest.importorskip("fastapi", reason="the extra [serve] is not installed")

from pgnet.errors import PgnetError
from pgnet.results import formats
from pgnet.server import database, schemas, work
from pgnet.server.settings import Settings
from pgnet.server.workspace import Conflict, Full, Missing, Workspace

from .helpers import BOX, FRAMES, Space


def keyframe(space, target, frame, x=None, **more):
    box = None if x is None else [x, *BOX[1:]]
    new = schemas.NewKeyframe(box=box, absent=box is None, **more)
    return space.workspace.set_keyframe(target, frame, new)


def test_a_target_is_tracked_from_its_first_box_to_the_end(space):
    duck = space.target(frame=10)
    rows = space.track()
    assert [frame for _, frame, _ in rows] == list(range(11, FRAMES))
    state = space.state(duck)
    assert list(state) == list(range(10, FRAMES))
    assert (state[10], state[11][1]) == ((BOX[0], "k"), "t")
    assert space.workspace.video(space.video).jobs[0].state == "done"
    with pytest.raises(Conflict, match="tracked already"):
        space.track(targets=[duck])


def test_before_its_first_box_only_when_asked(space):
    space.target(frame=10)
    assert {frame for _, frame, _ in space.track(**{"from": 4, "to": 12})} == {4, 5, 6, 7, 8, 9, 11}
    assert [frame for _, frame, _ in space.track(**{"from": 4})] == list(range(12, FRAMES)), "goes on where it ended"


def test_a_correction_tracks_only_its_spans_again(space):
    duck, goose = space.target(), space.target("goose", box=[5, 30, 20, 20])
    space.track()
    keyframe(space, duck, 20, 99, track=False)
    space.track()
    change = keyframe(space, duck, 30, 120)
    assert (change.job.targets, change.job.total, change.job.done) == ([duck], 9 * 2 + 9, 9)
    rows = space.track(shift=50)
    assert {(target, frame) for target, frame, _ in rows} == {(duck, n) for n in range(21, FRAMES) if n != 30}
    passes = {frame: passes for _, frame, passes in rows}
    assert len(rows) == 18, "what was tracked forwards to the new box stays"
    assert (passes[25], passes[35]) == (2, 1), "both directions between two boxes, forwards after the last"
    change = keyframe(space, duck, 30, 130)
    assert change.job.done == 0, "rows that came back from a box that was moved do not stay"
    space.track(shift=50)
    state = space.state(duck)
    assert state[20] == (99, "k")
    assert state[30] == (130, "k")
    assert state[10][0] == pytest.approx(BOX[0] + 2.5)
    assert state[25][0] == pytest.approx(BOX[0] + 25 / 4 + 50)
    assert space.state(goose)[25][0] == pytest.approx(BOX[0] + 25 / 4)


def test_an_untracked_target_is_not_tracked_by_a_correction(space):
    duck = space.target()
    assert keyframe(space, duck, 20, 99).job is None
    assert list(space.state(duck)) == [0, 20]


def test_absent_ends_the_tracking(space):
    duck = space.target()
    space.track()
    before = space.state(duck)
    assert keyframe(space, duck, 20).job is None, "nothing before it is concerned, and nothing is tracked after it"
    rows = space.workspace.rows(space.video, target=duck).targets[0]
    assert rows.runs == [(0, 21)]
    assert rows.states[20] == "a"
    space.workspace.delete_keyframe(duck, 20, track=True)
    assert [frame for _, frame, _ in space.track()] == [20]
    space.workspace.undo(space.video)
    space.workspace.undo(space.video)
    assert space.state(duck) == before
    with pytest.raises(Missing, match="no box"):
        space.workspace.delete_keyframe(duck, 20, track=True)


def test_undo_gives_back_what_tracking_replaced(space):
    duck = space.target()
    space.track()
    before = space.state(duck)
    keyframe(space, duck, 20, 99)
    space.track(shift=50)
    after = space.state(duck)
    assert after != before
    undone = space.workspace.undo(space.video)
    assert "frame 20" in undone.label
    assert undone.video.history.redo == undone.label
    assert space.state(duck) == before
    space.workspace.redo(space.video)
    assert space.state(duck) == after
    for _ in range(3):
        space.workspace.undo(space.video)
    assert space.workspace.video(space.video).targets == []
    with pytest.raises(Conflict, match="nothing to undo"):
        space.workspace.undo(space.video)
    for _ in range(3):
        space.workspace.redo(space.video)
    assert space.state(duck) == after


def test_undo_stops_the_job_and_a_new_change_ends_redo(space):
    duck = space.target()
    space.workspace.start_job(space.video, schemas.NewJob())
    job = space.workspace.take_job()
    order = space.workspace.order(job, 1)
    row = work.Row(duck, 1, tuple(BOX), 0.9, 0.9, "present", order.spans[0].mark, 1)
    space.workspace.save_rows(job, work.Rows([row], 1, 1))
    stop = space.workspace.stopping[job.id]
    space.workspace.undo(space.video)
    assert stop.is_set()
    assert list(space.state(duck)) == [0]
    space.workspace.save_rows(job, work.Rows([row], 1, 1))
    assert list(space.state(duck)) == [0], "what comes later is not kept"
    space.workspace.finish_job(job.id, "done")
    assert space.workspace.job(job.id).state == "stopped"
    space.workspace.change_target(duck, schemas.TargetChange(name="swan"))
    with pytest.raises(Conflict, match="nothing to do again"):
        space.workspace.redo(space.video)
    space.workspace.undo(space.video)
    assert space.workspace.video(space.video).targets[0].name == "duck"


def test_a_job_that_was_cut_off_goes_on(space):
    duck = space.target()
    first = space.track(limit=12, finish=False)
    space.workspace.close()
    space.open()
    job = space.workspace.job(1)
    assert (job.state, job.done, job.total) == ("queued", 12, FRAMES - 1)
    rest = space.track()
    assert [frame for _, frame, _ in first + rest] == list(range(1, FRAMES))
    assert space.workspace.job(1).done == FRAMES - 1
    assert len(space.state(duck)) == FRAMES


def test_pause_go_on_stop(space):
    space.target()
    job = space.workspace.start_job(space.video, schemas.NewJob())
    assert space.workspace.move_job(job.id, "pause").state == "paused"
    assert space.workspace.take_job() is None
    assert space.workspace.move_job(job.id, "resume").position == 1
    taken = space.workspace.take_job()
    assert space.workspace.move_job(taken.id, "stop").state == "stopped"
    with pytest.raises(Conflict, match="nothing to pause"):
        space.workspace.move_job(job.id, "pause")


def test_a_correction_while_tracking_takes_the_job_over(space):
    duck, goose = space.target(), space.target("goose")
    space.track(limit=30, finish=False)
    change = keyframe(space, duck, 20, 99)
    assert space.workspace.job(1).state == "stopped"
    assert change.job.targets == [duck, goose]
    space.track()
    assert len(space.state(duck)) == len(space.state(goose)) == FRAMES


def test_what_a_person_set_is_never_overwritten(space):
    duck = space.target()
    space.workspace.start_job(space.video, schemas.NewJob())
    job = space.workspace.take_job()
    order = space.workspace.order(job, 1)
    rows = [work.Row(duck, n, (1.0, 1, 9, 9), 0.9, 0.9, "present", order.spans[0].mark, 1) for n in (0, 1)]
    space.workspace.save_rows(job, work.Rows(rows, 2, 1))
    assert space.state(duck) == {0: (BOX[0], "k"), 1: (1.0, "t")}


def test_again_keeps_keyframes_only(space):
    duck = space.target()
    space.track()
    space.track(again=True, shift=7)
    assert space.state(duck)[5][0] == pytest.approx(BOX[0] + 5 / 4 + 7)
    space.workspace.undo(space.video)
    assert space.state(duck)[5][0] == pytest.approx(BOX[0] + 5 / 4)


def test_the_queue_and_the_targets_are_bounded(tmp_path, clip):
    space = Space(tmp_path, clip, queue=1, targets=2)
    first = space.target()
    second = space.target()
    with pytest.raises(Conflict, match="2 targets"):
        space.target()
    space.workspace.start_job(space.video, schemas.NewJob(targets=[first]))
    with pytest.raises(Full, match="waiting"):
        space.workspace.start_job(space.video, schemas.NewJob(targets=[second]))
    assert [job.targets for job in space.workspace.jobs()] == [[first]]


@pytest.mark.parametrize("format", ["pgnet", "cvat", "coco", "labelstudio", "mot"])
def test_exports_come_back_as_they_were(space, tmp_path, format):
    duck, _ = space.target(), space.target("goose", frame=3)
    space.track()
    keyframe(space, duck, 20, track=False)
    track = space.workspace.track(space.video)
    formats.write(track, tmp_path / formats.file_name(format), format)
    known = track.source
    imported = space.workspace.import_track(
        space.video, formats.read(tmp_path / formats.file_name(format), known=known)
    )
    new = imported.targets[0]
    assert imported.history.undo == "Import boxes"
    old = space.state(duck)
    there = space.state(new.id)
    assert {n: x for n, (x, _) in there.items() if n != 20} == pytest.approx(
        {n: x for n, (x, _) in old.items() if n != 20}, abs=0.02
    )
    space.workspace.undo(space.video)
    assert len(space.workspace.video(space.video).targets) == 2


def test_review_lists_what_is_doubtful(space):
    duck = space.target()
    assert space.workspace.review(space.video) == []
    space.workspace.start_job(space.video, schemas.NewJob())
    job = space.workspace.take_job()
    order = space.workspace.order(job, 1)
    states = ["lost" if 10 <= n < 14 else "present" for n in range(1, FRAMES)]
    rows = [
        work.Row(duck, n, tuple(BOX), 0.9, 0.1 if state == "lost" else 0.9, state, order.spans[0].mark, 1)
        for n, state in enumerate(states, 1)
    ]
    space.workspace.save_rows(job, work.Rows(rows, len(rows), FRAMES - 1))
    moments = {m.kind: m for m in space.workspace.review(space.video)}
    assert (moments["lost"].from_frame, moments["lost"].to_frame, moments["lost"].target) == (10, 14, duck)
    keyframe(space, duck, 12, 70, track=False)
    assert all(m.frame != 12 for m in space.workspace.review(space.video))


def test_bad_input_is_said(space):
    duck = space.target()
    with pytest.raises(Missing, match="no frame 40"):
        keyframe(space, duck, FRAMES, 10)
    with pytest.raises(PgnetError, match="outside the frame"):
        keyframe(space, duck, 3, 500)
    with pytest.raises(PgnetError, match="no model"):
        space.workspace.start_job(space.video, schemas.NewJob(model="/etc/passwd"))
    with pytest.raises(PgnetError, match="no engine nope; there are onnxruntime"):
        space.workspace.start_job(space.video, schemas.NewJob(engine="nope"))
    with pytest.raises(Missing, match="no target 99"):
        space.workspace.start_job(space.video, schemas.NewJob(targets=[99]))
    space.workspace.delete_target(duck)
    with pytest.raises(Missing, match="was deleted"):
        keyframe(space, duck, 3, 10)
    with pytest.raises(Conflict, match="draw a box"):
        space.workspace.start_job(space.video, schemas.NewJob())
    assert space.workspace.video(space.video).history.undo == "Delete duck", "what failed is no change"


def test_deleting_takes_the_files_along(space):
    file = space.workspace.file(space.video)
    space.target()
    space.track()
    space.workspace.delete_project(space.project)
    assert not file.path.exists()
    assert not file.index.exists()
    assert space.workspace.projects() == []
    again = space.workspace.create_project("Again")
    assert again.id != space.project, "an id is not used twice"


def test_the_library_is_listed_and_no_path_is_taken(tmp_path, clip):
    library = tmp_path / "library"
    (library / "day 1").mkdir(parents=True)
    (library / "day 1" / "clip.mp4").write_bytes(clip.read_bytes())
    (library / "notes.txt").write_text("no video")
    (library / "secret.mp4").symlink_to("/etc/passwd")
    workspace = Workspace(Settings(tmp_path / "data", library=library))
    listed = workspace.library()
    assert [(video.name, video.kind) for video in listed] == [("day 1/clip.mp4", "video")]
    project = workspace.create_project("Birds").id
    video = workspace.add_from_library(project, listed[0].entry)
    assert workspace.unchecked()[0][1].path == library / "day 1" / "clip.mp4"
    workspace.delete_video(video.id)
    assert (library / "day 1" / "clip.mp4").exists(), "the library's own file stays"
    with pytest.raises(Missing):
        workspace.add_from_library(project, "0" * 32)


def test_the_migrations_make_what_the_code_expects(tmp_path):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    engine = database.open_database(tmp_path / "new.sqlite")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), database.Base.metadata) == []


def test_a_database_that_cannot_be_used_is_said(tmp_path):
    (tmp_path / "pgnet.sqlite").write_bytes(b"this is no database, but long enough to be looked at" * 100)
    with pytest.raises(PgnetError, match="no database"):
        Workspace(Settings(tmp_path))
    engine = database.open_database(tmp_path / "later.sqlite")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(PgnetError, match="later version"):
        database.open_database(tmp_path / "later.sqlite")
