"""What a run leaves behind, and the formats that other tools read."""

from pgnet.results.track import Event, ModelInfo, SourceInfo, TargetTrack, Track

__all__ = ["Event", "ModelInfo", "SourceInfo", "TargetTrack", "Track"]
