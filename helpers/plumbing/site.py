"""The lessons as a web site that asks no other machine for anything: python -m helpers.plumbing.site FOLDER

Notebooks become pages by nbconvert (which JupyterLab brings along), formulas become pictures by matplotlib, files that
the lessons link to are copied, and Markdown among them becomes pages too. In notebook 05's page the explorer is alive.
What falls short: sliders, which need a kernel, are left out, and a formula that matplotlib cannot set stays TeX.
"""

from __future__ import annotations

import argparse
import base64
import copy
import html
import io
import json
import posixpath
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

from .files import PROJECT, whole_file

PAGES = (".ipynb", ".md")
WIDGET = "application/vnd.jupyter.widget-view+json"
BADGE = re.compile(r"\[!\[[^\]]*\]\([^)]*colab-badge[^)]*\)\]\([^)]*\)")
LINK = re.compile(r'\b(href|src)="([^"]*)"')
CODE = re.compile(r"(```.*?```|`[^`\n]*`)", re.DOTALL)
FORMULA = re.compile(r"\$\$(.+?)\$\$|(?<![\\$\w])\$(?=\S)([^$\n]+?)(?<=\S)\$(?![\d$])", re.DOTALL)
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//|#")
# matplotlib knows part of TeX: what it does not know, in words that it does.
PLAINER = {
    r"\\tfrac|\\dfrac": r"\\frac",
    r"\\frac\s*(\d)\s*(\w)": r"\\frac{\1}{\2}",
    r"\\(mathbb|mathcal|mathbf|hat|tilde|bar) (\w)": r"\\\1{\2}",
    r"\\text\b": r"\\mathrm",
    r"\\[lr]Vert": r"\\Vert",
    r"\\(textstyle|displaystyle)\b": "",
}
LIVE = "from helpers import explorer; print(explorer.fragment(explorer.published()))"
STYLE = """
:root { color-scheme: light dark; --text: #16181d; --back: #fff; --soft: #f3f4f6; --line: #c9ced6; --link: #0a58ca }
@media (prefers-color-scheme: dark) {
  :root { --text: #f2f3f5; --back: #15171b; --soft: #24272e; --line: #4b5260; --link: #8ab4ff }
  img.formula { filter: invert(1) }
  .output img { background: #fff }
  .highlight { filter: invert(.9) hue-rotate(180deg) }
}
body { margin: 0 auto; padding: 16px; max-width: 1264px; box-sizing: border-box; font: 17px/1.55 system-ui, sans-serif;
  color: var(--text); background: var(--back) }
nav, .text_cell_render, .input, footer { max-width: 860px; overflow-wrap: anywhere }
a { color: var(--link) }
img { max-width: 100%; height: auto }
img.formula { vertical-align: middle }
pre { overflow-x: auto; margin: 0; font: 14px/1.45 ui-monospace, monospace }
.highlight { background: #f3f4f6; color: #16181d; padding: 10px 12px; border-radius: 6px; margin: 12px 0 4px }
.prompt, .anchor-link { display: none }
.output_subarea { overflow-x: auto; margin: 6px 0 12px }
.output_text pre, .output_stream pre { padding: 4px 12px; border-left: 3px solid var(--line) }
table { border-collapse: collapse; font-size: 15px; display: block; overflow-x: auto }
th, td { border: 1px solid var(--line); padding: 4px 8px; text-align: left; vertical-align: top }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(340px, 100%), 1fr)); gap: 20px; padding: 0;
  list-style: none }
.cards li { border: 1px solid var(--line); border-radius: 10px; padding: 14px }
.cards img { background: #fff; width: 100%; max-height: 240px; object-fit: contain }
.cards h2 { font-size: 1.15em; margin: 8px 0 4px }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px }
"""


class Site:
    """A site in the making: it gives the addresses, and remembers what is still to be written."""

    def __init__(self, root: Path):
        self.root = root.resolve()
        self.waiting: list[str] = []
        self.known: dict[str, str] = {}

    def address(self, path: str) -> str:
        """Where a file of the project, by its path within it, is found on the site."""
        if path not in self.known:
            name = posixpath.splitext(path)[0] + ".html" if path.endswith(PAGES) else path
            self.known[path] = name.removeprefix("notebooks/") if path.endswith(".ipynb") else f"files/{name}"
            self.waiting.append(path)
        return self.known[path]

    def linked(self, target: str, page: str) -> str:
        """What a link in the file `page` becomes. Raises ValueError where it leads to nothing."""
        place, mark, part = target.partition("#")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(html.unescape(place))))
        if (self.root / path).is_dir():
            path += "/README.md"
        if path.startswith("..") or not (self.root / path).is_file():
            raise ValueError(f"{page} links to {target!r}, which is not there; mend the link")
        return posixpath.relpath(self.address(path), posixpath.dirname(self.address(page))) + mark + part


def build(folder: Path, *, root: Path = PROJECT, live: str = "") -> list[Path]:
    """Write the site of the notebooks in root/notebooks to `folder`; gives its files, the first page first.

    live: HTML that takes the place of an output that shows the explorer, which needs a kernel; without it that output
    is left out. Raises ValueError where there is no notebook, or a link in one leads to nothing.
    """
    site, written = Site(root), []
    lessons = sorted(f"notebooks/{path.name}" for path in (root / "notebooks").glob("*.ipynb"))
    if not lessons:
        raise ValueError("there are no notebooks to show; run this in a clone of the project")
    for lesson in lessons:
        site.address(lesson)
    while site.waiting:
        found, site.waiting = site.waiting, []
        pages = _pages(site, [path for path in found if path.endswith(PAGES)], live)
        for path in found:
            target = folder / site.address(path)
            with whole_file(target) as partial:
                if path in pages:
                    partial.write_text(pages[path], encoding="utf-8")
                else:
                    shutil.copyfile(site.root / path, partial)
            written.append(target)
    with whole_file(folder / "index.html") as partial:
        partial.write_text(_index(site, lessons), encoding="utf-8")
    return [folder / "index.html", *written]


def _pages(site: Site, paths: list[str], live: str) -> dict[str, str]:
    """Notebooks and Markdown files as pages, {path: HTML}."""
    notebooks = [_notebook(site.root / path) for path in paths]
    prepared = [_prepared(notebook, live) for notebook in notebooks]
    pages = {}
    bodies = _converted([notebook for notebook, _ in prepared])
    for path, notebook, (_, insert), body in zip(paths, notebooks, prepared, bodies, strict=True):
        body = LINK.sub(lambda found, path=path: _mended(site, path, *found.groups()), body)
        for mark, inserted in insert.items():
            body = body.replace(mark, inserted)
        up = posixpath.relpath("index.html", posixpath.dirname(site.address(path)))
        title = _title(notebook) or Path(path).stem
        pages[path] = _document(title, f'<nav><a href="{up}">All lessons</a></nav>\n<main>{body}</main>')
    return pages


def _notebook(path: Path) -> dict:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        return json.loads(text)
    cells = [{"cell_type": "markdown", "id": "text", "metadata": {}, "source": text}]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def _mended(site: Site, page: str, attribute: str, target: str) -> str:
    return f'{attribute}="{target if ELSEWHERE.match(target) or not target else site.linked(target, page)}"'


def _prepared(notebook: dict, live: str) -> tuple[dict, dict[str, str]]:
    """The notebook without what a page cannot show, and what is to be put in afterwards, by the mark in its place."""
    notebook, insert = copy.deepcopy(notebook), {}
    has_page = any('class="lx' in text or 'id="explorer-' in text for text in _html_outputs(notebook))
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            cell["source"] = "".join(_set(part) for part in CODE.split(BADGE.sub("", source)))
        outputs = []
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            shows_explorer = "".join(data.get("text/plain", "")).startswith("Explorer(")
            if WIDGET in data and shows_explorer and live and not has_page:
                mark, has_page = "THE-EXPLORER-STANDS-HERE", True
                insert[mark] = live
                outputs.append(output | {"data": {"text/html": f"<div>{mark}</div>"}})
            elif WIDGET not in data:
                if "text/html" in data:  # as it is: scripts and data are no links to mend
                    mark = f"OUTPUT-{len(insert)}-STANDS-HERE"
                    insert[mark] = "".join(data["text/html"])
                    output = output | {"data": {"text/html": f"<div>{mark}</div>"}}
                outputs.append(output)
        if "outputs" in cell:
            cell["outputs"] = outputs
    return notebook, insert


def _html_outputs(notebook: dict) -> list[str]:
    outputs = (output for cell in notebook["cells"] for output in cell.get("outputs", []))
    return ["".join(output.get("data", {}).get("text/html", "")) for output in outputs]


def _converted(notebooks: list[dict]) -> list[str]:
    try:
        import nbformat
        from nbconvert import HTMLExporter
    except ImportError:
        raise ValueError("pages are made by nbconvert, which is not installed: pip install jupyterlab") from None
    exporter = HTMLExporter(template_name="basic")
    return [
        exporter.from_notebook_node(nbformat.reads(json.dumps(notebook), as_version=4))[0] for notebook in notebooks
    ]


# ---- formulas


def _set(text: str) -> str:
    """Markdown with its formulas as pictures; code, which is a part by itself, is left as it is."""
    if text.startswith("`"):
        return text
    return FORMULA.sub(lambda found: _formula(found[1] or found[2], display=bool(found[1])), text)


def _formula(tex: str, *, display: bool) -> str:
    from matplotlib import mathtext
    from matplotlib.font_manager import FontProperties

    tex, buffer = " ".join(tex.split()), io.BytesIO()
    known = tex
    for pattern, plain in PLAINER.items():
        known = re.sub(pattern, plain, known)
    try:
        mathtext.math_to_image(f"${known}$", buffer, prop=FontProperties(size=15 if display else 12.5), format="svg")
    except ValueError:  # not all of TeX
        return f"<code>{html.escape(tex)}</code>"
    data, words = base64.b64encode(buffer.getvalue()).decode(), html.escape(tex, quote=True)
    image = f'<img class="formula" alt="{words}" src="data:image/svg+xml;base64,{data}">'
    return f"\n\n<p>{image}</p>\n\n" if display else image


# ---- the first page


def _title(notebook: dict) -> str:
    for cell in notebook["cells"]:
        if found := re.search(r"^# (.+)$", "".join(cell["source"]), re.MULTILINE):
            return found[1].strip()
    return ""


def _index(site: Site, lessons: list[str]) -> str:
    cards = []
    for lesson in lessons:
        notebook = json.loads((site.root / lesson).read_text(encoding="utf-8"))
        link, title = html.escape(site.address(lesson)), html.escape(_title(notebook) or Path(lesson).stem)
        picture = _picture(notebook)
        image = f'<img alt="" src="data:image/png;base64,{picture}">' if picture else ""
        cards.append(
            f'<li><a href="{link}">{image}</a><h2><a href="{link}">{title}</a></h2>'
            f"<p>{html.escape(_sentence(notebook))}</p></li>"
        )
    return _document(
        "Autoencoders, by application", f'<h1>Autoencoders, by application</h1><ul class="cards">{"".join(cards)}</ul>'
    )


def _sentence(notebook: dict) -> str:
    """The first paragraph after the title."""
    text = BADGE.sub("", "".join(notebook["cells"][0]["source"]))
    after = [part.strip() for part in text.split("\n\n") if part.strip() and not part.lstrip().startswith(("#", "!["))]
    return re.sub(r"[*_`]|\[([^\]]*)\]\([^)]*\)", r"\1", after[0]) if after else ""


def _picture(notebook: dict) -> str:
    """The first PNG of a notebook, attached or shown, in base64."""
    for cell in notebook["cells"]:
        data = [*cell.get("attachments", {}).values(), *(output.get("data", {}) for output in cell.get("outputs", []))]
        for one in data:
            if "image/png" in one:
                return "".join(one["image/png"]).replace("\n", "")
    return ""


def _document(title: str, body: str) -> str:
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}{_colours()}</style></head>\n<body>{body}</body></html>\n"
    )


def _colours() -> str:
    """The style of highlighted code, but for its background."""
    from pygments.formatters import HtmlFormatter

    lines = HtmlFormatter(style="default").get_style_defs(".highlight").splitlines()
    return "\n".join(line for line in lines if line.startswith(".highlight .") and "linenos" not in line)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m helpers.plumbing.site", description="Write the lessons as a site.")
    parser.add_argument("folder", type=Path, help="where to write it")
    folder = parser.parse_args().folder
    made = subprocess.run([sys.executable, "-c", LIVE], capture_output=True, text=True, cwd=PROJECT)
    if made.returncode:
        print("The explorer is left out:", (made.stderr.strip().splitlines() or ["no reason given"])[-1])
    try:
        written = build(folder, live=made.stdout)
    except (OSError, ValueError) as error:
        raise SystemExit(str(error)) from None
    print(f"{len(written)} files; open {written[0]}")


if __name__ == "__main__":
    main()
