"""A function from ``FILE.py:NAME`` or ``package.module:NAME``."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from .limits import Raised, Unusable, guarded

LOADING = 120.0  # seconds for a file to be executed


def module(where: str) -> ModuleType:
    """Execute a Python file, or import a module.  ``Unusable`` says what went wrong."""
    path = Path(where)
    is_file = where.endswith(".py")
    if is_file and not path.is_file():
        raise Unusable(f"there is no file {where!r}")
    try:
        with guarded(LOADING):
            return _executed(path) if is_file else _imported(where)
    except Raised as e:
        raise Unusable(f"{path.name if is_file else where} {e}{_line(e, path) if is_file else ''}") from None


def _imported(name: str) -> ModuleType:
    """The working folder comes first on the path, as with ``python -m``."""
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(here)


def _executed(path: Path) -> ModuleType:
    """As a script is: its folder comes first on the path; registered, so that dataclasses and pickle work."""
    name = f"pcproof_conform_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    found = importlib.util.module_from_spec(spec)
    sys.modules[name] = found
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(found)
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        sys.path.remove(str(path.resolve().parent))
    return found


def _line(e: Raised, path: Path) -> str:
    cause = e.__cause__
    if isinstance(cause, SyntaxError):
        return f" (line {cause.lineno})"
    line, tb = None, cause.__traceback__ if cause else None
    while tb is not None:
        if Path(tb.tb_frame.f_code.co_filename).name == path.name:
            line = tb.tb_lineno
        tb = tb.tb_next
    return f" (line {line})" if line else ""


def split(what: str) -> tuple[str, str | None]:
    """(file or module, name or None) of ``FILE.py:NAME``."""
    if what.endswith(".py"):
        return what, None
    where, colon, name = what.rpartition(":")
    if not colon or not name.isidentifier():
        raise Unusable(f"{what!r} names no function; expected FILE.py:FUNCTION or package.module:FUNCTION")
    return where, name


def load(what: str) -> Callable[..., Any]:
    """The function that ``FILE.py:NAME`` names."""
    where, name = split(what)
    found = module(where)
    if name is None:
        name = "update"
    if not hasattr(found, name):
        known = [n for n, v in vars(found).items() if callable(v) and not n.startswith("_") and not isinstance(v, type)]
        raise Unusable(f"{where} has no function {name!r} (it has: {', '.join(known) or 'none'})")
    function = getattr(found, name)
    if not callable(function):
        raise Unusable(f"{name} in {where} is {type(function).__name__}, not a function")
    return function  # type: ignore[no-any-return]


def where(function: Callable[..., Any]) -> str:
    """What ``load`` needs to find a function again, "" for one that has no name in a module."""
    module, name = getattr(function, "__module__", None), getattr(function, "__name__", "")
    home = sys.modules.get(module or "")
    if home is None or getattr(home, name, None) is not function:
        return ""
    file = getattr(home, "__file__", None)
    if module == "__main__" or importlib.util.find_spec(str(module).partition(".")[0]) is None or _is_test(file):
        return f"{file}:{name}" if file else ""
    return f"{module}:{name}"


def _is_test(file: str | None) -> bool:
    return file is not None and not (Path(file).parent / "__init__.py").is_file()
