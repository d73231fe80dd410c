"""What a run leaves behind."""

from pgnet.results.track import ModelInfo, SourceInfo, Track

__all__ = ["ModelInfo", "SourceInfo", "Track"]
