"""The command line: one file per command, and `main`, the one place that turns errors into exit codes.

Commands import what they need when they run: help comes at once, and `pgnet doctor` works where a part is broken.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from typer.exceptions import TyperException

from pgnet import __version__
from pgnet.cli import (
    bench,
    convert,
    correct,
    data,
    demo,
    doctor,
    export,
    figure,
    frame,
    models,
    plot_track,
    render,
    report,
    review,
    score,
    serve,
    summary,
    track,
    train,
)
from pgnet.errors import PgnetError

app = typer.Typer(
    name="pgnet",
    help="Follow an object in a video with PG-Net.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("track")(track.track)
app.command("correct")(correct.correct)
app.command("render")(render.render)
app.command("frame")(frame.frame)
app.command("review")(review.review)
app.command("serve")(serve.serve)
app.command("convert")(convert.convert)
app.command("demo")(demo.demo)
app.command("models")(models.models)
app.command("doctor")(doctor.doctor)
app.command("bench")(bench.bench)
app.command("score")(score.score)
app.command("report")(report.report)
app.command("figure")(figure.figure)
app.command("plot-track")(plot_track.plot_track)
app.command("export")(export.export)
app.command("summary")(summary.summary)
app.command("train")(train.train)
app.add_typer(data.app, name="data")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"pgnet {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main(arguments: list[str] | None = None) -> int:
    """Run the command line (``sys.argv`` by default) and return its exit code.

    0 done, 2 what the user can put right (one sentence on stderr, no traceback), 130 interrupted.
    """
    return _exit_code(app, arguments, "pgnet")


def run_script(main: Callable[..., object] | typer.Typer) -> NoReturn:
    """Make a function with parameters as `typer.run` takes it, or several, a program, with `main`'s exit codes."""
    if isinstance(main, typer.Typer):
        script = main
    else:
        script = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        script.command()(main)
    sys.exit(_exit_code(script, None, Path(sys.argv[0]).name))


def _exit_code(program: typer.Typer, arguments: list[str] | None, name: str) -> int:
    try:
        return int(program(args=arguments, prog_name=name, standalone_mode=False) or 0)
    except PgnetError as error:
        return _fail(str(error))
    except TyperException as error:  # a usage error
        context = getattr(error, "ctx", None)
        message = error.format_message().rstrip(".")  # empty for `pgnet` alone, which has printed the help
        return _fail(f"{message} (see {context.command_path} --help)." if message and context else message)
    except OSError as error:  # full disk, a file that vanished, no permission
        return _fail(f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror or error}.")


def _fail(message: str) -> int:
    if message:
        print(message, file=sys.stderr)
    return 2
