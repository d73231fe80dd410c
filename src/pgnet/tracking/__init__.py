"""Following an object: the tracker and what turns the network's outputs into a box."""

from pgnet.tracking.postprocess import TrackingOptions
from pgnet.tracking.tracker import MultiTracker, Prediction, Tracker

__all__ = ["MultiTracker", "Prediction", "Tracker", "TrackingOptions"]
