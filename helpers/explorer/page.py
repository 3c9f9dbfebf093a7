"""The explorer as one file, or as a piece of HTML: no kernel, no network."""

from __future__ import annotations

import html
import json
import uuid
from pathlib import Path

from ..plumbing.files import whole_file
from .space import Names, Pairs, bundle

FOLDER = Path(__file__).parent
SCRIPTS = ("network.js", "drawing.js", "map.js", "explorer.js")  # one after the other they are one module


def script() -> str:
    """The explorer's JavaScript as one module, with its style."""
    style = json.dumps((FOLDER / "explorer.css").read_text(encoding="utf-8"))
    parts = [(FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS]
    return "\n".join([f"const CSS = {style};", *parts])


def fragment(pairs: Pairs, names: Names, *, page: bool = False) -> str:
    """The explorer as a piece of HTML with its script inside, for `IPython.display.HTML`.

    page: it has the page to itself, and keeps the place in the page's address.
    """
    data = json.dumps(bundle(pairs, names), separators=(",", ":")).replace("<", "\\u003c")  # no name ends the script
    place = f"explorer-{uuid.uuid4().hex}"
    return (
        f'<div id="{place}"></div>\n<script type="module">\n{script()}\n'
        f'mount(document.getElementById("{place}"), {data}, {{ page: {json.dumps(page)} }});\n</script>\n'
    )


def to_html(path: str | Path, pairs: Pairs, names: Names, *, title: str = "Latent space") -> Path:
    """Write one self-contained page with the explorer, which needs neither Python nor a network. Gives its path."""
    path, title = Path(path), html.escape(title)
    text = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<style>:root { color-scheme: light dark } body { margin: 12px auto; padding: 0 16px; max-width: 1248px; "
        "font-family: system-ui, sans-serif; background: #fff; color: #16181d } h1 { font-size: 1.5em; "
        "margin: 0 0 8px; padding: 0 8px } @media (max-width: 656px) { h1 { padding: 0 } } "
        "@media (prefers-color-scheme: dark) { body { background: #15171b; color: #f2f3f5 } }</style></head>"
        f"<body><h1>{title}</h1>{fragment(pairs, names, page=True)}</body></html>\n"
    )
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8")
    return path
