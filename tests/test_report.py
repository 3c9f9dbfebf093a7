"""The report and the README's table are what the measurements in data/results say, and nothing else."""

import pytest

from helpers import records
from helpers.lab import publishing, report
from helpers.lab.presets import Preset
from helpers.plumbing.files import PROJECT


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "results"


@pytest.fixture
def record(folder):
    """A function that writes one measurement of the `full` preset."""

    def call(name="denoise_uniform", **changes):
        entry = {
            "row": "R8", "notebook": "02", "task": "uniform noise", "published": "0.0739", "measured": "0.0737",
            "metrics": {"test digits": {"PSNR (dB)": 24.098}}, "source": "MNIST, 60,000 + 10,000 images, from x",
        } | changes  # fmt: skip
        return publishing.record(name, preset=Preset("full"), folder=folder, **entry)

    return call


def test_the_table_is_in_the_order_of_the_lessons_and_the_chapters(record, folder):
    rows = ("unet", "", "02"), ("extreme", "R12", "02"), ("map", "R17", "05"), ("half", "R9", "02")
    for name, row, notebook in rows:
        record(name, row=row, notebook=notebook, task=name)
    lines = report.table(report.measurements(folder)).splitlines()
    assert [line.split(" | ")[1] for line in lines[2:]] == ["half", "extreme", "unet", "map"]


def test_a_bar_or_a_line_break_in_a_sentence_does_not_break_the_table(record, folder):
    record(measured="KL(q|p) 3.1\nnats")
    line = report.table(report.measurements(folder)).splitlines()[2]
    assert line == r"| 02 | uniform noise | 0.0739 | KL(q\|p) 3.1 nats |"


def test_the_report_shows_every_figure_and_every_note(record, folder):
    record(metrics={"uniform mix": {"U-Net": {"PSNR (dB)": 25.16}}, "best": "median"}, notes=["Three seeds."])
    text = report.report(report.measurements(folder))
    assert "| uniform mix | PSNR (dB) |" in text and "| U-Net | 25.16 |" in text
    assert "best: median" in text and "Three seeds." in text and "from x" not in text


def test_writing_it_twice_changes_nothing_and_keeps_the_readme_around_the_table(record, folder, tmp_path):
    record()
    readme = tmp_path / "README.md"
    readme.write_text(f"# Title\n\n{report.BEGIN}\nold\n{report.END}\n\nThe end.\n", encoding="utf-8")
    report.write(readme, folder)
    once = readme.read_text(encoding="utf-8"), (folder / "README.md").read_text(encoding="utf-8")
    table = report.table(report.measurements(folder))
    assert once[0] == f"# Title\n\n{report.BEGIN}\n{table}\n{report.END}\n\nThe end.\n"
    report.write(readme, folder)
    assert once == (readme.read_text(encoding="utf-8"), (folder / "README.md").read_text(encoding="utf-8"))


def test_a_readme_without_the_marks_is_left_alone(record, folder, tmp_path):
    record()
    readme = tmp_path / "README.md"
    readme.write_text("# Title\n")
    with pytest.raises(ValueError, match="README.md lacks the marks"):
        report.write(readme, folder)
    assert readme.read_text() == "# Title\n"


def test_the_report_and_the_readme_say_what_was_measured():
    """Run `python -m helpers.lab report` after a measurement."""
    entries = report.measurements()
    assert (records.FOLDER / "README.md").read_text(encoding="utf-8") == report.report(entries)
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    assert text.split(report.BEGIN)[1].split(report.END)[0].strip() == report.table(entries)
    for name in report.figures(entries):
        assert (records.FOLDER / f"{name}.png").exists(), name
