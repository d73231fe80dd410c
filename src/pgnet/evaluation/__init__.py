"""How well a tracker follows: runs over data sets, and their scores."""

from pgnet.evaluation.conventions import otb_curves
from pgnet.evaluation.layouts import Run
from pgnet.evaluation.metrics import Curves, mean_curves
from pgnet.evaluation.runner import BoxTracker, run_sequence, tracker_factory

__all__ = ["BoxTracker", "Curves", "Run", "mean_curves", "otb_curves", "run_sequence", "tracker_factory"]
