"""Controls and live pictures for the notebooks' "try it yourself" parts; for ipywidgets 7.7 and 8.

A slider feels immediate only when a change costs a few milliseconds, so pictures are PNG bytes set on
`widgets.Image` (no matplotlib), and networks are asked by `predict_on_batch`.
"""

import html
import io
from collections.abc import Callable, Mapping

import ipywidgets
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from . import plots
from .photos import read_photo

Panels = Mapping[str, tuple[np.ndarray, str]]  # title: (picture, caption)


def png(picture: np.ndarray, *, side: int | None = None) -> bytes:
    """A picture (H, W, C) or (H, W), float in [0, 1] or uint8, as PNG bytes.

    side: enlarge by a whole factor, pixels kept sharp, until the longer side is about this many pixels.
    """
    picture = np.asarray(picture)
    if picture.dtype != np.uint8:
        picture = np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    if picture.ndim == 3 and picture.shape[-1] == 1:
        picture = picture[..., 0]
    factor = max(1, round(side / max(picture.shape[:2]))) if side else 1
    enlarged = picture.repeat(factor, axis=0).repeat(factor, axis=1)
    buffer = io.BytesIO()
    Image.fromarray(enlarged).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


class Gallery(ipywidgets.VBox):
    """A row of pictures with a title above and a caption below each, and a line for what went wrong.

    `show(panels)` sets all pictures; `fail(sentence)` says what is wrong and leaves the last good pictures.
    `images` and `captions` are dicts of the widgets by title.
    """

    def __init__(self, *, side: int = 168):
        self.side = side
        self.images: dict[str, ipywidgets.Image] = {}
        self.captions: dict[str, ipywidgets.HTML] = {}
        self.row = ipywidgets.HBox(layout=ipywidgets.Layout(flex_flow="row wrap"))
        self.message = ipywidgets.HTML()
        super().__init__([self.row, self.message])

    def show(self, panels: Panels) -> None:
        """panels: {title: (picture, caption)}, pictures (H, W, C) or (H, W), float in [0, 1] or uint8."""
        if list(panels) != list(self.images):
            self._build(list(panels))
        for title, (picture, caption) in panels.items():
            image, shape = self.images[title], np.shape(picture)[:2]
            image.value = png(picture, side=self.side)
            image.height, image.width = (str(max(1, round(self.side * length / max(shape)))) for length in shape)
            self.captions[title].value = html.escape(caption)
        self.message.value = ""

    def fail(self, sentence: str) -> None:
        """Show one sentence where the person looks."""
        self.message.value = f'<p role="alert" style="color:#b00020"><b>{html.escape(sentence)}</b></p>'

    def _build(self, titles: list[str]) -> None:
        self.images = {title: ipywidgets.Image(format="png") for title in titles}
        self.captions = {title: ipywidgets.HTML() for title in titles}
        self.row.children = [
            ipywidgets.VBox(
                [ipywidgets.HTML(f"<b>{html.escape(title)}</b>"), self.images[title], self.captions[title]],
                layout=ipywidgets.Layout(margin="0 12px 8px 0", align_items="center"),
            )
            for title in titles
        ]


class Live(ipywidgets.VBox):
    """Controls above a gallery that `update(**values)` fills anew at every change of a control.

    update: called with the value of every control by name, gives {title: (picture, caption)}. What it raises is shown
    under the pictures: an exception in a callback is otherwise seen nowhere. panel: a widget that holds the controls as
    they are to be laid out; without it they stand one below the other. A control without a description is called by its
    name. `controls` and `gallery` are public.
    """

    def __init__(
        self,
        update: Callable[..., Panels],
        *,
        side: int = 168,
        panel: ipywidgets.Widget | None = None,
        **controls: ipywidgets.Widget,
    ):
        self.update, self.controls, self.gallery = update, controls, Gallery(side=side)
        for name, control in controls.items():
            control.description = control.description or name
            control.observe(self._changed, names="value")
        super().__init__([*([panel] if panel else controls.values()), self.gallery])
        self._changed()

    def _changed(self, change=None) -> None:
        try:
            self.gallery.show(self.update(**{name: control.value for name, control in self.controls.items()}))
        except Exception as error:  # every error is shown to the person, see above
            self.gallery.fail(sentence(error))


class Upload(ipywidgets.VBox):
    """A button for a picture of one's own: `update(photo)` gets it as uint8 (H, W, 3) and gives the panels to show.

    A file that is no picture, an empty or too large one, gets a sentence, and the last good pictures stay.
    """

    def __init__(self, update: Callable[[np.ndarray], Panels], *, label: str = "Choose a picture", side: int = 168):
        self.update, self.gallery = update, Gallery(side=side)
        self.button = ipywidgets.FileUpload(
            accept="image/*", multiple=False, description=label, layout=ipywidgets.Layout(width="max-content")
        )
        self.button.observe(self._changed, names="value")
        super().__init__([self.button, self.gallery])

    def _changed(self, change=None) -> None:
        files = uploaded(self.button.value)
        if not files:
            return
        name, content = files[-1]
        try:
            photo = read_photo(content)
        except ValueError as error:
            self.gallery.fail(f"{name}: {sentence(error)}")
            return
        try:
            self.gallery.show(self.update(photo))
        except Exception as error:
            self.gallery.fail(sentence(error))


def still(panels: Panels, *, size: float = 2.4) -> Figure:
    """What a widget shows at one moment, as a figure, for those who read a notebook where nothing runs.

    panels: {title: (picture, caption)}, as `update` gives them. size: inches a picture.
    """
    pictures, captions = ({title: panel[part] for title, panel in panels.items()} for part in (0, 1))
    return plots.panels(pictures, captions=captions, size=size)


def uploaded(value) -> list[tuple[str, bytes]]:
    """(name, content) of each uploaded file, from a FileUpload's `value`: a dict in ipywidgets 7, a tuple in 8."""
    if isinstance(value, Mapping):
        return [(name, bytes(file["content"])) for name, file in value.items()]
    return [(file["name"], bytes(file["content"])) for file in value]


def sentence(error: Exception) -> str:
    """What to show of an exception: its own words where it is ours, its kind too where it is not."""
    return str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
