"""What a run leaves behind, and the formats that other tools read."""

from pgnet.results.track import ModelInfo, SourceInfo, TargetTrack, Track

__all__ = ["ModelInfo", "SourceInfo", "TargetTrack", "Track"]
