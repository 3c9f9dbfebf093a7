"""One switch for the scale of a run: smoke (seconds), quick (minutes), full (the chapters' own epochs and data)."""

from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
NAMES = ("smoke", "quick", "full")


@dataclass(frozen=True)
class Preset:
    """How much of everything the lab does; `name` is "smoke", "quick" or "full"."""

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
