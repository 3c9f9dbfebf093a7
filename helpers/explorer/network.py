"""Small Keras networks as plain arrays: read from a .keras file without Keras, computed with numpy.

network.js computes the same layers in the page. A layer is a dict: "kind", its settings, and its arrays.
"""

from __future__ import annotations

import io
import json
import math
import re
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np

from ..plumbing.files import Sentence, reading

if TYPE_CHECKING:
    import keras

Layer = dict[str, object]
BATCH = 64  # images at a time: a convolution's patches take memory
MOST_BYTES = 1 << 28  # of a model's file, unpacked
MOST_NUMBERS = 1 << 24  # that a layer may give for one image; a file can ask for any
REMEDY = "save the model again with Keras 3 (.keras)"

# Layers that do nothing once training is over.
SILENT = {"Dropout", "SpatialDropout2D", "GaussianNoise", "GaussianDropout", "AlphaDropout", "ActivityRegularization"}


def _erf(x: np.ndarray) -> np.ndarray:
    """Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26; error below 2e-7. network.js has it too."""
    t = 1 / (1 + 0.3275911 * np.abs(x))
    series = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t
    return np.sign(x) * (1 - series * np.exp(-x * x))


def _softmax(x: np.ndarray) -> np.ndarray:
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _elu(x: np.ndarray, alpha: float) -> np.ndarray:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * x))  # no overflow


# In each: the values, and the one setting of the layer of that name.
ACTIVATIONS: dict[str, Callable[[np.ndarray, float], np.ndarray]] = {
    "linear": lambda x, _: x,
    "relu": lambda x, _: np.maximum(x, 0),
    "sigmoid": lambda x, _: _sigmoid(x),
    "tanh": lambda x, _: np.tanh(x),
    "elu": _elu,
    "selu": lambda x, _: 1.0507009873554805 * _elu(x, 1.6732632423543772),
    "softplus": lambda x, _: np.logaddexp(x, 0),
    "leaky_relu": lambda x, slope: np.where(x > 0, x, slope * x),
    "gelu": lambda x, _: 0.5 * x * (1 + _erf(x / math.sqrt(2))),
    "silu": lambda x, _: x * _sigmoid(x),
    "softmax": lambda x, _: _softmax(x),
}
SETTINGS = {"elu": 1.0, "leaky_relu": 0.2}  # of the function; the layer has its own
ALIASES = {"swish": "silu"}


class Network:
    """A chain of layers as plain arrays; `network(inputs)` computes it with numpy, as Keras does to 1e-4.

    shape: of one input, (H, W, C) or (D,). trunk: its layers. heads: what follows the trunk, a list of layers for each
    output: one, or two for an encoder that gives [mean, log variance].

    Layers: Dense, Conv2D, Conv2DTranspose, Reshape, Flatten, UpSampling2D (nearest), MaxPooling2D, BatchNormalization,
    Dropout and noise, Rescaling, and the activations of `ACTIVATIONS`, as a layer or an argument. Whatever else a
    model has is a ValueError when it is read.
    """

    def __init__(self, shape: tuple[int, ...], trunk: list[Layer], heads: list[list[Layer]]):
        self.shape, self.trunk, self.heads = tuple(shape), trunk, heads
        outputs = self._compute(np.zeros((1, *self.shape), np.float32))
        self.output_shapes = [output.shape[1:] for output in outputs]

    def __call__(self, inputs: np.ndarray) -> np.ndarray | list[np.ndarray]:
        """inputs: (N, *shape). Gives (N, ...) float32, or [mean, log variance] where there are two outputs."""
        inputs = np.asarray(inputs, np.float32)
        if inputs.shape[1:] != self.shape:
            raise ValueError(f"the network takes inputs of shape (N, {_numbers(self.shape)}), not {inputs.shape}")
        parts = [self._compute(inputs[at : at + BATCH]) for at in range(0, len(inputs), BATCH)]
        if not parts:
            parts = [[np.zeros((0, *shape), np.float32) for shape in self.output_shapes]]
        outputs = [np.concatenate(output) for output in zip(*parts, strict=True)]
        return outputs if len(outputs) > 1 else outputs[0]

    def _compute(self, x: np.ndarray) -> list[np.ndarray]:
        for layer in self.trunk:
            x = _applied(layer, x)
        outputs = []
        for head in self.heads:
            y = x
            for layer in head:
                y = _applied(layer, y)
            outputs.append(y)
        return outputs

    @property
    def parameters(self) -> int:
        """How many numbers the layers hold."""
        layers = [*self.trunk, *(layer for head in self.heads for layer in head)]
        return sum(value.size for layer in layers for value in layer.values() if isinstance(value, np.ndarray))

    @classmethod
    def read(cls, path: str | Path) -> Network:
        """Read a .keras file without Keras.

        Raises ValueError for a file that is not one, and for a model with a layer or a setting that is not known.
        """
        path = Path(path)
        if not path.exists():
            raise FileNotFoundError(f"there is no file {path.name}: check its spelling and its folder")
        if not path.is_file():
            raise ValueError(f"{path.name} is no file; {REMEDY}")
        with reading(path.name, REMEDY):
            with zipfile.ZipFile(path) as archive:
                if sum(info.file_size for info in archive.infolist()) > MOST_BYTES:
                    raise Sentence(f"{path.name} is too large for the explorer; hand over a network of two numbers")
                config = json.loads(archive.read("config.json"))
                content = archive.read("model.weights.h5")
            with h5py.File(io.BytesIO(content)) as arrays:
                _check_sizes(arrays, path.name)
                return cls(*_parsed(config, arrays))

    @classmethod
    def of(cls, model: Network | keras.Model) -> Network:
        """The network of a Keras model, by way of a temporary file. A Network is given back as it is."""
        if isinstance(model, Network):
            return model
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.keras"
            try:
                model.save(path)
            except AttributeError:
                raise ValueError(f"a {type(model).__name__} is no Network and no Keras model") from None
            return cls.read(path)


def _numbers(shape: tuple[int, ...]) -> str:
    return ", ".join(map(str, shape))


# ---- reading


def _check_sizes(arrays: h5py.File, name: str) -> None:
    """A few bytes can promise terabytes."""
    promised = 0

    def add(_, value) -> None:
        nonlocal promised
        promised += value.nbytes if isinstance(value, h5py.Dataset) else 0

    arrays.visititems(add)
    if promised > MOST_BYTES:
        raise Sentence(f"{name} is too large for the explorer; hand over a network of two numbers")


def _parsed(config: dict, arrays: h5py.Group) -> tuple[tuple[int, ...], list[Layer], list[list[Layer]]]:
    """(shape of one input, trunk, heads) of a Sequential or a functional model."""
    kind, content = config["class_name"], config["config"]
    if kind not in ("Sequential", "Functional"):
        raise Sentence(f"the explorer reads Sequential and functional models, not {kind}; build it as one of them")
    layers = {layer["config"]["name"]: layer for layer in content["layers"]}
    groups = dict(zip(layers, _groups(layers.values()), strict=True))
    chains = [list(layers)] if kind == "Sequential" else _chains(content, layers)
    first = layers[chains[0][0]]
    shape = first["config"].get("batch_shape") or config.get("build_config", {}).get("input_shape")
    if not shape or None in shape[1:]:
        raise Sentence(f"the model {content['name']} has no fixed input shape; give it one by keras.Input(shape)")
    common = 0
    while len(chains) > 1 and all(chain[common : common + 1] == chains[0][common : common + 1] for chain in chains):
        common += 1
        if common == len(chains[0]):
            break
    common = common or len(chains[0])

    def export(names: list[str]) -> list[Layer]:
        made = []
        for name in names:
            if layers[name]["class_name"] in ("Sequential", "Functional"):  # a model in a model
                _, trunk, (head,) = _parsed(layers[name], arrays[f"layers/{groups[name]}"])
                made += trunk + head
            else:
                made += _exported(layers[name], arrays.get(f"layers/{groups[name]}/vars"))
        return made

    return tuple(shape[1:]), export(chains[0][:common]), [export(chain[common:]) for chain in chains]


def _groups(layers) -> list[str]:
    """The folders of the weights' file, which Keras calls by class: dense, dense_1, conv2d, ..."""
    seen: dict[str, int] = {}
    names = []
    for layer in layers:
        name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", layer["class_name"])
        name = re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
        number = seen[name] = seen.get(name, -1) + 1
        names.append(f"{name}_{number}" if number else name)
    return names


def _chains(content: dict, layers: dict[str, dict]) -> list[list[str]]:
    """The names of the layers from the input to each output."""
    outputs = content["output_layers"]
    outputs = [outputs] if isinstance(outputs[0], str) else outputs
    if len(outputs) > 2:
        raise Sentence(
            f"the model {content['name']} has {len(outputs)} outputs; an encoder gives the code, or its mean and log "
            "variance: make a keras.Model with these"
        )
    return [_chain(output[0], layers) for output in outputs]


def _chain(name: str, layers: dict[str, dict]) -> list[str]:
    chain = [name]
    while nodes := layers[chain[0]]["inbound_nodes"]:
        tensors = [found["config"]["keras_history"] for found in _tensors(nodes)]
        if len(nodes) != 1 or len(tensors) != 1:
            raise Sentence(f"the explorer cannot compute the layer {chain[0]}: it is not one link of a simple chain")
        chain.insert(0, tensors[0][0])
        if len(chain) > len(layers):
            raise Sentence("the explorer cannot compute a chain that leads back to itself")
    return chain


def _tensors(value: object) -> list[dict]:
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            return [value]
        value = list(value.values())
    return [found for part in value for found in _tensors(part)] if isinstance(value, list) else []


def _exported(layer: dict, arrays: h5py.Group | None) -> list[Layer]:
    """One layer of a model's configuration as one or two of ours; ValueError for what is not known."""
    kind, config = layer["class_name"], layer["config"]
    name = f"{config.get('name')} ({kind})"
    needed = {"data_format": "channels_last", "dilation_rate": 1, "groups": 1, "output_padding": None}
    for setting, wanted in needed.items():
        value = config.get(setting, wanted)
        if value != wanted and not (isinstance(value, list) and set(value) == {wanted}):
            raise Sentence(f"the explorer cannot compute the layer {name}: {setting} is {value}, not {wanted}")

    def weights(*wanted: str) -> list[np.ndarray]:
        if arrays is None or len(arrays) < len(wanted):
            raise Sentence(f"the layer {name} has no weights yet; call the model once before you hand it over")
        return [np.asarray(arrays[str(k)], np.float32) for k in range(len(wanted))]

    def with_bias() -> dict[str, np.ndarray]:
        if config.get("quantization_config") or config.get("lora_rank"):
            raise Sentence(f"the explorer cannot compute the layer {name}: its weights are quantized or split")
        names = ("kernel", "bias") if config["use_bias"] else ("kernel",)
        return dict(zip(names, weights(*names), strict=True))

    if kind == "InputLayer" or kind in SILENT:
        return []
    if kind in ("Dense", "Conv2D", "Conv2DTranspose"):
        made: Layer = {"kind": {"Dense": "dense", "Conv2D": "conv", "Conv2DTranspose": "transposed"}[kind]}
        if kind != "Dense":
            made |= {"strides": list(config["strides"]), "same": config["padding"] == "same"}
        return [made | with_bias(), *_activation(config["activation"], name)]
    if kind == "Flatten":
        return [{"kind": "reshape", "shape": [-1]}]
    if kind == "Reshape":
        return [{"kind": "reshape", "shape": list(config["target_shape"])}]
    if kind == "UpSampling2D" and config["interpolation"] == "nearest":
        return [{"kind": "upsample", "size": list(config["size"])}]
    if kind == "MaxPooling2D":
        pool, same = list(config["pool_size"]), config["padding"] == "same"
        return [{"kind": "pool", "size": pool, "strides": list(config["strides"] or pool), "same": same}]
    if kind == "BatchNormalization":
        return [_normalization(config, name, weights)]
    if kind == "Rescaling":
        scale, offset = (np.atleast_1d(np.asarray(config[part], np.float32)) for part in ("scale", "offset"))
        if scale.ndim == offset.ndim == 1:
            return [{"kind": "affine", "scale": scale, "offset": offset}]
    if kind == "Activation":
        return _activation(config["activation"], name)
    if kind == "ReLU" and config["max_value"] is None and not config["threshold"]:
        return [_active("leaky_relu", config["negative_slope"])]
    if kind == "LeakyReLU":
        return [_active("leaky_relu", config.get("negative_slope", config.get("alpha")))]
    if kind == "ELU":
        return [_active("elu", config["alpha"])]
    if kind == "Softmax" and config["axis"] in (-1, [-1]):
        return [_active("softmax")]
    raise Sentence(f"the explorer cannot compute the layer {name}; leave it out, or use one that it knows")


def _normalization(config: dict, name: str, weights: Callable) -> Layer:
    names = (["gamma"] if config["scale"] else []) + (["beta"] if config["center"] else []) + ["mean", "variance"]
    found = dict(zip(names, weights(*names), strict=True))
    if isinstance(config["axis"], list) or config["axis"] not in (-1, 1, 3):
        raise Sentence(f"the explorer cannot compute the layer {name}: axis is {config['axis']}, not -1")
    scale = found.get("gamma", 1) / np.sqrt(found["variance"] + config["epsilon"])
    offset = found.get("beta", 0) - found["mean"] * scale
    return {"kind": "affine", "scale": scale, "offset": offset, "axis": config["axis"]}


def _activation(named: object, layer: str) -> list[Layer]:
    if isinstance(named, dict):  # a function, or a layer, that was handed over instead of its name
        content = named.get("config")
        if isinstance(content, dict) and named.get("class_name") not in ("function", None):
            return _exported({"class_name": named["class_name"], "config": {"name": layer} | content}, None)
        named = content
    named = ALIASES.get(named, named) if isinstance(named, str) else named
    if named in (None, "linear"):
        return []
    if named not in ACTIVATIONS:
        known = ", ".join(sorted(ACTIVATIONS))
        raise Sentence(f"the explorer cannot compute the layer {layer}: activation {named} is not one of {known}")
    return [_active(named)]


def _active(name: str, setting: float | None = None) -> Layer:
    return {"kind": "activation", "name": name, "setting": SETTINGS.get(name, 0.0) if setting is None else setting}


# ---- computing


def _applied(layer: Layer, x: np.ndarray) -> np.ndarray:
    kind = layer["kind"]
    if kind == "dense":
        return x @ layer["kernel"] + layer.get("bias", 0)
    if kind == "conv":
        return _convolved(x, layer)
    if kind == "transposed":
        return _transposed(x, layer)
    if kind == "reshape":
        x = x.reshape(len(x), *layer["shape"])
        layer["shape"] = list(x.shape[1:])  # the page wants no -1
        return x
    if kind == "upsample":
        _check_size(x.shape[1] * layer["size"][0], x.shape[2] * layer["size"][1], *x.shape[3:])
        return x.repeat(layer["size"][0], axis=1).repeat(layer["size"][1], axis=2)
    if kind == "pool":
        return _windows(x, layer["size"], layer["strides"], layer["same"], -np.inf).max(axis=(3, 4))
    if kind == "affine":
        if layer.get("axis", -1) not in (-1, x.ndim - 1):
            raise Sentence("the explorer cannot compute a normalization over another axis than the last; use axis=-1")
        return x * layer["scale"] + layer["offset"]
    return ACTIVATIONS[layer["name"]](x, layer["setting"])


def _check_size(*shape: int) -> None:
    if math.prod(shape) > MOST_NUMBERS:
        raise Sentence(f"the explorer cannot compute a layer that gives {_numbers(shape)} numbers; make it smaller")


def _before(length: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after, for padding "same" as TensorFlow has it."""
    total = max((math.ceil(length / stride) - 1) * stride + kernel - length, 0)
    return total // 2, total - total // 2


def _windows(x: np.ndarray, size: list[int], strides: list[int], same: bool, fill: float) -> np.ndarray:
    """(N, H', W', kernel height, kernel width, C): what each place of a kernel sees."""
    if same:
        around = [_before(x.shape[k + 1], size[k], strides[k]) for k in (0, 1)]
        _check_size(*(x.shape[k + 1] + sum(around[k]) for k in (0, 1)), *x.shape[3:])
        x = np.pad(x, [(0, 0), *around, (0, 0)], constant_values=fill)
    windows = np.lib.stride_tricks.sliding_window_view(x, size, axis=(1, 2))  # (N, H, W, C, kh, kw)
    return windows[:, :: strides[0], :: strides[1]].transpose(0, 1, 2, 4, 5, 3)


def _convolved(x: np.ndarray, layer: Layer) -> np.ndarray:
    kernel = layer["kernel"]
    windows = _windows(x, kernel.shape[:2], layer["strides"], layer["same"], 0)
    _check_size(*windows.shape[1:])
    flat = windows.reshape(*windows.shape[:3], -1) @ kernel.reshape(-1, kernel.shape[-1])
    return flat + layer.get("bias", 0)


def _transposed(x: np.ndarray, layer: Layer) -> np.ndarray:
    """Each input lays its kernel, times itself, on the output; "same" then cuts the output to input times stride."""
    kernel, strides = layer["kernel"], layer["strides"]  # (kernel height, kernel width, filters, channels)
    lengths = [x.shape[1], x.shape[2]]
    full = [lengths[k] * strides[k] + max(kernel.shape[k] - strides[k], 0) for k in (0, 1)]
    _check_size(*full, kernel.shape[2])
    out = np.zeros((len(x), *full, kernel.shape[2]), np.float32)
    for row in range(kernel.shape[0]):
        for column in range(kernel.shape[1]):
            rows = slice(row, row + (lengths[0] - 1) * strides[0] + 1, strides[0])
            columns = slice(column, column + (lengths[1] - 1) * strides[1] + 1, strides[1])
            out[:, rows, columns] += x @ kernel[row, column].T
    if layer["same"]:
        top, left = (max(kernel.shape[k] - strides[k], 0) // 2 for k in (0, 1))
        out = out[:, top : top + lengths[0] * strides[0], left : left + lengths[1] * strides[1]]
    return out + layer.get("bias", 0)
