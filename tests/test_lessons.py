"""The finished lessons, run with their exercises' solutions; their networks; and the tools of both on made-up lessons.

pytest notebooks                                                  on few synthetic images: no cell fails
AUTOENCODER_DATA=... pytest tests/test_lessons.py -m realdata     as a reader runs them: they print what is saved
"""

import os
import re
from collections.abc import Iterator

import keras
import nbformat
import numpy as np
import pytest
from lessons import LESSONS, as_a_reader, execute, exercises, joined, networks, with_solutions
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell as code
from nbformat.v4 import new_markdown_cell as text
from nbformat.v4 import new_output
from printed import differences, pieces, printed, unprinted
from real_images import real

from helpers import models, vae
from helpers.plumbing.files import PROJECT

FOLDER = PROJECT / "notebooks"


def saved(name: str) -> NotebookNode:
    return nbformat.read(FOLDER / name, as_version=4)


@pytest.mark.realdata
@pytest.mark.parametrize("name", LESSONS)
def test_a_reader_sees_what_is_saved(name):
    lesson = saved(name)
    for images in set(re.findall(r"datasets\.load\(\s*[\"'](\w+)", "\n".join(joined(c.source) for c in lesson.cells))):
        real(images)  # or a skip
    new = execute(lesson, FOLDER, as_a_reader(), seconds=900)
    wrong = [*differences(lesson, new), *said_of_solutions(new)]
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


def said_of_solutions(new: NotebookNode) -> Iterator[str]:
    """A sentence for each number in a solution's text that the executed lesson prints nowhere."""
    shown = "\n".join(printed(cell) + "\n" + cell.source for cell in new.cells if cell.cell_type == "code")
    for number, exercise in enumerate(exercises(new), start=1):
        for one in unprinted(exercise.fold, shown):
            yield f"the text of solution {number} says {one}, which nothing prints"


# ---- the network on the page is the one that the lab trains


def other_than(builder: str, variable: str, source: str) -> str:
    """In what the network that a cell builds differs from `helpers.models.<builder>`; an empty string for nothing.

    builder: a name, or a call with one argument (a tag holds no comma); "vae.<builder>" is one of `helpers.vae`.
    Compared: layers, weights' shapes, and what comes out, and is added to the loss, for equal weights.
    """
    place = builder if builder.startswith("vae.") else f"models.{builder}"
    theirs = eval(place + ("" if builder.endswith(")") else "()"), {"models": models, "vae": vae})
    theirs = theirs[-1] if isinstance(theirs, tuple) else theirs  # encoder, decoder, autoencoder
    space: dict = {}
    exec("import keras\nfrom keras import layers, ops\nimport numpy as np", space)
    exec(source, space)
    mine = space[variable]
    if not isinstance(mine, keras.Model):
        return f"{variable} is no model but {mine!r}"
    if mine.count_params() != theirs.count_params():
        return f"{mine.count_params():,} parameters, and {theirs.count_params():,} in helpers.models"
    for one, other in zip(_layers(mine), _layers(theirs), strict=False):
        if one != other:
            return f"layer {one}, and in helpers.models {other}"
    if len(_layers(mine)) != len(_layers(theirs)):
        return f"{len(_layers(mine))} layers, and {len(_layers(theirs))} in helpers.models"
    if [w.shape for w in mine.weights] != [w.shape for w in theirs.weights]:
        return f"weights {[w.shape for w in mine.weights]}, in helpers.models {[w.shape for w in theirs.weights]}"
    mine.set_weights(theirs.get_weights())
    rng = np.random.default_rng(0)
    sizes = [(2, *(side or 32 for side in tensor.shape[1:])) for tensor in theirs.inputs]  # None: of any size
    images = [rng.random(size, dtype=np.float32) for size in sizes]
    images = images[0] if len(images) == 1 else images
    if not np.allclose(mine.predict_on_batch(images), theirs.predict_on_batch(images), atol=1e-5):
        return "the same layers, joined otherwise than in helpers.models"
    if not np.allclose(_added(mine, images), _added(theirs, images), rtol=1e-5):
        return f"{_added(mine, images)} is added to the loss, and {_added(theirs, images)} in helpers"
    return ""


def _added(model, images) -> float:
    """What layers add to the loss, such as a KL term."""
    model(images)
    return sum(float(loss) for loss in model.losses)


def _layers(model) -> list[tuple[str, dict]]:
    """(class, settings without names) of every layer, those of inner models too."""
    found = []
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            found += _layers(layer)
        elif not isinstance(layer, keras.layers.InputLayer):
            settings = {key: value for key, value in layer.get_config().items() if key != "name"}
            found.append((type(layer).__name__, settings))
    return found


NETWORKS = [(name, *network) for name in LESSONS for network in networks(saved(name))]


@pytest.mark.parametrize(("name", "builder", "variable", "source"), NETWORKS, ids=[f"{n[0]}-{n[2]}" for n in NETWORKS])
def test_the_network_on_the_page_is_the_one_that_was_trained(name, builder, variable, source):
    assert not other_than(builder, variable, source), f"{name}, {variable}: {other_than(builder, variable, source)}"


CONV = """
conv = dict(padding="same", activation="relu")
denoiser = keras.Sequential([
    keras.Input((28, 28, 1)),
    layers.Conv2D(32, 3, **conv),
    layers.MaxPooling2D(2, padding="same"),
    layers.Conv2D(32, 3, **conv),
    layers.MaxPooling2D(2, padding="same"),
    layers.Conv2D(32, 3, **conv),
    layers.UpSampling2D(2),
    layers.Conv2D(32, 3, **conv),
    layers.UpSampling2D(2),
    layers.Conv2D(1, 3, padding="same", activation="sigmoid"),
])
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("", "", ""),
        ("Conv2D(1, 3", "Conv2D(1, 5", "28,865 parameters, and 28,353"),
        ("sigmoid", "relu", "'activation': 'relu'"),
        ("    layers.UpSampling2D(2),\n", "", "layer ('Conv2D'"),
        ("])\n", "    layers.Flatten(),\n])\n", "10 layers, and 9"),
        ("])\n", "]).name\n", "is no model"),
    ],
)
def test_a_network_is_told_from_another(old, new, said):
    lesson = nbformat.v4.new_notebook(
        cells=[code(CONV.replace(old, new), metadata={"tags": ["network:conv_autoencoder=denoiser"]})]
    )
    ((builder, variable, source),) = networks(lesson)
    found = other_than(builder, variable, source)
    assert said in found and bool(said) == bool(found)


def test_a_builder_may_have_an_argument_and_give_three_models():
    source = """
image = keras.Input((28, 28, 1))
code = layers.Dense(8, activation="relu")(layers.Flatten()(image))
model = keras.Model(image, layers.Reshape((28, 28, 1))(layers.Dense(784, activation="sigmoid")(code)))
"""
    tagged = code(source, metadata={"tags": ["network:dense_autoencoder(widths=[8])=model"]})
    ((builder, variable, _),) = networks(nbformat.v4.new_notebook(cells=[tagged]))
    assert other_than(builder, variable, source) == ""


VAE = """
class Sampler(layers.Layer):
    def __init__(self, beta=1.0, seed=0, **kwargs):
        super().__init__(**kwargs)
        self.beta, self.seed_generator = beta, keras.random.SeedGenerator(seed)

    def call(self, mean, log_variance, training=False):
        kl = 0.5 * ops.sum(ops.exp(log_variance) + mean**2 - 1 - log_variance, axis=-1)
        self.add_loss(self.beta * ops.mean(kl))
        if not training:
            return mean
        return mean + ops.exp(log_variance / 2) * keras.random.normal(ops.shape(mean), seed=self.seed_generator)

image, code = keras.Input((28, 28, 1)), keras.Input((2,))
x = layers.Flatten()(image)
for _ in range(2):
    x = layers.Dense(128, activation="relu")(x)
encoder = keras.Model(image, [layers.Dense(2)(x), layers.Dense(2)(x)])
x = code
for _ in range(2):
    x = layers.Dense(128, activation="relu")(x)
decoder = keras.Model(code, layers.Reshape((28, 28, 1))(layers.Dense(784, activation="sigmoid")(x)))
model = keras.Model(image, decoder(Sampler(1.0)(*encoder(image))))
"""


@pytest.mark.parametrize(("old", "new", "same"), [("", "", True), ("ops.sum(", "ops.mean(", False)])
def test_the_kl_term_on_the_page_counts(old, new, same):
    assert (other_than("vae.variational_autoencoder", "model", VAE.replace(old, new)) == "") is same


def test_layers_joined_otherwise_are_another_network(monkeypatch):
    source = """
image = keras.Input((4, 4, 1))
a = layers.Conv2D(1, 3, padding="same")(image)
b = layers.Conv2D(1, 3, padding="same")(a)
model = keras.Model(image, layers.Add()([a, b]))
"""
    space = {"keras": keras, "layers": keras.layers}
    exec(source, space)
    monkeypatch.setattr(models, "skip", lambda: space["model"], raising=False)
    assert other_than("skip", "model", source) == ""
    assert "joined otherwise" in other_than("skip", "model", source.replace("[a, b]", "[image, b]"))


def test_a_network_may_stand_in_several_cells():
    cells = [code("a = 1", metadata={"tags": ["network-part"]}), code("b = 2")]
    cells.append(code("model = a", metadata={"tags": ["live", "network:small=model"]}))
    lesson = nbformat.v4.new_notebook(cells=cells)
    assert list(networks(lesson)) == [("small", "model", "a = 1\nmodel = a\n")]


# ---- exercises


def fold(solution: str, words: str = "") -> str:
    return f"<details><summary>Solution</summary>\n\n{words}\n\n```python\n{solution}\n```\n\n</details>"


def small_lesson(*solutions: str) -> NotebookNode:
    """A lesson of one cell, `x = 3`, and an exercise for every solution."""
    cells = [text("# A title\n\n```python\nraise SystemExit\n```"), code("import os; x = 3\nprint(x, os.getcwd())")]
    cells.append(text("## Exercises\n\n```\n# no heading\n```"))
    for solution in solutions:
        cells += [text("Do it."), code("# your code here"), text(fold(solution))]
    return nbformat.v4.new_notebook(cells=[*cells, text("## Further reading\n\n" + fold("not this one"))])


def test_solutions_run_after_the_cells_that_they_start_in():
    lesson = small_lesson("y = 1", "if y:\n    y = 2")
    lesson.cells[5].source = lesson.cells[5].source.replace("</details>", "```python\n   y = 5\n```\n</details>")
    sources = [cell.source for cell in with_solutions(lesson).cells if cell.cell_type == "code"][1:]
    assert sources == ["# your code here", "y = 1\n\ny = 5\n", "# your code here", "if y:\n    y = 2\n"]
    assert len(lesson.cells) == 10  # the lesson itself stays as it is


def test_an_indented_solution_is_code_too():
    lesson = small_lesson("y = 1")
    lesson.cells[5].source = "\n".join("   " + line for line in fold("if x:\n    y = 1").split("\n"))
    assert exercises(lesson)[0].solution == "if x:\n    y = 1\n"


def test_a_lesson_runs_with_its_solutions_in_its_folder_and_environment(tmp_path):
    lesson = small_lesson("import os; print(x + 1, os.environ['NAME'])")
    new = execute(lesson, tmp_path, os.environ | {"NAME": "this"})
    shown = [joined(cell.outputs[0].text) for cell in new.cells if cell.get("outputs")]
    assert shown == [f"3 {tmp_path}\n", "4 this\n"]
    assert not any(cell.get("outputs") for cell in lesson.cells)


def test_a_solution_that_fails_is_named(tmp_path):
    with pytest.raises(AssertionError, match="solution-2 failed: (?s:.*)name 'z' is not defined"):
        execute(small_lesson("y = x", "z", "y"), tmp_path, dict(os.environ))


def test_a_cell_that_fails_is_named(tmp_path):
    lesson = small_lesson("y = x")
    lesson.cells[1].source = "1 / 0"
    with pytest.raises(AssertionError, match="cell 2 failed: (?s:.*)ZeroDivisionError"):
        execute(lesson, tmp_path, dict(os.environ))


def test_a_reader_has_no_preset(monkeypatch):
    monkeypatch.setenv("AE_PRESET", "smoke")
    assert as_a_reader() == {name: value for name, value in os.environ.items() if name != "AE_PRESET"}


# ---- what is printed


TABLE = """| method | PSNR (dB) | SSIM | images | seconds |
| --- | ---: | ---: | ---: | ---: |
| median | 18.03 | 0.71 | 1,000 | 3.1 |
| **U-Net** | **25.11** | 0.95 | 1,000 | 4.9 |
"""
STREAM = "MNIST, 60,000 + 10,000 images\nerror 0.0737 after 100 epochs, 91.2 % read\ntrained in 12 s"


def ran(table: str = TABLE, stream: str = STREAM, tag: str = "") -> NotebookNode:
    """An executed notebook with one cell, the second, that prints and shows a table."""
    cell = code("cell", id="cell", metadata={"tags": [tag]} if tag else {})
    cell.outputs = [
        *(new_output("stream", name="stdout", text=part) for part in re.split(r"(?<=,)", stream)),
        new_output("stream", name="stderr", text=str(id(cell))),
        new_output("display_data", data={"text/markdown": table, "text/plain": "<Markdown>"}),
        new_output("execute_result", data={"image/png": "", "text/plain": f"<Figure {id(cell)}>"}),
    ]
    return nbformat.v4.new_notebook(cells=[text("text"), cell])


@pytest.mark.parametrize(
    ("old", "new", "tag"),
    [
        ("", "", ""),
        ("18.03", "18.20", ""),  # 1%
        ("0.0737", "0.0744", ""),  # 1%
        ("0.71", "0.69", ""),  # two units of the last digit
        ("91.2 %", "90.9 %", ""),
        ("12 s", "2 minutes", ""),
        ("| 3.1", "| 99", ""),
        ("| 18.03", "|    18.03", ""),
        ("18.03", "19.50", "tolerance-0.1"),
        ("100 epochs", "95 epochs", "tolerance-0.1"),
        ("0.0737", "0.9", "live"),
        ("median", "something else", "not-compared"),
    ],
)
def test_what_is_nearly_the_same_passes(old, new, tag):
    again = ran(TABLE.replace(old, new), STREAM.replace(old, new), tag) if old else ran()
    assert list(differences(ran(tag=tag), again)) == []


@pytest.mark.parametrize(
    ("old", "new", "tag", "said"),
    [
        ("18.03", "18.22", "", "cell 2, table 1, row \"median\", column \"PSNR (dB)\": '18.03' was saved, '18.22'"),
        ("0.71", "0.74", "", "column \"SSIM\": '0.71' was saved, '0.74' came out"),
        ("0.71", "n/a", "", "column \"SSIM\": '0.71' was saved, 'n/a' came out"),
        ("| 1,000", "| 1,001", "", "column \"images\": '1,000' was saved, '1,001' came out"),
        ("18.03", "-18.03", "", "'18.03' was saved, '-18.03' came out"),
        ("18.03", "18.03 dB", "", "'18.03' was saved, '18.03 dB' came out"),
        ("| median | 18.03 | 0.71 | 1,000 | 3.1 |\n", "", "", 'row "median", column "SSIM": \'0.71\' was saved, and'),
        ("U-Net", "autoencoder", "", 'row "autoencoder", column "PSNR (dB)": \'25.11\' came out, and nothing was'),
        ("SSIM", "MSE", "", "column \"MSE\": '0.71' came out, and nothing was saved"),
        (TABLE, "", "", "'1,000' was saved, and nothing came out"),
        ("0.0737", "0.0745", "", "line 2: 'error 0.0737 after 100 epochs, 91.2 % read' was saved, 'error 0.0745 "),
        ("100 epochs", "99 epochs", "", "line 2: "),
        ("91.2 %", "89.9 %", "", "line 2: "),
        ("images\n", "images\nmore\n", "", "cell 2, line 4: 'trained in 12 s' came out, and nothing was saved"),
        ("18.03", "20.00", "tolerance-0.1", "'18.03' was saved, '20.00' came out"),
        ("epochs", "steps", "live", "line 2: "),
        ("median", "mean", "live", 'row "mean"'),
    ],
)
def test_what_differs_is_told(old, new, tag, said):
    found = list(differences(ran(tag=tag), ran(TABLE.replace(old, new), STREAM.replace(old, new), tag)))
    assert any(said in sentence for sentence in found), found


def test_a_progress_bar_is_its_last_state():
    shown = "Epoch 1/2\n1/9 ...\b\b\r\x1b[1m9/9\x1b[0m loss: 0.1\n"
    cell = code("fit", outputs=[new_output("stream", name="stdout", text=shown)])
    assert pieces(cell) == {"line 1": "Epoch 1/2", "line 2": "9/9 loss: 0.1"}


def test_rows_of_one_name_are_all_compared():
    twice = "| a | b |\n| - | - |\n| x | 1 |\n| x | 2 |\n"
    assert list(differences(ran(twice), ran(twice))) == []
    assert len(list(differences(ran(twice), ran(twice.replace("2", "3"))))) == 1


# ---- what the text says


SHOWN = "| here | 0.07367 | 24.13 |\nlr = 1e-3, 1,234.56 and 0.8"


@pytest.mark.parametrize(
    "prose",
    [
        "0.0737, or 0.074, and 24.1 dB; -24.1; 0.001; 1,234.6",
        "seventy-five, 76 and 2016",
        "`0.5`, $x = 0.5$, $$\n0.5\n$$ and [section 0.5](https://example.org/0.5), https://example.org/0.5",
        "```\n0.5\n```\nIt takes 2.5 minutes, or 1.5 s.",
        '"Applying autoencoder networks with Keras" has 0.0739.',
        "| “Autoencoders, the course page” | 0.0739 |\n| here | 0.0737 |",
        'version 2.21.0, 28x28x1, <img alt="0.5" width="0.5">',
    ],
)
def test_numbers_that_need_no_print_or_have_one(prose):
    assert unprinted(prose, SHOWN) == []


@pytest.mark.parametrize(
    ("prose", "missing"),
    [
        ("0.0739 here", ["0.0739"]),
        ("0.0737 and 0.07368", ["0.07368"]),
        ("24.2 dB.", ["24.2"]),
        ("It wins by 0.5.\n0.6 is", ["0.5", "0.6"]),
        ('"Applying autoencoder networks with Keras" has 0.0739. We have 0.0738.', ["0.0738"]),
        ('A "good" one of "bad" ones: 0.5', ["0.5"]),
        ("| “Autoencoders, the course page” | 0.0739 |\n| here | 0.0738 |", ["0.0738"]),
    ],
)
def test_numbers_that_nothing_prints(prose, missing):
    assert unprinted(prose, SHOWN) == missing


def test_a_solutions_text_is_held_against_its_run():
    lesson = small_lesson("print(0.25)")
    lesson.cells[5].source = fold("print(0.25 * 3)", "It gives 0.75.")
    new = with_solutions(lesson)
    assert list(said_of_solutions(new)) == ["the text of solution 1 says 0.75, which nothing prints"]
    new.cells[6].outputs = [new_output("stream", name="stdout", text="0.75")]
    assert list(said_of_solutions(new)) == []
