"""One switch for the scale of a run: smoke (seconds), quick (minutes), full (the chapters' own epochs and data)."""

import os
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
NAMES = ("smoke", "quick", "full")


@dataclass(frozen=True)
class Preset:
    """How much of everything a notebook does; `name` is "smoke", "quick" or "full"."""

    name: str

    @property
    def sample(self) -> bool:
        """True where the drawn sample is to be used although real data may be there."""
        return self.name == "smoke"

    def publishes(self, is_sample: bool) -> bool:
        """Whether a run may replace published models and figures: the `full` preset on real data only."""
        return self.name == "full" and not is_sample

    def pick(self, *, smoke: T, quick: T, full: T) -> T:
        """The value for this preset: EPOCHS = PRESET.pick(smoke=1, quick=6, full=100)."""
        return {"smoke": smoke, "quick": quick, "full": full}[self.name]


def choose(default: str = "quick") -> Preset:
    """The preset named by the environment variable AE_PRESET, else `default`.

    Raises ValueError for a name that is none of "smoke", "quick", "full".
    """
    name = os.environ.get("AE_PRESET") or default
    if name not in NAMES:
        where = "AE_PRESET" if os.environ.get("AE_PRESET") else "the notebook"
        raise ValueError(f"{where} names the preset {name!r}; choose one of {', '.join(NAMES)}")
    return Preset(name)
