"""Tables of figures in a notebook."""

import numpy as np

from helpers.plots import table


def lines(markdown):
    return markdown.data.splitlines()


def test_one_line_a_row_with_the_decimals_asked_for():
    rows = {"R8": {"epochs": 100, "BCE": np.float32(0.07391)}, "filter": {"BCE": 0.5}}
    assert lines(table(rows, first="row", digits={"BCE": 4})) == [
        "| row | epochs | BCE |",
        "| --- | ---: | ---: |",
        "| R8 | 100 | 0.0739 |",
        "| filter |  | 0.5000 |",
    ]


def test_columns_stand_in_the_order_of_their_first_appearance():
    assert lines(table({"a": {"x": 1}, "b": {"y": 2, "x": 3}}))[0] == "|  | x | y |"


def test_numbers_keep_three_decimals_and_whole_numbers_none():
    assert lines(table({"a": {"x": 1 / 3, "n": np.int64(7)}}))[2] == "| a | 0.333 | 7 |"
