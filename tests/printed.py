"""What a lesson prints: is it what was saved, and does it hold the numbers that the text names?

Of two runs of a cell the same words must come out, in the same rows, columns and lines. Numbers may differ:

- one with a decimal point, an exponent or a percent sign by 1% or by two units of its last printed digit, whichever is
  more (24.13 by 0.24, 0.0737 by 0.0007, 0.95 by 0.02); one without by nothing;
- in a cell tagged `tolerance-0.1` every number by 10% (or two units); in a cell tagged `live` by anything;
- where the row, the column or the line speaks of time (s, ms, seconds, minutes, hours, time) by anything, words too.

Figures, widgets, HTML, red text and cells tagged `not-compared` are not looked at.
"""

import math
import re
from collections.abc import Iterator

from lessons import FENCE, FOLD, joined, tags
from nbformat import NotebookNode

RELATIVE = 0.01
UNITS = 2
NUMBER = re.compile(r"(?<![\w.])[-+−]?\d+(?:,\d{3})*(\.\d+)?(e[-+]?\d+)?(?!\w|\.\d)( ?%)?")
TIME = re.compile(r"(?<![A-Za-z'’_])(µs|ms|s|(?i:seconds?|minutes?|hours?|time))(?![A-Za-z_'’])")
NOISE = re.compile(r"\x1b\[[\d;]*m|\x08|0x[0-9a-f]+|\*\*")  # colours, backspaces, addresses, bold
NOT_TEXT = ("image/png", "text/html", "application/vnd.jupyter.widget-view+json")


# ---- printed twice


def differences(saved: NotebookNode, new: NotebookNode) -> Iterator[str]:
    """A sentence for everything that the cells of `saved` print otherwise in `new`, where cells have the same ids."""
    again = {cell.id: cell for cell in new.cells}
    for number, cell in enumerate(saved.cells, start=1):
        if cell.cell_type != "code" or "not-compared" in tags(cell):
            continue
        old, fresh, tolerance = pieces(cell), pieces(again[cell.id]), _tolerance(cell)
        for place in dict.fromkeys([*old, *fresh]):
            if place not in fresh:
                yield f"cell {number}, {place}: {old[place]!r} was saved, and nothing came out"
            elif place not in old:
                yield f"cell {number}, {place}: {fresh[place]!r} came out, and nothing was saved"
            elif not alike(old[place], fresh[place], tolerance) and not TIME.search(f"{place} {old[place]}"):
                yield f"cell {number}, {place}: {old[place]!r} was saved, {fresh[place]!r} came out"


def pieces(cell: NotebookNode) -> dict[str, str]:
    """{place: text} of all that a cell prints: `line 2`, or `table 1, row "U-Net", column "PSNR (dB)"`."""
    found: dict[str, str] = {}
    tables = lines = 0
    header: list[str] = []
    for line in printed(cell).split("\n"):
        line = " ".join(NOISE.sub("", line.rstrip("\r").rpartition("\r")[2]).split())
        if not line.startswith("|"):
            header = []
            if line:
                lines += 1
                found[f"line {lines}"] = line
            continue
        values = [value.strip() for value in line.strip("|").split("|")]
        if not header:
            tables, header = tables + 1, values
        elif not re.fullmatch(r"[-:| ]+", line):
            name = f'table {tables}, row "{values[0]}"'
            if any(place.startswith(f"{name}, ") for place in found):
                name += f" (line {len(found)})"  # a name that comes twice
            found |= {f'{name}, column "{one}"': value for one, value in zip(header[1:], values[1:], strict=False)}
    return found


def printed(cell: NotebookNode) -> str:
    """The plain text and the Markdown that a cell's outputs show."""
    text, last = "", None
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        if output.output_type == "stream" and output.name == "stdout":
            text += ("" if last == "stream" else "\n\n") + joined(output.text)
        elif "text/markdown" in data:
            text += "\n\n" + joined(data["text/markdown"])
        elif "text/plain" in data and not any(kind in data for kind in NOT_TEXT):
            text += "\n\n" + joined(data["text/plain"])
        last = output.output_type
    return text


def alike(saved: str, new: str, tolerance: float | None = None) -> bool:
    """Whether two texts have the same words, and numbers within `tolerance` (None: as the top of this file says)."""
    if NUMBER.sub("#", saved) != NUMBER.sub("#", new):
        return False
    pairs = zip(NUMBER.finditer(saved), NUMBER.finditer(new), strict=True)
    return all(_close(old, fresh, tolerance) for old, fresh in pairs)


def _close(old: re.Match, fresh: re.Match, tolerance: float | None) -> bool:
    if tolerance == math.inf:
        return True
    values = [_value(found) for found in (old, fresh)]
    point, exponent, percent = old.groups()
    if not (point or exponent or percent) and tolerance is None:
        return values[0] == values[1]
    unit = 10.0 ** (int((exponent or "e0")[1:]) - len((point or ".")[1:]))
    allowed = max((RELATIVE if tolerance is None else tolerance) * abs(values[0]), UNITS * unit)
    return abs(values[0] - values[1]) <= allowed * (1 + 1e-9)


def _value(found: re.Match) -> float:
    return float(found.group().rstrip(" %").replace(",", "").replace("−", "-"))


def _tolerance(cell: NotebookNode) -> float | None:
    if "live" in tags(cell):
        return math.inf
    return next((float(tag.partition("-")[2]) for tag in tags(cell) if tag.startswith("tolerance-")), None)


# ---- named in the text

DECIMAL = re.compile(r"(?<![\w.])\d+(?:,\d{3})*\.\d+(?!\w|\.\d)")
NOT_PROSE = re.compile(r"\$\$.*?\$\$|\$[^$\n]+\$|`[^`]*`|</?[A-Za-z][^>]*>", re.S)
SENTENCE = re.compile(r"(?<=[.!?])\s+|\n\s*\n|\n(?=\s*(?:\||[-*] |\d+\. ))")  # a row or an item is one too
LINK = re.compile(r"!?\[[^\]]*\]\([^)]*\)|https?://\S+")
QUOTED = re.compile(r"\"([^\"]*)\"|“([^”]*)”")


def unprinted(prose: str, shown: str) -> list[str]:
    """The numbers with a decimal point in Markdown `prose` that `shown` holds nowhere, at the prose's rounding.

    Not looked at: code, formulas, links, numbers followed by a unit of time, numbers in words, and a sentence that
    quotes its source, which is one with a title in quotation marks ("Applying autoencoder networks with Keras").
    """
    there = [float(one.replace(",", "")) for one in re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?", shown)]
    missing = []
    for sentence in SENTENCE.split(NOT_PROSE.sub(" ", FENCE.sub("", prose))):
        titles = ["".join(found).split() for found in QUOTED.findall(sentence)]
        if any(len(words) > 1 and words[0][0].isupper() for words in titles):
            continue
        sentence = LINK.sub(" ", sentence)
        for found in DECIMAL.finditer(sentence):
            value, digits = float(found.group().replace(",", "")), len(found.group().partition(".")[2])
            is_time = TIME.match(sentence[found.end() :].lstrip(" -\n"))
            if not is_time and not any(abs(value - one) <= 0.5 * 10**-digits + 1e-9 for one in there):
                missing.append(found.group())
    return missing


def without_folds(markdown: str) -> str:
    """Text without its solutions: what those say is held against what they print when they are run."""
    return FOLD.sub("", markdown)
