"""The tracker for the VOT toolkit, over its TraX protocol: ``python -m pgnet.integrations.vot [--model NAME]``.

The toolkit (GPL-3, https://github.com/votchallenge/toolkit) starts this program and talks to it through
``vot-trax`` (BSD, pip install vot-trax), as its `trackers.ini` says; `docs/integrations.md` shows one. Regions are
rectangles in 0-based pixels; each object of a frame has a tracker of its own, and all share one network.
"""

from __future__ import annotations

import argparse
import copy
import sys
from pathlib import Path
from typing import Any

from pgnet.errors import PgnetError
from pgnet.tracking import Tracker
from pgnet.video.reader import read_image


def serve(first: Tracker) -> None:
    """Answer the toolkit's requests until it quits.

    Args:
        first: follows the first object; copies of it follow the others.

    Raises:
        PgnetError: vot-trax is not installed, or a frame or region cannot be used.
    """
    try:
        import trax
    except ImportError as error:
        raise PgnetError(f"TraX cannot be imported ({error}); install it with pip install vot-trax.") from error

    trackers: list[Tracker] = []
    with trax.Server(
        [trax.Region.RECTANGLE], [trax.Image.PATH], tracker_name="PGNet", tracker_family="pgnet", multiobject=True
    ) as server:
        while True:
            request = server.wait()
            if request.type not in (trax.TraxStatus.INITIALIZE, trax.TraxStatus.FRAME):
                return
            image = read_image(Path(request.image["color"].path()))
            if request.type == trax.TraxStatus.INITIALIZE:
                trackers = []
            states: list[tuple[Any, dict[str, Any]]] = []
            for tracker in trackers:
                prediction = tracker.update(image)
                box = trax.Rectangle.create(*prediction.box.tolist())
                states.append((box, {"confidence": prediction.score}))
            for region, _ in request.objects or []:  # also objects that come later
                tracker = copy.copy(first)
                tracker.init(image, region.bounds())
                trackers.append(tracker)
                states.append((region, {"confidence": 1.0}))
            server.status(states)


def main() -> int:
    """Serve with the model of the command line; what is wrong is said on stderr, with exit code 2."""
    parser = argparse.ArgumentParser(prog="python -m pgnet.integrations.vot", description=__doc__)
    parser.add_argument("--model", default="pgnet-lite", help="a name from `pgnet models`, or the path of a model file")
    parser.add_argument("--threads", type=int, help="threads for the network")
    arguments = parser.parse_args()
    try:
        serve(Tracker.load(arguments.model, threads=arguments.threads))
    except PgnetError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
