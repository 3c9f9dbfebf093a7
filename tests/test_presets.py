"""Presets: the environment wins, and a wrong name is answered with the right ones."""

import pytest

from helpers.lab.presets import NAMES, Preset, choose


def test_without_the_environment_the_notebook_decides(monkeypatch):
    monkeypatch.delenv("AE_PRESET", raising=False)
    assert choose().name == "quick"
    assert choose("full").name == "full"
    monkeypatch.setenv("AE_PRESET", "")
    assert choose("full").name == "full"


@pytest.mark.parametrize(("name", "epochs", "sample"), [("smoke", 1, True), ("quick", 6, False), ("full", 100, False)])
def test_the_environment_wins(monkeypatch, name, epochs, sample):
    monkeypatch.setenv("AE_PRESET", name)
    preset = choose("quick")
    assert preset.name == name
    assert preset.pick(smoke=1, quick=6, full=100) == epochs
    assert preset.sample is sample


def test_a_wrong_name_is_told_where_it_stands_and_what_there_is(monkeypatch):
    monkeypatch.setenv("AE_PRESET", "fast")
    with pytest.raises(ValueError, match="AE_PRESET names the preset 'fast'; choose one of smoke, quick, full"):
        choose()
    monkeypatch.delenv("AE_PRESET")
    with pytest.raises(ValueError, match="the notebook names the preset 'Quick'"):
        choose("Quick")


def test_only_a_full_run_on_real_data_publishes():
    may = {name: Preset(name).publishes(is_sample=False) for name in NAMES}
    assert may == {"smoke": False, "quick": False, "full": True}
    assert not Preset("full").publishes(is_sample=True)
