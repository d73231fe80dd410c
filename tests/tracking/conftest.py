"""An engine without a network: it really finds a textured, nearly square target, by normalised cross-correlation."""

import cv2
import numpy as np
import pytest

from pgnet import anchors


class CorrelationEngine:
    """Answers as the network would for targets of ratio 1, at three scales.

    A square target fills 63.5 of the template's 127 pixels (context 0.5), and the template and search crops share one
    scale. The correlation with the central 63 pixels has its maximum within four pixels of one of the grid's points.
    """

    scales = (0.92, 1.0, 1.08)

    def __init__(self):
        self.calls = []

    def embed(self, template):
        assert template.shape[1:] == (127, 127, 3)
        assert template.dtype == np.uint8
        return [template[:, 32:95, 32:95].astype(np.float32)]

    def search(self, features, crop):
        assert crop.shape[1:] in ((255, 255, 3), (191, 191, 3))
        assert crop.dtype == np.uint8
        self.calls.append(crop)
        outputs = [self._search(template, image) for template, image in zip(features[0], crop, strict=True)]
        cls, reg = zip(*outputs, strict=True)
        return np.stack(cls), np.stack(reg)

    def _search(self, template, crop):
        side = len(crop)
        n = anchors.GRID - (anchors.SEARCH_SIZE - side) // anchors.STRIDE
        quality = np.full((n, n), -1.0)
        offset = np.zeros((4, n, n))
        for scale in self.scales:
            size = 2 * round(63 * scale / 2) + 1
            patch = cv2.resize(template, (size, size))
            # A border makes the map as large as the crop: one value for every position of the patch's centre.
            image = cv2.copyMakeBorder(crop.astype(np.float32), *[size // 2] * 4, cv2.BORDER_REPLICATE)
            ncc = cv2.matchTemplate(image, patch, cv2.TM_CCOEFF_NORMED)
            for row in range(n):
                for column in range(n):
                    # Grid point (127 + 8 i, or 95 + 8 i) and the eight pixels nearest to it.
                    y, x = (side // 2 + 8 * (i - n // 2) for i in (row, column))
                    cell = ncc[y - 4 : y + 4, x - 4 : x + 4]
                    dy, dx = np.unravel_index(cell.argmax(), cell.shape)
                    if cell[dy, dx] > quality[row, column]:
                        quality[row, column] = cell[dy, dx]
                        size_change = np.log(63.5 * size / 63 / 64)
                        offset[:, row, column] = (dx - 4) / 64, (dy - 4) / 64, size_change, size_change
        cls = np.full((2, 5, n, n), -5.0, np.float32)
        cls[0] = 5
        cls[1, 2] = 12 * quality - 6
        cls[0, 2] = -cls[1, 2]
        reg = np.zeros((4, 5, n, n), np.float32)
        reg[:, anchors.RATIOS.index(1.0)] = offset
        return cls.reshape(10, n, n), reg.reshape(20, n, n)


@pytest.fixture
def engine():
    return CorrelationEngine()
