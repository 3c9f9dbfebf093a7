"""The lessons as a site: pages, links, formulas and pictures from small notebooks."""

import base64
import io
import re
from pathlib import Path

import nbformat
import pytest
from PIL import Image

from helpers.plumbing import site

TITLE = """# Can a network see?

A sentence *about* `it`, with a [link](https://example.org/paper).

[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/x)
"""
TEXT = """## Next

Costs of $5 or $6 are no formula; $\\frac12 \\mathcal N(\\mu, \\sigma^2)$ is, `$x$` is code, and so is

$$\\sum_{i=1}^{D} (x_i - \\hat x_i)^2$$

$\\notknown{x}$. See [the next](02_b.ipynb#Part), [the report](../data/results/README.md) and [this](#Next)."""


@pytest.fixture
def project(tmp_path) -> Path:
    """A project of two notebooks, a report, and a figure."""
    root = tmp_path / "project"
    (root / "notebooks").mkdir(parents=True)
    (root / "data" / "results").mkdir(parents=True)
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(buffer, "PNG")
    picture = base64.b64encode(buffer.getvalue()).decode()
    (root / "data" / "results" / "figure.png").write_bytes(buffer.getvalue())
    (root / "data" / "results" / "README.md").write_text(
        "# Report\n\n![fig](figure.png)\n\n[back](../../notebooks/01_a.ipynb)\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    )
    new = nbformat.v4
    widget = {site.WIDGET: {"model_id": "1", "version_major": 2, "version_minor": 0}}
    outputs = [
        new.new_output("display_data", {"image/png": picture}),
        new.new_output("display_data", widget | {"text/plain": "Explorer(children=())"}),
        new.new_output("display_data", widget | {"text/plain": "Live(children=())"}),
        new.new_output("display_data", {"text/html": '<a href="nowhere.txt">as it is</a>'}),
    ]
    cells = [
        new.new_markdown_cell(TITLE),
        new.new_markdown_cell(TEXT),
        new.new_code_cell("1 + 1", outputs=outputs, execution_count=1),
    ]
    nbformat.write(new.new_notebook(cells=cells), root / "notebooks" / "01_a.ipynb")
    nbformat.write(new.new_notebook(cells=[new.new_markdown_cell("# B\n\n## Part")]), root / "notebooks" / "02_b.ipynb")
    return root


def test_a_site_holds_all_that_it_shows(project, tmp_path):
    folder = tmp_path / "site"
    written = site.build(folder, root=project, live='<div id="explorer-1">alive</div>')
    check_files(folder, written)
    check_outputs((folder / "01_a.html").read_text(encoding="utf-8"))
    check_formulas((folder / "01_a.html").read_text(encoding="utf-8"))
    check_first_page((folder / "index.html").read_text(encoding="utf-8"))


def check_files(folder: Path, written: list[Path]) -> None:
    assert written[0] == folder / "index.html"
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert names == {
        "index.html", "01_a.html", "02_b.html", "files/data/results/README.html", "files/data/results/figure.png"
    }  # fmt: skip
    for path in written:
        if path.suffix != ".html":
            continue
        text = path.read_text(encoding="utf-8").replace('<a href="nowhere.txt">', "")
        assert "colab" not in text
        assert not re.search(r"<script[^>]*src|@import|url\(http", text)
        for kind, target in re.findall(r'\b(href|src)="([^"]*)"', text):
            if target.startswith(("#", "data:")) or (kind == "href" and target.startswith("https://example.org")):
                continue
            assert (path.parent / target.partition("#")[0]).is_file(), f"{path.name}: {target}"
    lesson = (folder / "01_a.html").read_text(encoding="utf-8")
    assert 'href="02_b.html#Part"' in lesson and 'id="Part"' in (folder / "02_b.html").read_text(encoding="utf-8")
    assert "<td>2</td>" in (folder / "files/data/results/README.html").read_text(encoding="utf-8")


def check_outputs(lesson: str) -> None:
    """Those that need a kernel are gone, but for the explorer, which stands for the first that shows one."""
    assert lesson.count("alive") == 1 and "children=" not in lesson
    assert '<a href="nowhere.txt">as it is</a>' in lesson  # what a cell showed is not touched


def check_formulas(lesson: str) -> None:
    alts = re.findall(r'<img alt="([^"]*)" class="formula"', lesson)
    assert alts == [r"\frac12 \mathcal N(\mu, \sigma^2)", r"\sum_{i=1}^{D} (x_i - \hat x_i)^2"]
    assert "<code>$x$</code>" in lesson and "$5 or $6" in lesson and r"<code>\notknown{x}</code>" in lesson


def check_first_page(index: str) -> None:
    assert index.index("Can a network see?") < index.index("A sentence about it, with a link.") < index.index(">B<")
    assert index.count("data:image/png") == 1


def test_a_link_to_nothing_is_one_sentence(project, tmp_path):
    cells = [nbformat.v4.new_markdown_cell("# C\n\n[gone](../data/gone.md)")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), project / "notebooks" / "03_c.ipynb")
    with pytest.raises(ValueError, match=r"notebooks/03_c\.ipynb links to '\.\./data/gone\.md', which is not there"):
        site.build(tmp_path / "site", root=project)


def test_a_project_without_notebooks_is_one_sentence(tmp_path):
    with pytest.raises(ValueError, match="no notebooks"):
        site.build(tmp_path / "site", root=tmp_path)
