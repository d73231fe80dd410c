"""Windows: draw the first box, watch live. Tkinter, since the headless OpenCV has no windows; loaded late."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from pgnet.errors import PgnetError

try:
    import tkinter as tk
except ImportError as error:  # some systems pack it apart from Python
    raise PgnetError("Python has no tkinter; install the package python3-tk") from error

Image = NDArray[np.uint8]


def open_window(title: str) -> tk.Tk:
    """A hidden top-level window.

    Raises:
        PgnetError: this machine has no display.
    """
    try:
        root = tk.Tk()
    except tk.TclError as error:
        raise PgnetError("there is no display") from error
    root.withdraw()
    root.title(title)
    return root


def fit(image: Image, width: int, height: int) -> tuple[Image, float]:
    """An (H, W, 3) image shrunk to at most width x height, and the factor it was shrunk by (at most 1)."""
    scale = min(1.0, width / image.shape[1], height / image.shape[0])
    if scale == 1.0:
        return image, scale
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False), scale


def drawn_box(start: tuple[float, float], end: tuple[float, float], scale: float) -> tuple[float, float, float, float]:
    """Two corners in window pixels, in any order -> x, y, w, h in pixels of the image shrunk by `scale`."""
    (x0, x1), (y0, y1) = sorted((start[0], end[0])), sorted((start[1], end[1]))
    return x0 / scale, y0 / scale, (x1 - x0) / scale, (y1 - y0) / scale


def _photo(image: Image, root: tk.Tk) -> tk.PhotoImage:
    header = f"P6 {image.shape[1]} {image.shape[0]} 255 ".encode()
    return tk.PhotoImage(master=root, data=header + np.ascontiguousarray(image).tobytes(), format="PPM")


def _room(root: tk.Tk) -> tuple[int, int]:
    """The part of the screen a window may fill, in pixels."""
    return int(root.winfo_screenwidth() * 0.9), int(root.winfo_screenheight() * 0.8)


def choose_box(image: Image) -> tuple[float, float, float, float]:
    """Let the user draw a box on an (H, W, 3) RGB image -> x, y, w, h in its pixels.

    Raises:
        PgnetError: no display, or closed without a box.
    """
    root = open_window("Drag a box around the object, then press Enter (Esc: give up)")
    shown, scale = fit(image, *_room(root))
    canvas = tk.Canvas(root, width=shown.shape[1], height=shown.shape[0], cursor="crosshair", highlightthickness=0)
    photo = _photo(shown, root)
    canvas.create_image(0, 0, anchor="nw", image=photo)
    outline = canvas.create_rectangle(0, 0, 0, 0, outline="#00e050", width=2)
    canvas.pack()
    corners: list[tuple[float, float]] = []
    accepted = False

    def at(event: tk.Event[tk.Misc]) -> tuple[float, float]:
        return float(np.clip(event.x, 0, shown.shape[1])), float(np.clip(event.y, 0, shown.shape[0]))

    def press(event: tk.Event[tk.Misc]) -> None:
        corners[:] = [at(event), at(event)]

    def drag(event: tk.Event[tk.Misc]) -> None:
        if corners:
            corners[1] = at(event)
            canvas.coords(outline, *corners[0], *corners[1])

    def accept(_: tk.Event[tk.Misc]) -> None:
        nonlocal accepted
        if corners and corners[0][0] != corners[1][0] and corners[0][1] != corners[1][1]:
            accepted = True
            root.destroy()

    canvas.bind("<Button-1>", press)
    canvas.bind("<B1-Motion>", drag)
    root.bind("<Return>", accept)
    root.bind("<Escape>", lambda _: root.destroy())
    root.deiconify()
    root.focus_force()
    root.mainloop()
    if not accepted:
        raise PgnetError("No box was drawn; draw one and press Enter, or give --box X,Y,W,H.")
    return drawn_box(corners[0], corners[1], scale)


class LiveWindow:
    """A window that shows the frames as they are tracked; `open` turns False when the user closes it."""

    def __init__(self, title: str) -> None:
        self._root = open_window(title)
        self._label = tk.Label(self._root, borderwidth=0)
        self._label.pack()
        self.open = True
        self._root.protocol("WM_DELETE_WINDOW", self._close)
        self._root.bind("<Escape>", lambda _: self._close())
        self._root.bind("q", lambda _: self._close())
        self._root.deiconify()

    def _close(self) -> None:
        self.open = False

    def show(self, image: Image) -> None:
        """Show an (H, W, 3) RGB image and handle what the user did."""
        photo = _photo(fit(image, *_room(self._root))[0], self._root)
        self._label.configure(image=photo)
        self._label.image = photo  # type: ignore[attr-defined]  # Tk keeps no reference of its own
        self._root.update()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._root.destroy()
