"""Results: only real measurements are written, and the README's table is made from them."""

import json

import numpy as np
import pytest

from helpers.lab.presets import Preset
from helpers.plumbing.files import PROJECT


@pytest.fixture
def record(tmp_path):
    """`results.record` into a folder of its own, with everything filled in."""

    def call(row="r08", preset="full", **changes):
        entry = {
            "notebook": "02", "task": "denoising", "published": "0.0739", "measured": "0.0731",
            "metrics": {"test loss": 0.0731}, "source": "MNIST, 60,000 + 10,000 images",
        } | changes  # fmt: skip
        return results.record(row, preset=Preset(preset), folder=tmp_path / "results", **entry)

    return call


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "results"


def test_a_full_run_on_real_data_is_written_as_it_is_given_back(record, folder):
    entry = record(
        trained={"epochs": 100, "seconds": np.float64(12.345678)},
        metrics={"psnr": np.float32(21.123456), "n": np.int64(7)},
    )
    assert json.loads((folder / "r08.json").read_text()) == entry
    assert entry["metrics"] == {"psnr": 21.123, "n": 7} and entry["trained"] == {"epochs": 100, "seconds": 12.346}
    assert entry["data"] == "MNIST, 60,000 + 10,000 images" and entry["preset"] == "full"
    assert entry["machine"].endswith("CPU cores") and set(entry["versions"]) >= {"keras", "numpy"}


@pytest.mark.parametrize("changes", [{"preset": "quick"}, {"preset": "smoke"}, {"is_sample": True}])
def test_a_quick_look_or_drawn_data_replaces_nothing(record, folder, changes):
    record(measured="the real one")
    entry = record(measured="a quick look", **changes)
    assert entry["measured"] == "a quick look"
    assert json.loads((folder / "r08.json").read_text())["measured"] == "the real one"


def test_the_table_is_ordered_by_notebook_and_ends_each_with_its_better_model(record, folder):
    for row, notebook in [("b02", "02"), ("r12", "02"), ("r17", "05"), ("r08", "02"), ("r01", "01"), ("b01", "01")]:
        record(row, notebook=notebook, task=f"task of {row}")
    lines = results.table(folder).splitlines()
    assert lines[0] == "| row | notebook | task | the chapters say | we measured |"
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| R01", "| B01", "| R08", "| R12", "| B02", "| R17"]
    assert lines[4] == "| R08 | 02 | task of r08 | 0.0739 | 0.0731 |"


def test_a_bar_in_a_sentence_does_not_break_the_table(record, folder):
    record(measured="KL(q|p) 3.1\nnats")
    assert results.table(folder).splitlines()[2:] == [r"| R08 | 02 | denoising | 0.0739 | KL(q\|p) 3.1 nats |"]


def test_the_readme_is_renewed_between_its_marks_and_twice_is_once(record, folder, tmp_path):
    record()
    readme = tmp_path / "README.md"
    readme.write_text(f"# Title\n\n{results.BEGIN}\nold\n{results.END}\n\nThe end.\n", encoding="utf-8")
    results.update_readme(readme, folder)
    once = readme.read_text(encoding="utf-8")
    assert once == f"# Title\n\n{results.BEGIN}\n{results.table(folder)}\n{results.END}\n\nThe end.\n"
    results.update_readme(readme, folder)
    assert readme.read_text(encoding="utf-8") == once


def test_a_readme_without_marks_is_left_alone(folder, tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("# Title\n")
    with pytest.raises(ValueError, match="README.md lacks the marks"):
        results.update_readme(readme, folder)
    assert readme.read_text() == "# Title\n"


def test_readme_table_is_current():
    """Run `python -m helpers.results` after a measurement."""
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    assert text.count(results.BEGIN) == text.count(results.END) == 1
    assert text.split(results.BEGIN)[1].split(results.END)[0].strip() == results.table()


def test_a_recorded_row_is_read_again_and_a_missing_one_gets_a_remedy(record, folder):
    entry = record()
    assert results.recorded("r08", folder) == entry
    with pytest.raises(FileNotFoundError, match=r"data/results has no r99\.json; .*TRAIN = True"):
        results.recorded("r99", folder)
