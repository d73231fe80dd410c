"""`pgnet serve`: the page to draw, watch, correct and export, on this machine."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from pgnet.cli.arguments import Threads, serve_extra
from pgnet.errors import PgnetError


def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on. Another than this machine's own asks for a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8000,
    data: Annotated[Path, typer.Option(metavar="DIR", help="Folder for projects and uploaded videos.")] = Path(
        "pgnet-data"
    ),
    library: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A folder of videos that can be opened without uploading them.")
    ] = None,
    token: Annotated[
        str | None, typer.Option(help="What clients have to know; made up if the host asks for one.")
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A name that the server may be called by, behind a proxy. Repeatable."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Jobs that run at the same time.")] = 1,
    threads: Threads = None,
    max_upload: Annotated[float, typer.Option(metavar="GIB", min=0.001, help="Largest upload.")] = 4,
    max_frames: Annotated[int, typer.Option(min=1, help="Most frames of a video.")] = 200_000,
) -> None:
    """Open a page to draw boxes, watch them being tracked, correct them and export.

    Ctrl-C ends; jobs that run go on when the server is started again.
    """
    with serve_extra("pgnet serve"):
        import uvicorn

        from pgnet.server.api import create_app
    from pgnet.server.settings import Settings, is_loopback

    if library is not None and not library.is_dir():
        raise PgnetError(f"The library {library} is no folder; give a folder of videos.")
    if token is not None and len(token) < 8:
        raise PgnetError("The token is too short; give 8 characters or more, or leave --token away.")
    if token is None and not is_loopback(host):
        token = secrets.token_urlsafe(24)
    settings = Settings(
        data=data.resolve(),
        library=library.resolve() if library else None,
        host=host,
        port=port,
        token=token,
        hosts=tuple(allow_host or ()),
        workers=workers,
        threads=threads,
        upload_bytes=round(max_upload * 2**30),
        frames=max_frames,
    )
    config = uvicorn.Config(
        create_app(settings),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,  # pages keep a stream of events open
    )
    server = uvicorn.Server(config)
    try:
        socket = config.bind_socket()
    except SystemExit as error:  # uvicorn has said why
        raise PgnetError(f"Cannot listen on {host}:{port}; is a server running there? Give another --port.") from error
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{socket.getsockname()[1]}/" + (f"?token={quote(token)}" if token else "")
    print(f"pgnet serves on {address} (Ctrl-C ends). Projects are in {settings.data}.", flush=True)
    if token and not host.startswith("127."):
        print("Whoever has this address can use the server; the connection is not encrypted.", file=sys.stderr)
    server.run(sockets=[socket])
