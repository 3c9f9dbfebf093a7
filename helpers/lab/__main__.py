"""python -m helpers.lab list | train NAME ... | measure APPLICATION ... | report"""

import argparse
import sys
from collections.abc import Sequence

from . import cluster, presets

APPLICATIONS = ("codes", "denoising", "colorization", "faces", "maps")


def application(name: str):
    """The module of an application: its RECIPES and its `measure(preset)`."""
    from importlib import import_module  # TensorFlow takes seconds, and --help needs none

    return import_module(f"{__package__}.{name}")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m helpers.lab", description="Train, measure and report.")
    parser.add_argument("--preset", choices=presets.NAMES, default="full", help="how much of everything (full)")
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="the recipes, by application")
    trains = actions.add_parser("train", help="train recipes, or go on where they stopped")
    trains.add_argument("names", nargs="+")
    trains.add_argument("--seeds", type=whole_number, default=0, help="so many runs of each, with the seeds 0, 1, ...")
    trains.add_argument("--workers", type=whole_number, default=0, help="processes that share every batch, on JAX")
    trains.add_argument("--apart", action="store_true", help="one run a worker, as with --seeds, instead")
    trains.add_argument("--profile", help="the IPython Parallel profile that starts the workers (local ones)")
    trains.add_argument(
        "--address", default=cluster.LOOPBACK, help="HOST or HOST:PORT of worker 0, where JAX's coordinator listens"
    )
    actions.add_parser("measure", help="measure applications").add_argument("names", nargs="+", choices=APPLICATIONS)
    actions.add_parser("report", help="write data/results/README.md and the README's table")
    given = parser.parse_args(arguments)
    preset = presets.Preset(given.preset)
    if given.action == "report":
        from . import report

        report.write()
    elif given.action == "measure":
        for name in given.names:
            application(name).measure(preset)
    elif given.action == "list":
        for name in APPLICATIONS:
            print(f"{name}:")
            for recipe in application(name).RECIPES.values():
                print(f"  {recipe.name} ({recipe.epochs} epochs{', published' if recipe.published else ''})")
    elif given.workers:
        try:
            cluster.train(
                given.names, preset, workers=given.workers, seeds=given.seeds, apart=given.apart, profile=given.profile,
                address=given.address,
            )  # fmt: skip
        except (cluster.Stopped, LookupError, OSError, RuntimeError, ValueError) as error:
            sys.exit(str(error.args[-1]))
        except KeyboardInterrupt:
            sys.exit(f"Stopped; {cluster.GOES_ON}.")
    elif given.profile or given.apart:
        parser.error("--profile and --apart are for several workers: give --workers too")
    else:
        train(given.names, preset, seeds=given.seeds)


def train(names: Sequence[str], preset: presets.Preset, *, seeds: int = 0) -> None:
    """Train recipes by name, or so many seeds of each. Exits with one sentence where there is no such recipe."""
    from . import recipes

    try:
        book, names = runs(names, seeds)
    except LookupError as error:
        sys.exit(error.args[0])
    for name in names:
        recipes.train(book[name], preset, book)


def runs(names: Sequence[str], seeds: int = 0) -> tuple[dict, list[str]]:
    """(every recipe by name, names of the runs): the recipes, or so many seeds of each and of what it starts from.

    Raises LookupError where there is no such recipe.
    """
    from . import recipes

    book = {name: recipe for one in APPLICATIONS for name, recipe in application(one).RECIPES.items()}
    for name in names:
        if name not in book:
            raise LookupError(f"there is no recipe {name!r}; `python -m helpers.lab list` names them all")
    if not seeds:
        return book, list(names)
    wanted = [seed.name for name in names for seed in recipes.seeds(book[name], seeds)]
    for name in names:
        while name:
            book = {one.name: one for one in recipes.seeds(book[name], seeds)} | book
            name = book[name].start
    return book, wanted


def whole_number(text: str) -> int:
    """A number from 1, as argparse wants it."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


if __name__ == "__main__":
    main()
