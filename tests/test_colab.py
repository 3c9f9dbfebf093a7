"""The set-up cell and the badges as text; what the cell does is tried by test_install.py."""

from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager

from helpers.plumbing import colab


def elsewhere(folder: Path) -> Path:
    (folder / "pyproject.toml").write_text('[project.urls]\nRepository = "https://github.com/someone/else/"\n')
    return folder


def test_the_address_stands_in_pyproject_only(tmp_path):
    assert "%pip install --quiet git+https://github.com/someone/else\n" in colab.setup_cell(elsewhere(tmp_path))
    assert "/github/someone/else/blob/main/notebooks/a.ipynb)" in colab.badge("a.ipynb", tmp_path)
    assert colab.address() not in Path(colab.__file__).read_text(encoding="utf-8")


def test_the_cell_is_short_and_does_nothing_where_the_project_is(tmp_path, monkeypatch):
    cell = colab.setup_cell()
    lines = [line for line in cell.splitlines() if line]
    assert len(lines) <= 5 and max(map(len, lines)) < 120
    monkeypatch.chdir(tmp_path)
    names = {}  # without IPython's magics: a call of pip would be a NameError
    exec(TransformerManager().transform_cell(cell), names)
    assert names["helpers"].__name__ == "helpers"
    assert list(tmp_path.iterdir()) == []


def test_what_is_printed_can_be_pasted(capsys):
    colab.main()
    printed = capsys.readouterr().out
    assert printed.startswith(colab.setup_cell())
    assert printed.count("[![Open in Colab](") == 5
