"""A report on trackers: one HTML page that needs nothing else, and every part of it as PNG, SVG, CSV and LaTeX.

Needs matplotlib and jinja2 (extra [report]).
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from collections.abc import Sequence as List
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import matplotlib as mpl
import numpy as np
from jinja2 import Environment, StrictUndefined
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from pgnet import __version__
from pgnet.errors import PgnetError
from pgnet.evaluation import plots, tables
from pgnet.evaluation.annotations import TITLES, Annotation, Annotations
from pgnet.evaluation.failures import LEAST, Failure, find_failures
from pgnet.evaluation.raw import tracker_name
from pgnet.evaluation.scoring import Scores, result_boxes
from pgnet.evaluation.tables import Table, tex
from pgnet.files import atomic_folder
from pgnet.video.draw import draw_prediction

SHOWN_FAILURES = 300
"""Rows of the page's table of failures, the longest ones; the CSV file has all."""
THUMBNAILS = 12


def write_report(
    found: List[Scores],
    roots: List[Path],
    annotations: Annotations,
    folder: Path,
    progress: Callable[[int], None] = lambda done: None,
) -> list[str]:
    """Write the report on trackers, the best first -> names of its files.

    Args:
        found: their scores on the same data set.
        roots: folders of their raw results, for pictures of failures.
        annotations: of the data set; with frames, the page shows failures.
        folder: of the report; files of the same names are replaced.
        progress: called with the number of parts that are written.

    Raises:
        PgnetError: the folder cannot be written.
    """
    dataset = TITLES[annotations.dataset]
    failures = {scores.tracker: find_failures(scores) for scores in found}
    written = [
        tables.score_table(found),
        tables.sequence_table(found),
        tables.failure_counts(found, failures),
        tables.failure_table(failures),
    ]
    if found[0].attributes:
        written.append(tables.attribute_table(found))
    if any(scores.fps for scores in found):
        written.append(tables.speed_table(found))
    by_name = {table.name: table for table in written}
    figures = _figures(found, dataset, by_name["failure-counts"])
    with atomic_folder(folder) as temporary:
        svgs = {}
        for done, (name, figure) in enumerate(figures.items(), 1):
            svgs[name] = _write_figure(figure, temporary / name)
            progress(done)
        _write_figure(plots.table(by_name["scores"]), temporary / "scores")
        for measure in found[0].curves:
            table = tables.curve_table(found, measure)
            table.write_csv(temporary / f"{table.name}.csv")
            _write_plot_tex(table, measure, temporary / f"{table.name}.tex")
        for table in written:
            table.write_csv(temporary / f"{table.name}.csv")
            table.write_tex(temporary / f"{table.name}.tex")
        shown = by_name["failures"]
        shown.rows = sorted(shown.rows, key=lambda row: -int(row[3] or 0))[:SHOWN_FAILURES]
        page = _template().render(
            title=f"Trackers on {dataset}",
            found=found,
            convention=found[0].convention,
            date=datetime.now(UTC).strftime("%d %B %Y"),
            version=__version__,
            problems=_once([(scores.tracker, problem) for scores in found for problem in scores.problems], len(found)),
            notes=_once([(scores.tracker, note) for scores in found for note in scores.notes], len(found)),
            scores=by_name["scores"].page(),
            attributes=by_name["attributes"].page() if "attributes" in by_name else None,
            sequences=by_name["sequences"].page(),
            speed=by_name["speed"].page() if "speed" in by_name else None,
            failure_counts=by_name["failure-counts"].page(),
            failures=shown.page(),
            failure_rule=_failure_rule(annotations.dataset),
            plots=[{"svg": base64.b64encode(svg).decode(), "title": name} for name, svg in svgs.items()],
            thumbnails=_thumbnails(found, roots, annotations, failures),
        )
        (temporary / "index.html").write_text(page, encoding="utf-8")
        return sorted(path.name for path in temporary.iterdir())


def _template() -> Any:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(Path(__file__).with_name("report.html").read_text(encoding="utf-8"))


def _once(sentences: list[tuple[str, str]], trackers: int) -> list[str]:
    """Sentences with their tracker, or once where they are every tracker's."""
    texts = [text for _, text in sentences]
    out = []
    for tracker, text in sentences:
        line = text if texts.count(text) == trackers else f"{tracker}: {text}"
        if line not in out:
            out.append(line)
    return out


def _failure_rule(dataset: str) -> str:
    if dataset.startswith("vot"):
        return "Frames in which the toolkit saw a failure and started the tracker again five frames later."
    return (
        f"A failure is a stretch of {LEAST} or more frames with a visible target of which the box had nothing. Frames "
        "are counted from 1."
    )


# --- pictures ---------------------------------------------------------------------------------------------------------


def _figures(found: List[Scores], dataset: str, counts: Table) -> dict[str, Figure]:
    figures = {measure.replace("_", "-"): plots.curves(found, measure, dataset) for measure in found[0].curves}
    if "eao" in found[0].values:
        figures["accuracy-robustness"] = plots.accuracy_robustness(found, dataset)
    if len(found[0].attributes) > 2:
        figures["attributes"] = plots.attributes(found, dataset)
    if sum(scores.fps is not None for scores in found) > 1:
        figures["speed"] = plots.speed(found, dataset)
    figures["sequences"] = plots.sequences(found, dataset)
    lost = {str(row[0]): (int(row[2] or 0) - int(row[3] or 0), int(row[3] or 0)) for row in counts.rows}
    figures["failure-counts"] = plots.failures(lost, dataset)
    return figures


def _write_figure(figure: Figure, stem: Path) -> bytes:
    """PNG and SVG -> the SVG's bytes."""
    figure.savefig(stem.with_suffix(".png"), dpi=200, bbox_inches="tight")
    # Without a date and with a fixed salt the same scores give the same file.
    with mpl.rc_context({"svg.hashsalt": "pgnet"}):
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None}, bbox_inches="tight")
    stem.with_suffix(".svg").write_bytes(buffer.getvalue())
    return buffer.getvalue()


def _write_plot_tex(table: Table, measure: str, path: Path) -> None:
    """A pgfplots picture that draws the CSV file beside it."""
    title, x_label, y_label = plots.AXES[measure]
    lines = [
        r"% \usepackage{pgfplots} \pgfplotsset{compat=1.18}",
        r"\begin{tikzpicture}",
        rf"\begin{{axis}}[title={{{title}}}, xlabel={{{x_label}}}, ylabel={{{y_label}}}, no markers, thick,",
        r"  legend pos=outer north east, legend cell align=left, grid=major]",
    ]
    for i, name in enumerate(table.head[1:], 1):
        lines.append(rf"\addplot+ table[col sep=comma, x index=0, y index={i}] {{{table.name}.csv}};")
        lines.append(rf"\addlegendentry{{{tex(name)}}}")
    path.write_text("\n".join([*lines, r"\end{axis}", r"\end{tikzpicture}"]) + "\n", encoding="utf-8")


def _thumbnails(
    found: List[Scores], roots: List[Path], annotations: Annotations, failures: dict[str, list[Failure]]
) -> list[dict[str, str]]:
    """The longest failures of each tracker in pictures, as far as there are frames."""
    shown = []
    style = plots.styles(found)
    by_tracker = {tracker_name(root): root for root in roots}
    each = max(1, THUMBNAILS // len(found))
    for scores in found[:THUMBNAILS]:
        own = sorted(failures[scores.tracker], key=lambda failure: failure.first - failure.end)
        for failure in own[:each]:
            annotation = annotations[failure.sequence]
            if annotation.sequence is None:
                continue
            try:
                boxes = result_boxes(by_tracker[scores.tracker], annotations, failure.sequence)
                jpeg = _picture(annotation, boxes, failure.first, style[scores.tracker]["color"])
            except PgnetError:  # the table says it all; the picture is an extra
                continue
            then = f"found again in frame {failure.end + 1}" if failure.found_again else "never found again"
            text = f"{scores.tracker} on {failure.sequence}: lost from frame {failure.first + 1}, {then}"
            shown.append({"jpeg": base64.b64encode(jpeg).decode(), "text": text})
    return shown


def _picture(annotation: Annotation, boxes: Any, frame: int, colour: str) -> bytes:
    """A frame as a small JPEG, the truth in white and the tracker's box in its colour."""
    assert annotation.sequence is not None
    image = annotation.sequence.image(frame)
    scale = 480 / image.shape[1]
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8)
    red, green, blue = (round(255 * part) for part in to_rgb(colour))
    for box, ink in ((annotation.boxes[frame], (255, 255, 255)), (boxes[frame], (red, green, blue))):
        if np.isfinite(box).all():
            small = draw_prediction(small, np.asarray(box) * scale, colour=ink)
    _, data = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])
    return bytes(data)
