"""What makes a training run this one and no other: eight hex digits from everything that can change its result.

What is installed (Keras, NumPy, Python itself) is known by its name; the rest, notebooks and `helpers`, by its code.
"""

import dis
import functools
import hashlib
import inspect
import json
import re
import sys
import sysconfig
import types
from collections.abc import Iterator

import keras
import numpy as np

from ..photos import PhotoFolder

STANDARD_LIBRARY = sysconfig.get_path("stdlib")
NOT_SETTINGS = ("build", "quantize", "loss")  # what Keras wraps in every layer, and what `compile` leaves behind
CACHED = type(functools.cache(len))
PLAIN = (type(None), bool, int, float, complex, str, bytes, range, slice, type(...), np.dtype)


class Unidentified(ValueError):
    """Something that cannot be known again when it is seen again: a lambda, a closure, a bound method."""


def fingerprint(model: keras.Model, train, validation, *, loss, optimizer, callbacks=()) -> str:
    """Eight hex digits that are the same, in every session, for the same recipe and for no other.

    They cover the network's layers with all their settings, its weights and random generators as they are now, the
    loss, the optimizer with its schedule, all bytes of both data sets with their settings (of a `PhotoFolder` the
    names and sizes of the files), the callbacks that have no attribute `only_watches = True`, and the code of
    functions and classes. Automatic names of layers do not count.

    Raises `Unidentified` with a sentence that says which part cannot be identified.
    """
    parts = {
        "network": model,
        "training data": train,
        "validation data": validation,
        "loss": loss,
        "optimizer": optimizer,
        "callbacks": [one for one in callbacks if not getattr(one, "only_watches", False)],
    }
    recipe = []
    for part, value in parts.items():
        try:
            recipe.append(_identity(value, set()))
        except Unidentified as error:
            raise Unidentified(f"the {part} cannot be identified, because of {error}") from None
    return hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:8]


def _identity(value, seen: set) -> list:
    """`value` as nested lists for JSON. seen: the functions and classes told already, as some use each other."""
    if isinstance(value, PLAIN):
        return [type(value).__name__, repr(value)]
    if isinstance(value, (list, tuple)):
        return [_identity(item, seen) for item in value]
    if isinstance(value, dict):
        named = {repr(key): item for key, item in value.items()}
        return [[name, _identity(named[name], seen)] for name in sorted(named)]
    if isinstance(value, (set, frozenset)):
        return sorted(map(repr, value))
    if isinstance(value, CACHED):
        value = value.__wrapped__
    if isinstance(value, functools.partial):
        return [_identity(part, seen) for part in (value.func, value.args, value.keywords)]
    if isinstance(value, PhotoFolder):
        return [value.size, [[path.name, path.stat().st_size] for path in value.paths]]
    if isinstance(value, keras.DTypePolicy):
        return [value.name]
    if isinstance(value, keras.Layer):
        return _network(value, seen)
    if isinstance(value, type):
        return _class(value, seen)
    if hasattr(value, "__array__"):
        return _array(np.asarray(value))
    if hasattr(value, "get_config") or isinstance(value, (keras.callbacks.Callback, keras.utils.PyDataset)):
        return _settings(value, seen)
    name, owner = _name(value), getattr(value, "__self__", None)
    if callable(value) and "<" not in name and (owner is None or inspect.ismodule(owner)):
        if _installed(value):
            return [value.__module__, name]
        if isinstance(value, types.FunctionType):
            return [value.__module__, name, _function(value, seen)]
    raise Unidentified(name)


def _array(values: np.ndarray) -> list:
    if values.dtype.hasobject:
        raise Unidentified("an array of Python objects")
    digest = hashlib.sha256(np.ascontiguousarray(values).reshape(-1).view(np.uint8)).hexdigest()
    return [str(values.dtype), values.shape, digest]


def _network(model: keras.Layer, seen: set) -> list:
    """Keras's own description, with the layers' automatic names numbered anew; the code of what is not Keras's own."""
    inner = model._flatten_layers()
    names, code = {}, []
    for one in [*inner, *getattr(model, "operations", [])]:  # those of `keras.ops` are no layers
        names.setdefault(one.name, re.sub(r"_\d+$", "", one.name) + f" {len(names)}")
    for layer in inner:
        code.append(_identity(type(layer), seen))
        for key, part in sorted(vars(layer).items()):  # activations, regularizers, the function of a Lambda
            if callable(part) and not isinstance(part, (keras.Layer, type)) and key not in NOT_SETTINGS:
                code += [] if _installed(part) else [_identity(part, seen)]
    try:
        config = json.dumps(model.get_config(), sort_keys=True)
    except (NotImplementedError, TypeError):
        raise Unidentified(f"{_name(model)}, which has no get_config") from None
    # Not the keys: the first layer of its kind in a process is called "activation" or "dropout", as a setting may be.
    config = re.sub(r'"([^"\\]*)"(:?)', lambda one: one[0] if one[2] else f'"{names.get(one[1], one[1])}"', config)
    weights = [[variable.trainable, _array(variable.numpy())] for variable in model.variables]
    return [json.loads(config, object_hook=_without_how_it_was_compiled), code, weights]


def _without_how_it_was_compiled(config: dict) -> dict:
    return {key: value for key, value in config.items() if key != "compile_config"}


def _settings(value, seen: set) -> list:
    """An object's class, its configuration, and what it was constructed with; not its name."""
    try:
        config = value.get_config() if hasattr(value, "get_config") else {}
    except NotImplementedError:
        raise Unidentified(f"{_name(value)}, which has no get_config") from None
    given = dict(vars(value)) if isinstance(value, keras.losses.Loss) else {}  # some have more than their config tells
    for kind in type(value).__mro__[:-1]:
        parameters = inspect.signature(kind.__init__).parameters.values() if "__init__" in vars(kind) else ()
        for name in [one.name for one in parameters if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)][1:]:
            kept = [vars(value)[key] for key in (name, f"_{name}") if key in vars(value)]
            if not kept and name not in config and not _installed(kind):
                raise Unidentified(f"{_name(value)}, which does not keep its argument {name} under that name")
            given |= {name: kept}
    return [_identity(part, seen) for part in (type(value), config | {"name": None}, given | {"name": None})]


def _class(kind: type, seen: set) -> list:
    known = [kind.__module__, kind.__qualname__]
    if _installed(kind) or kind in seen:
        return known
    seen.add(kind)
    members = []
    for name, member in sorted(vars(kind).items()):
        member = getattr(member, "__func__", getattr(member, "fget", member))  # class and static methods, properties
        if isinstance(member, types.FunctionType):
            members.append([name, _function(member, seen)])
        elif not name.startswith("__"):
            members.append([name, _identity(member, seen)])
    return [*known, members, [_class(base, seen) for base in kind.__bases__]]


def _function(function: types.FunctionType, seen: set) -> list:
    """Code, defaults, and the globals that the code uses."""
    if set(function.__code__.co_freevars) - {"__class__"}:  # which stands for super()
        raise Unidentified(_name(function))
    if function in seen:
        return []
    seen.add(function)
    parts = function.__defaults__, function.__kwdefaults__, list(_globals(function))
    return [_code(function.__code__, function.__doc__, seen), *[_identity(part, seen) for part in parts]]


def _code(code: types.CodeType, docstring: str | None, seen: set) -> list:
    constants = [value for value in code.co_consts if value != docstring or value is None]
    inner = [
        _code(value, None, seen) if isinstance(value, types.CodeType) else _identity(value, seen) for value in constants
    ]
    return [code.co_code.hex(), code.co_names, inner]


def _globals(function: types.FunctionType) -> Iterator[tuple]:
    """(name, value) of the globals that a function uses, and of what it uses of modules that are not installed."""
    loaded, names = _names(function.__code__)
    spaces, known = [(function.__globals__, loaded)], set()
    for space, wanted in spaces:
        for name in sorted(wanted & space.keys()):
            value = space[name]
            if not inspect.ismodule(value):
                yield name, value
            elif not _installed(value) and value not in known:
                known.add(value)
                spaces.append((vars(value), names))


def _names(code: types.CodeType) -> tuple[set, set]:
    """The names that code, and code inside it, looks up among the globals; and all names, attributes too."""
    loaded = {one.argval for one in dis.get_instructions(code) if one.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    names = set(code.co_names)
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            more_loaded, more_names = _names(inner)
            loaded, names = loaded | more_loaded, names | more_names
    return loaded, names


def _name(value) -> str:
    return getattr(value, "__qualname__", None) or getattr(value, "__name__", None) or type(value).__qualname__


def _installed(value) -> bool:
    """Whether a module, class, function or object belongs to Python or to a library, whose code nobody edits."""
    name = value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", None) or type(value).__module__
    if name == "__main__" or name.partition(".")[0] == __name__.partition(".")[0]:
        return False
    file = getattr(sys.modules.get(name), "__file__", None) or ""
    in_packages = re.search(r"[/\\](site|dist)-packages[/\\]", file)
    return name in sys.builtin_module_names or file.startswith(STANDARD_LIBRARY) or in_packages is not None
