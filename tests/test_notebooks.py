"""What a saved notebook must be like, so that someone who only reads it sees everything. Nothing is executed here.

Each rule is a function that gives the sentences of what is wrong. The rules are tried on generated notebooks too, good
and bad: a rule that cannot fail says nothing.
"""

import base64
import copy
import io
import itertools
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from lessons import FENCE, FOLD, PYTHON, TAGS, exercise_cells, exercises, joined, networks, tags
from nbformat import NotebookNode
from PIL import Image
from printed import printed, unprinted, without_folds

from helpers.plumbing import colab
from helpers.plumbing.files import PROJECT

NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))
REAL_DATA = {
    "mnist": "MNIST, 60,000 + 10,000 images",
    "fashion_mnist": "Fashion-MNIST, 60,000 + 10,000 images",
    "cifar10": "CIFAR-10, 50,000 + 10,000 images",
    "faces": "Faces, ",
}
DRAWN = re.compile(r"drawn sample|data/sample|NOT THE REAL IMAGES")
MACHINE_PATH = re.compile(
    r"(?<![\w.])(/(work|root|tmp|home|Users|mnt|opt|var/folders)/|[A-Z]:\\+(Users|Windows|Temp)\b)"
)
URL = re.compile(r"(https?|data):[^\s\"'<>)]+")
WIDGET = "application/vnd.jupyter.widget-view+json"
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
MOST_BYTES = 2_000_000
MOST_CELLS, MOST_CODE, MOST_WORDS, MOST_LINES = 60, 250, 2_000, 25  # twelve of the cells are exercises
ROW = re.compile(
    r"\bR(1[0-8]|[1-9])\b|\bR0[1-9]\b|\bB0[1-9]\b|\b[rb](0[1-9]|1[0-8])(_|\b)|\b[Cc]hapter [A-E]\b|\b[Pp]age [A-E]\b"
)
LAB = re.compile(
    r"\bNBVAL_|# *fmt: *\w+|\binspect\.getsource|\bhelpers\.lab\b|from helpers import (\([^)]*|[^\n]*)\blab\b"
    r"|\bpublishing\b|\b(publish|record)\(|\b(AE_)?PRESET\b|\bpresets\b"
)
LARGEST = (1250, 1000)  # pixels that fit a projector's 1280 x 1024 without scrolling inside a figure


def read(path: Path) -> NotebookNode:
    """The file as it is: nbformat.read would mend missing cell ids."""
    return nbformat.from_dict(json.loads(path.read_text(encoding="utf-8")))


# ---- the rules


def no_errors(notebook: NotebookNode) -> Iterator[str]:
    for number, output in _outputs(notebook):
        if output.output_type == "error":
            yield f"cell {number} failed: {output.ename}: {output.evalue}"
        elif output.get("name") == "stderr":
            yield f"cell {number} shows red text: {joined(output.text)[:200]!r}"


def executed_in_order(notebook: NotebookNode) -> Iterator[str]:
    counts = [cell.execution_count for cell in _code(notebook) if joined(cell.source).strip()]
    if counts != list(range(1, len(counts) + 1)):
        yield f"cells were executed as {counts}; restart the kernel and run all"
    for cell in notebook.cells:
        if not joined(cell.source).strip():
            yield f"cell {_number(notebook, cell)} is empty"


def real_data(notebook: NotebookNode) -> Iterator[str]:
    shown = "\n".join(text for _, text in _output_texts(notebook))
    for name in set(re.findall(r"datasets\.load\(\s*[\"'](\w+)", _all_source(notebook))):
        if REAL_DATA[name] not in shown:
            yield f"no output says {REAL_DATA[name]!r}: run it on the real set and print the set's `source`"
    if found := DRAWN.search(shown):
        yield f"an output speaks of {found.group()!r}: this run was not on the real images"


def no_machine_path(notebook: NotebookNode) -> Iterator[str]:
    metadata = [("of metadata", json.dumps(_without_pictures(notebook.metadata)))]
    for number, text in [*_sources(notebook), *_output_texts(notebook), *metadata]:
        if found := MACHINE_PATH.search(URL.sub("", text)):
            yield f"cell {number} names a machine's folder: {text[max(0, found.start() - 40) : found.end() + 40]!r}"


def small_file(notebook: NotebookNode) -> Iterator[str]:
    size = len(nbformat.writes(notebook).encode())
    if size > MOST_BYTES:
        yield f"{size:,} bytes are more than {MOST_BYTES:,}: GitHub shows only small notebooks"


def widget_state_or_none(notebook: NotebookNode) -> Iterator[str]:
    widgets = notebook.metadata.get("widgets")
    if widgets is not None and not widgets.get(WIDGET_STATE, {}).get("state"):
        yield "metadata.widgets without state: GitHub does not open such a notebook; remove the key"


def plain_kernel(notebook: NotebookNode) -> Iterator[str]:
    kernel = notebook.metadata.get("kernelspec", {})
    if kernel.get("name") != "python3" or not kernel.get("display_name"):
        yield f"metadata.kernelspec is {dict(kernel)}, not python3: a dialog would open instead of the notebook"


def valid_format(notebook: NotebookNode) -> Iterator[str]:
    if (notebook.nbformat, notebook.nbformat_minor) < (4, 5):
        yield f"format {notebook.nbformat}.{notebook.nbformat_minor} has no cell ids; save it as 4.5"
        return
    ids = [cell.get("id") for cell in notebook.cells]
    if None in ids or len(set(ids)) < len(ids):
        yield f"cell ids are missing or double: {sorted(str(one) for one in ids if one is None or ids.count(one) > 1)}"
        return
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        yield f"not a valid notebook: {str(error).splitlines()[0]}"


def title_first(notebook: NotebookNode) -> Iterator[str]:
    titles = [text for level, text in _headings(notebook) if level == 1]
    if notebook.cells[0].cell_type != "markdown" or not joined(notebook.cells[0].source).startswith("# "):
        yield "the first cell does not begin with a title (# ...)"
    if len(titles) != 1:
        yield f"one title (#) is wanted, there are {len(titles)}: {titles}"


def set_up_cell_first(notebook: NotebookNode) -> Iterator[str]:
    code = _code(notebook)
    if not code or joined(code[0].source).strip() != colab.setup_cell():
        yield "the first code cell is not the set-up cell that `python -m helpers.plumbing.colab` prints"


def no_shell_cells(notebook: NotebookNode) -> Iterator[str]:
    for cell in notebook.cells:
        if cell is next(iter(_code(notebook)), None) and joined(cell.source).strip() == colab.setup_cell():
            continue  # it has the one %pip
        if re.search(r"^\s*!|^\s*%%?(bash|sh|script|system|sx|cmd|pip|conda)\b", _python(cell), re.M):
            yield f"cell {_number(notebook, cell)} calls the shell: such a cell passes its test when it times out"


def pictures_fit(notebook: NotebookNode) -> Iterator[str]:
    for number, output in _outputs(notebook):
        if "image/png" in output.get("data", {}):
            size = _picture_size(output)
            if not all(10 <= pixels <= most for pixels, most in zip(size, LARGEST, strict=True)):
                yield f"cell {number} shows a picture of {size[0]}x{size[1]} pixels; at most {LARGEST[0]}x{LARGEST[1]}"


def figure_after_widget(notebook: NotebookNode) -> Iterator[str]:
    for index, cell in enumerate(notebook.cells):
        kinds = [set(output.get("data", {})) for output in cell.get("outputs", [])]
        widgets = [place for place, kind in enumerate(kinds) if WIDGET in kind]
        if not widgets:
            continue
        after = kinds[widgets[-1] + 1 :]
        for later in notebook.cells[index + 1 : index + 3]:
            after += [set(output.get("data", {})) for output in later.get("outputs", [])]
        if not any("image/png" in kind for kind in after):
            yield f"cell {_number(notebook, cell)} shows a widget, and no figure follows for those who only read"


def links_lead_somewhere(notebook: NotebookNode) -> Iterator[str]:
    anchors = {text.replace(" ", "-") for _, text in _headings(notebook)}
    anchors |= set(re.findall(r"<a (?:id|name)=[\"']([^\"']+)", _all_source(notebook, "markdown")))
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            continue
        text = re.sub(r"```.*?```|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]*\$", "", joined(cell.source), flags=re.S)
        targets = re.findall(r"\]\(\s*<?([^)\s>]+)", text) + re.findall(r"(?:src|href)=[\"']([^\"']+)", text)
        for target in targets:
            place, _, anchor = target.partition("#")
            if re.match(r"(https?|mailto|data):", target):
                continue
            if target.startswith("attachment:"):
                there = target.partition(":")[2] in cell.get("attachments", {})
            elif place:
                there = _is_there(PROJECT / "notebooks" / place, anchor)
            else:
                there = anchor in anchors
            if not there:
                yield f"cell {_number(notebook, cell)} links to {target!r}, which is not there"


# ---- the rules of lessons


def short_cells(notebook: NotebookNode) -> Iterator[str]:
    for cell in _code(notebook):
        lines = joined(cell.source).count("\n") + 1
        if lines > MOST_LINES:
            yield f"cell {_number(notebook, cell)} has {lines} lines, more than {MOST_LINES}: split it or make a helper"


def within_budget(notebook: NotebookNode) -> Iterator[str]:
    """One hour at a projector. Solutions count: their code as code, their words as words."""
    markdown = _all_source(notebook, "markdown")
    code = "\n".join([_all_source(notebook), *(exercise.solution for exercise in exercises(notebook))])
    words = re.sub(r"\]\([^)]*\)|<[^>]*>", " ", FENCE.sub("", markdown)).split()
    counts = {
        "cells": (len(notebook.cells), MOST_CELLS),
        "lines of code": (sum(1 for line in code.split("\n") if line.strip()), MOST_CODE),
        "words": (sum(1 for word in words if re.search(r"\w", word)), MOST_WORDS),
    }
    for name, (count, most) in counts.items():
        if count > most:
            yield f"{count:,} {name} are more than {most:,}"


def no_row_numbers(notebook: NotebookNode) -> Iterator[str]:
    for number, text in [*_sources(notebook), *_output_texts(notebook)]:
        for found in ROW.finditer(URL.sub("", text)):
            yield f"cell {number} says {found.group()!r}: call the thing what it is, and the chapter by its title"


def nothing_of_the_lab(notebook: NotebookNode) -> Iterator[str]:
    for cell in notebook.cells:
        for found in LAB.finditer(_python(cell)):
            yield f"cell {_number(notebook, cell)} has {found.group()!r}, which belongs in the lab or in the tests"


def picture_and_badge_on_top(notebook: NotebookNode) -> Iterator[str]:
    first = notebook.cells[0]
    if not re.search(r"\]\(attachment:[^)]+\)", joined(first.source)) or not first.get("attachments"):
        yield "the first cell shows no attached picture of the result"
    if joined(first.source).count("colab-badge.svg") != 1:
        yield "the first cell has not one Colab badge"


def exercises_with_solutions(notebook: NotebookNode) -> Iterator[str]:
    """A task, a code cell to start in, and a solution in a fold; the tests run the solution after it."""
    found = exercises(notebook)
    if not found:
        yield "no section '## Exercises' with a solution in <details><summary>Solution</summary> ... </details>"
    for exercise in found:
        place, fold = f"the solution in cell {_number(notebook, exercise.answer)}", joined(exercise.answer.source)
        kinds = exercise.task.cell_type, exercise.start.cell_type
        if kinds != ("markdown", "code") or FOLD.search(joined(exercise.task.source)):
            yield f"{place} does not follow a task and a code cell to start in"
        if len(FOLD.findall(fold)) > 1:
            yield f"{place} is one of several; give each a cell of its own"
        if not re.search(r"</summary>[ \t]*\n[ \t]*\n", fold):
            yield f"{place} has no empty line after </summary>, without which it is not shown as Markdown"
        if not exercise.solution.strip():
            yield f"{place} has no ```python block"
    starts = [exercise.start for exercise in found]
    for cell in exercise_cells(notebook):
        if cell.cell_type == "code" and not any(cell is start for start in starts):
            yield f"cell {_number(notebook, cell)}, among the exercises, is followed by no solution"


def known_tags(notebook: NotebookNode) -> Iterator[str]:
    for cell in notebook.cells:
        for tag in tags(cell):
            if not TAGS.fullmatch(tag):
                yield f"cell {_number(notebook, cell)} has the tag {tag!r}, which no test knows"
    if not list(networks(notebook)):
        yield "no cell is tagged network:BUILDER=VARIABLE: a lesson's network stands on the page"


def numbers_are_printed(notebook: NotebookNode) -> Iterator[str]:
    shown = "\n".join([*map(printed, _code(notebook)), _all_source(notebook)])
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for one in unprinted(without_folds(joined(cell.source)), shown):
                yield f"cell {_number(notebook, cell)} says {one}, which no output prints and no code cell holds"


RULES = (
    no_errors, executed_in_order, real_data, no_machine_path, small_file, widget_state_or_none, plain_kernel,
    valid_format, title_first, set_up_cell_first, no_shell_cells, pictures_fit, figure_after_widget,
    links_lead_somewhere, short_cells, within_budget, no_row_numbers, nothing_of_the_lab, picture_and_badge_on_top,
    exercises_with_solutions, known_tags, numbers_are_printed,
)  # fmt: skip


def _code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _python(cell: NotebookNode) -> str:
    """The code of a cell: of a text cell what stands in its ```python blocks."""
    text = joined(cell.source)
    return text if cell.cell_type == "code" else "\n".join(PYTHON.findall(text))


def _number(notebook: NotebookNode, cell: NotebookNode) -> int:
    """Counted from 1, text cells too."""
    return next(place for place, other in enumerate(notebook.cells, start=1) if other is cell)


def _all_source(notebook: NotebookNode, kind: str = "code") -> str:
    return "\n".join(joined(cell.source) for cell in notebook.cells if cell.cell_type == kind)


def _sources(notebook: NotebookNode) -> list[tuple[int, str]]:
    return [(number, joined(cell.source)) for number, cell in enumerate(notebook.cells, start=1)]


def _is_there(path: Path, anchor: str) -> bool:
    """Whether a file exists and, where it is a text with headings, has the one that the link names."""
    if not path.exists() or not anchor or path.suffix != ".md":
        return path.exists()
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.M)
    return anchor in {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _headings(notebook: NotebookNode) -> list[tuple[int, str]]:
    """(level, text) of every Markdown heading outside code fences, in order."""
    text = re.sub(r"^```.*?^```", "", _all_source(notebook, "markdown"), flags=re.S | re.M)
    return [(len(marks), title.strip()) for marks, title in re.findall(r"^(#+)\s+(.*)$", text, re.M)]


def _outputs(notebook: NotebookNode) -> Iterator[tuple[int, NotebookNode]]:
    for number, cell in enumerate(notebook.cells, start=1):
        for output in cell.get("outputs", []):
            yield number, output


def _output_texts(notebook: NotebookNode) -> Iterator[tuple[int, str]]:
    """Everything in the outputs that a person or a browser reads, pictures apart."""
    for number, output in _outputs(notebook):
        texts = [output.get("text", ""), *output.get("traceback", [])]
        texts += [value for kind, value in output.get("data", {}).items() if not re.match(r"image/(?!svg)", kind)]
        yield number, "\n".join(joined(text) if isinstance(text, str | list) else json.dumps(text) for text in texts)


def _without_pictures(value):
    """Metadata without the buffers of a widget's state: base64 can spell anything."""
    if isinstance(value, dict):
        return {key: _without_pictures(item) for key, item in value.items() if key != "buffers"}
    return [_without_pictures(item) for item in value] if isinstance(value, list) else value


def _picture_size(output: NotebookNode) -> tuple[int, int]:
    """Width and height as shown, in pixels: what the metadata asks for, else the picture's own."""
    size = Image.open(io.BytesIO(base64.b64decode(joined(output.data["image/png"])))).size
    asked = output.get("metadata", {}).get("image/png", {})
    return asked.get("width", size[0]), asked.get("height", size[1])


# ---- the notebooks


HELD = list(itertools.product(NOTEBOOKS, RULES))


@pytest.mark.parametrize(("path", "rule"), HELD, ids=[f"{path.stem}-{rule.__name__}" for path, rule in HELD])
def test_saved_notebook(path, rule):
    wrong = list(rule(read(path)))
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_saved_notebook_has_its_badge(path):
    first = joined(read(path).cells[0].source)
    assert colab.badge(path.name) in first
    assert first.count("colab-badge.svg") == 1


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_saved_notebook_is_small_on_disk(path):
    assert path.stat().st_size <= MOST_BYTES


# ---- the rules themselves


SOLUTION = "<details><summary>Solution</summary>\n\nLike this, 1.234:\n\n```python\ny = 2\n```\n\n</details>"


def good_notebook() -> NotebookNode:
    """A small notebook that keeps every rule."""
    new, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    link = "[the data](#The-data), [GitHub](https://github.com/home/tmp/), [table](../README.md#start), `[x](no-link)`"
    top = f"# A title\n\n{colab.badge('x.ipynb')}\n\n![x](attachment:x.png)\n\n{link}"
    cells = [new(top, attachments={"x.png": {"image/png": _png(20, 20)}}), code(colab.setup_cell())]
    for section in ("The data", "Training"):
        cells.append(new(f"## {section}\n\n```\n# a comment, no heading\n```"))
    cells.insert(3, code('mnist = datasets.load("mnist")\nprint(mnist.source)', outputs=[_text(REAL_DATA["mnist"])]))
    cells.insert(4, new("Its error is 0.0737; $\\sigma = 0.123$."))
    cells.insert(5, code("error", outputs=[_shown({"text/markdown": "| |error|\n|---|---|\n| here | 0.07367 |"})]))
    cells += [
        code("model = conv()", metadata={"tags": ["network:conv_autoencoder=model"]}),
        code("widget", outputs=[_shown({WIDGET: {"model_id": "m"}, "text/plain": "Live()"})]),
        new("The same as a figure:"),
        code("figure", outputs=[_shown({"image/png": _png(40, 30), "text/plain": "<Figure>"})]),
        new("## Exercises\n\nTwo of them."),
        new("**1.** Do it."),
        code("# your code here"),
        new(SOLUTION),
        new("**2.** Do it again."),
        code("x = 1"),
        new(SOLUTION),
    ]
    notebook = nbformat.v4.new_notebook(
        cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    )
    for count, cell in enumerate(_code(notebook), start=1):
        cell.execution_count = count
    return notebook


def _text(text: str, name: str = "stdout") -> NotebookNode:
    return nbformat.v4.new_output("stream", name=name, text=text)


def _shown(data: dict) -> NotebookNode:
    return nbformat.v4.new_output("display_data", data=data)


def _png(width: int, height: int) -> str:
    buffer = io.BytesIO()
    Image.new("L", (width, height)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def _rename(notebook: NotebookNode, old: str, new: str) -> None:
    for cell in notebook.cells:
        cell.source = cell.source.replace(old, new)


def _swap(notebook: NotebookNode, first: int, second: int) -> None:
    notebook.cells[first], notebook.cells[second] = notebook.cells[second], notebook.cells[first]


def _print(notebook: NotebookNode, text: str) -> None:
    _code(notebook)[1].outputs.append(_text(text))


def _lengthen(notebook: NotebookNode, line: str, lines: int) -> None:
    """Repeat a line of source until there are `lines` of it."""
    for cell in notebook.cells:
        if cell.cell_type == "code" or SOLUTION in cell.source:
            cell.source = cell.source.replace(line, "\n".join([line] * lines))


def _add_text(notebook: NotebookNode, text: str, before: NotebookNode | None = None) -> None:
    at = _number(notebook, before) - 1 if before else 2
    notebook.cells.insert(at, nbformat.v4.new_markdown_cell(text))


def _figure(notebook: NotebookNode) -> NotebookNode:
    return next(cell for cell in _code(notebook) if cell.source == "figure")


def _metadata(notebook: NotebookNode, **values) -> None:
    notebook.metadata.update(nbformat.from_dict(values))


def _state(*, state: dict, buffer: str = "") -> dict:
    return {WIDGET_STATE: {"state": {"m": {"state": state, "buffers": [{"data": buffer}]}}}}


BAD: list[tuple[Callable, str, Callable[[NotebookNode], object]]] = [
    (no_errors, "an exception", lambda n: _code(n)[1].outputs.append(
        nbformat.v4.new_output("error", ename="ValueError", evalue="bad", traceback=[]))),
    (no_errors, "red text", lambda n: _code(n)[1].outputs.append(_text("a warning", "stderr"))),
    (executed_in_order, "never run", lambda n: _code(n)[2].update(execution_count=None)),
    (executed_in_order, "run twice", lambda n: _code(n)[-1].update(execution_count=9)),
    (executed_in_order, "empty cell", lambda n: n.cells.append(nbformat.v4.new_code_cell(" "))),
    (real_data, "no source", lambda n: _code(n)[1].update(outputs=[])),
    (real_data, "another count", lambda n: _code(n)[1].update(outputs=[_text("MNIST, 600 + 100 images")])),
    (real_data, "another set", lambda n: _rename(n, "datasets.load(", "datasets.load('faces'), datasets.load(")),
    (real_data, "the sample", lambda n: _print(n, "Faces, 30 + 10 images, from the drawn sample data/sample/faces")),
    (no_machine_path, "in an output", lambda n: _print(n, "saved to /home/me/x.png")),
    (no_machine_path, "in HTML", lambda n: _code(n)[1].outputs.append(_shown({"text/html": "<a href='/tmp/x'>x</a>"}))),
    (no_machine_path, "in the source", lambda n: _rename(n, "figure", 'open("/root/x")')),
    (no_machine_path, "on Windows", lambda n: _print(n, r"C:\Users\me")),
    (no_machine_path, "in metadata", lambda n: _metadata(n, author="file:///Users/me")),
    (no_machine_path, "in a widget", lambda n: _metadata(n, widgets=_state(state={"value": "/tmp/x"}))),
    (small_file, "a large picture", lambda n: _code(n)[1].outputs.append(_shown({"image/png": "A" * MOST_BYTES}))),
    (widget_state_or_none, "no state", lambda n: _metadata(n, widgets={WIDGET_STATE: {"version_major": 2}})),
    (plain_kernel, "none", lambda n: n.metadata.pop("kernelspec")),
    (plain_kernel, "of one machine", lambda n: n.metadata.kernelspec.update(name="my-env")),
    (valid_format, "an old format", lambda n: n.update(nbformat_minor=4)),
    (valid_format, "a double id", lambda n: n.cells[1].update(id=n.cells[0].id)),
    (valid_format, "no id", lambda n: n.cells[1].pop("id")),
    (valid_format, "an unknown key", lambda n: n.cells[1].update(colour="red")),
    (title_first, "code first", lambda n: _swap(n, 0, 1)),
    (title_first, "two titles", lambda n: _rename(n, "## Training", "# Training")),
    (set_up_cell_first, "changed", lambda n: _rename(n, "--quiet git+", "git+")),
    (set_up_cell_first, "not first", lambda n: n.cells.insert(0, nbformat.v4.new_code_cell("1"))),
    (no_shell_cells, "a command", lambda n: _rename(n, "figure", "if True:\n    !pip install x")),
    (no_shell_cells, "a shell", lambda n: _rename(n, "figure", "%%bash\nls")),
    (no_shell_cells, "pip elsewhere", lambda n: _rename(n, "figure", "%pip install x")),
    (no_shell_cells, "pip in a solution", lambda n: _rename(n, "y = 2", "%pip install x")),
    (no_shell_cells, "another set-up", lambda n: _rename(n, "--quiet git+", "git+")),
    (no_shell_cells, "the set-up again", lambda n: _code(n)[-1].update(source=colab.setup_cell())),
    (pictures_fit, "too wide", lambda n: _figure(n).outputs.append(_shown({"image/png": _png(1300, 20)}))),
    (pictures_fit, "nothing to see", lambda n: _figure(n).outputs.append(_shown({"image/png": _png(1, 1)}))),
    (figure_after_widget, "none", lambda n: _figure(n).update(outputs=[])),
    (figure_after_widget, "too far", lambda n: _add_text(n, "more", before=_figure(n))),
    (links_lead_somewhere, "no such file", lambda n: _rename(n, "../README.md", "../READ.md")),
    (links_lead_somewhere, "no such heading there", lambda n: _rename(n, "README.md#start", "README.md#no-start")),
    (links_lead_somewhere, "no report", lambda n: _rename(n, "../README.md#start", "../data/results/NO.md")),
    (links_lead_somewhere, "no such heading", lambda n: _rename(n, "#The-data", "#the-data")),
    (links_lead_somewhere, "no attachment", lambda n: _rename(n, "same as a", "![x](attachment:x.png) as a")),
    (short_cells, "too long", lambda n: _lengthen(n, "figure", 26)),
    (within_budget, "cells", lambda n: [_add_text(n, "text") for _ in range(MOST_CELLS)]),
    (within_budget, "words", lambda n: _add_text(n, "word " * MOST_WORDS)),
    (within_budget, "words in a fold", lambda n: _rename(n, "Like this", "word " * MOST_WORDS)),
    (within_budget, "code", lambda n: _lengthen(n, "figure", MOST_CODE)),
    (within_budget, "code in a fold", lambda n: _lengthen(n, "y = 2", MOST_CODE)),
    (no_row_numbers, "in the text", lambda n: _add_text(n, "as R8's network does")),
    (no_row_numbers, "with a zero", lambda n: _add_text(n, "better than B02.")),
    (no_row_numbers, "in a name", lambda n: _rename(n, "figure", 'weights.load("r08_denoise")')),
    (no_row_numbers, "a chapter's letter", lambda n: _add_text(n, "Chapter A says")),
    (no_row_numbers, "in an output", lambda n: _print(n, "R18: losses")),
    (nothing_of_the_lab, "a marker", lambda n: _rename(n, "figure", "# NBVAL_CHECK_OUTPUT\nfigure")),
    (nothing_of_the_lab, "the formatter's", lambda n: _rename(n, "figure", "figure  # fmt: skip")),
    (nothing_of_the_lab, "source as text", lambda n: _rename(n, "figure", "print(inspect.getsource(f))")),
    (nothing_of_the_lab, "the lab", lambda n: _rename(n, "figure", "from helpers.lab import training")),
    (nothing_of_the_lab, "the lab itself", lambda n: _rename(n, "figure", "from helpers import lab, weights")),
    (nothing_of_the_lab, "the lab in lines", lambda n: _rename(n, "figure", "from helpers import (\n    lab,\n)")),
    (nothing_of_the_lab, "in a solution", lambda n: _rename(n, "y = 2", "import helpers.lab.training")),
    (nothing_of_the_lab, "publishing", lambda n: _rename(n, "figure", "publishing.publish(x)")),
    (nothing_of_the_lab, "recording", lambda n: _rename(n, "figure", "records.record(x)")),
    (nothing_of_the_lab, "a preset", lambda n: _rename(n, "figure", "PRESET.pick(smoke=1)")),
    (nothing_of_the_lab, "the variable", lambda n: _rename(n, "figure", 'os.environ["AE_PRESET"]')),
    (picture_and_badge_on_top, "no picture", lambda n: _rename(n, "![x](attachment:x.png)", "")),
    (picture_and_badge_on_top, "none attached", lambda n: n.cells[0].pop("attachments")),
    (picture_and_badge_on_top, "no badge", lambda n: _rename(n, "colab-badge.svg", "badge.svg")),
    (exercises_with_solutions, "none", lambda n: _rename(n, "## Exercises", "## More")),
    (exercises_with_solutions, "no start", lambda n: n.cells.pop(-2)),
    (exercises_with_solutions, "no task", lambda n: n.cells.pop(-3)),
    (exercises_with_solutions, "no code", lambda n: _rename(n, "```python", "```")),
    (exercises_with_solutions, "no fold", lambda n: n.cells.pop()),
    (exercises_with_solutions, "another fold", lambda n: _rename(n, "<summary>Solution", "<summary>Answer")),
    (exercises_with_solutions, "two in a cell", lambda n: _rename(n, SOLUTION, SOLUTION + SOLUTION)),
    (exercises_with_solutions, "shown as HTML", lambda n: _rename(n, "</summary>\n", "</summary>")),
    (known_tags, "misspelled", lambda n: _figure(n).metadata.update(tags=["not_compared"])),
    (known_tags, "no number", lambda n: _figure(n).metadata.update(tags=["tolerance-much"])),
    (known_tags, "no network", lambda n: [cell.metadata.pop("tags", None) for cell in n.cells]),
    (numbers_are_printed, "another number", lambda n: _rename(n, "0.0737", "0.0741")),
    (numbers_are_printed, "too many digits", lambda n: _rename(n, "0.0737", "0.07373")),
    (numbers_are_printed, "no longer printed", lambda n: _code(n)[2].update(outputs=[])),
]  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_good_notebook_passes(rule):
    assert list(rule(good_notebook())) == []


@pytest.mark.parametrize(("rule", "name", "spoil"), BAD, ids=[f"{rule.__name__}: {name}" for rule, name, _ in BAD])
def test_a_bad_notebook_fails(rule, name, spoil):
    notebook = good_notebook()
    spoil(notebook)
    assert list(rule(notebook))


def test_every_rule_has_a_bad_notebook():
    assert {rule for rule, _, _ in BAD} == set(RULES)


def test_pictures_and_addresses_may_spell_anything():
    notebook = copy.deepcopy(good_notebook())
    _metadata(notebook, widgets=_state(state={"value": 1}, buffer="x/tmp/y/home/z"))
    _print(notebook, "https://example.org/tmp/home/Users/ or a/tmp/b")
    assert list(no_machine_path(notebook)) == []
    assert list(widget_state_or_none(notebook)) == []


def test_lab_is_a_colour_space_too():
    notebook = good_notebook()
    _rename(notebook, "figure", "from helpers import colors\nlab = rgb2lab(photo)  # from helpers")
    assert list(nothing_of_the_lab(notebook)) == []
