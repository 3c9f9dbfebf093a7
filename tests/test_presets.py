"""Presets: how much of everything, and what may be published."""

import pytest

from helpers.lab.presets import NAMES, Preset


@pytest.mark.parametrize(("name", "epochs", "sample"), [("smoke", 1, True), ("quick", 6, False), ("full", 100, False)])
def test_a_preset_picks_its_value(name, epochs, sample):
    preset = Preset(name)
    assert preset.pick(smoke=1, quick=6, full=100) == epochs
    assert preset.sample is sample


def test_only_a_full_run_on_real_data_publishes():
    may = {name: Preset(name).publishes(is_sample=False) for name in NAMES}
    assert may == {"smoke": False, "quick": False, "full": True}
    assert not Preset("full").publishes(is_sample=True)
