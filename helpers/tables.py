"""Small tables of measured figures, shown as Markdown in a notebook."""

from collections.abc import Mapping

import numpy as np
from IPython.display import Markdown


def table(
    rows: Mapping[str, Mapping[str, object]], *, first: str = "", digits: Mapping[str, int] | int = 3
) -> Markdown:
    """Rows {row: {column: value}} as a Markdown table; a missing value is left empty.

    first: the heading of the row names. digits: decimals of float values, one number or one for each column (3 where
    a column is not named).
    """
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    lines = ["| " + " | ".join([first, *columns]) + " |", "| --- |" + " ---: |" * len(columns)]
    for name, row in rows.items():
        cells = [
            _text(row.get(column, ""), digits if isinstance(digits, int) else digits.get(column, 3))
            for column in columns
        ]
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return Markdown("\n".join(lines))


def _text(value: object, digits: int) -> str:
    return f"{value:.{digits}f}" if isinstance(value, (float, np.floating)) else str(value)
