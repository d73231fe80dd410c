"""Video in, video out: frames with exact times, in order or by number, H.264 files, the drawn prediction."""

from pgnet.video.access import FrameIndex, FrameReader
from pgnet.video.behind import Behind
from pgnet.video.draw import draw_prediction
from pgnet.video.reader import Frame, Source, open_source
from pgnet.video.writer import VideoWriter

__all__ = ["Behind", "Frame", "FrameIndex", "FrameReader", "Source", "VideoWriter", "draw_prediction", "open_source"]
