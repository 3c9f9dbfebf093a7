"""python -m helpers.lab list | train NAME ... | measure APPLICATION ... | report"""

import argparse
import sys

from . import presets

APPLICATIONS = ("codes", "denoising", "colorization", "maps")


def application(name: str):
    """The module of an application: its RECIPES and its `measure(preset)`."""
    from importlib import import_module  # TensorFlow takes seconds, and --help needs none

    return import_module(f"{__package__}.{name}")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m helpers.lab", description="Train, measure and report.")
    parser.add_argument("--preset", choices=presets.NAMES, default="full", help="how much of everything (full)")
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="the recipes, by application")
    actions.add_parser("train", help="train recipes, or go on where they stopped").add_argument("names", nargs="+")
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
    else:
        train(given.names, preset)


def train(names: list[str], preset: presets.Preset) -> None:
    """Train recipes by name. Exits with one sentence where there is no such recipe."""
    from . import recipes

    book = {name: recipe for one in APPLICATIONS for name, recipe in application(one).RECIPES.items()}
    for name in names:
        if name not in book:
            sys.exit(f"there is no recipe {name!r}; `python -m helpers.lab list` names them all")
    for name in names:
        recipes.train(book[name], preset, book)


if __name__ == "__main__":
    main()
