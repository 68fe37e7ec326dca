"""Trees to the tuples of ``canon``: names resolved, types and scopes followed as coqc follows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from .canon import (
    TRUE,
    Linear,
    Value,
    at_least,
    conjunction,
    constraint,
    forall,
    implies,
    less,
    number,
    plus,
    product,
    total,
    variable,
)
from .lexer import NotUnderstood
from .syntax import Tree

Type = Any  # "Z", "R", or a tuple of types that ends in the type of the value


@dataclass(frozen=True)
class Symbol:
    """A field of the record or a defined symbol.  key: its name in ``canon``; a size has the result ``Z``."""

    key: Any
    types: tuple[Type, ...]
    result: str


@dataclass(frozen=True)
class Local:
    """Bound names: kind and value of each, how many binders stand above, the scope of notations."""

    names: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    depth: int = 0
    base: str = "R"

    def having(self, name: str, kind: Any, value: Any) -> Local:
        return replace(self, names={**self.names, name: (kind, value)})

    def bind(self, name: str, kind: Type) -> Local:
        value = variable(self.depth) if kind == "Z" else ("real", self.depth) if kind == "R" else self.depth
        return replace(self.having(name, kind, value), depth=self.depth + 1)

    def within(self, key: str) -> Local:
        if key not in ("Z", "bool"):
            raise NotUnderstood(f"the scope %{key} is not understood")
        return replace(self, base=key)


def bound_argument(binder: int, kind: Type, depth: int) -> Any:
    """The variable of a binder; a function is written out, its own binders stand at ``depth``."""
    if kind in ("Z", "R"):
        return variable(binder) if kind == "Z" else ("real", binder)
    if any(t != "Z" for t in kind[:-1]):
        raise NotUnderstood("a function of more than integers is passed on")
    return "lam", kind[:-1], ("apply", binder, tuple(variable(depth + k) for k in range(len(kind) - 1)))


def type_of(tree: Tree) -> Type:
    if tree in (("name", "Z"), ("name", "R")):
        return tree[1]
    if tree[:2] == ("list", "->"):
        parts = [type_of(t) for t in tree[2]]
        last = parts[-1] if isinstance(parts[-1], tuple) else (parts[-1],)
        return (*parts[:-1], *last)
    raise NotUnderstood("a type is not built from Z, R and ->")


def spine(tree: Tree, sign: str) -> list[Tree]:
    """The operands of ``a + b + c``."""
    out = []
    while tree[:2] == ("op", sign):
        out.append(tree[3])
        tree = tree[2]
    return [tree, *reversed(out)]


class Elaborator:
    """Knows the global names.

    symbols: by spelling; directions: names of ``v_`` definitions, by spelling;
    constructors: of calls, with the number of integers; reserved: what no binder may be called.
    """

    def __init__(self, reserved: frozenset[str]) -> None:
        self.symbols: dict[str, Symbol] = {}
        self.directions: dict[str, str] = {}
        self.constructors: dict[str, int] = {}
        self.reserved = reserved

    # -- binders and heads -------------------------------------------------------
    def bind(self, binders: Sequence[tuple[str, Tree]], local: Local) -> tuple[list[Type], Local]:
        types = [type_of(kind) for _, kind in binders]
        for (name, _), kind in zip(binders, types):
            self.check_binder(name)
            local = local.bind(name, kind)
        return types, local

    def check_binder(self, name: str) -> None:
        if name in self.reserved or name in self.symbols or name in self.directions or name in self.constructors:
            raise NotUnderstood(f"the bound name {name!r} hides a name with a meaning")

    def environment(self, tree: Tree, local: Local) -> Any:
        """``p`` or ``(v_d p s)``"""
        if tree[0] == "name":
            kind, value = local.names.get(tree[1], ("", None))
            if kind == "params":
                return value
        elif tree[0] == "app" and len(tree[2]) == 2 and tree[1][0] == tree[2][1][0] == "name":
            direction = self.directions.get(tree[1][1])
            kind, value = local.names.get(tree[2][1][1], ("", None))
            if direction is not None and tree[1][1] not in local.names and kind == "R" and value is not None:
                if value[0] == "real" and self.environment(tree[2][0], local) == "p":
                    return direction, value[1]
        raise NotUnderstood("the parameters are neither p nor p moved along a direction")

    # -- integers ----------------------------------------------------------------
    def integer(self, tree: Tree, local: Local, scope: str) -> Linear:
        out: Linear = (0, ())
        while tree[0] == "op" and tree[1] in ("+", "-"):
            self._scope(scope, "Z")
            out = plus(out, self.integer(tree[3], local, "Z"), 1 if tree[1] == "+" else -1)
            tree, scope = tree[2], "Z"
        return plus(out, self._integer(tree, local, scope))

    def _integer(self, tree: Tree, local: Local, scope: str) -> Linear:
        kind = tree[0]
        if kind == "scope":
            return self.integer(tree[2], local.within(tree[1]), tree[1])
        if kind == "num":
            self._scope(scope, "Z")
            return tree[1], ()
        if kind == "neg":
            self._scope(scope, "Z")
            return plus((0, ()), self.integer(tree[1], local, "Z"), -1)
        if kind == "op" and tree[1] == "*":
            self._scope(scope, "Z")
            a, b = self.integer(tree[2], local, "Z"), self.integer(tree[3], local, "Z")
            if a[1] and b[1]:
                raise NotUnderstood("a product of two integers that are no numerals")
            return plus((0, ()), a, b[0]) if a[1] else plus((0, ()), b, a[0])
        if kind in ("name", "app"):
            result, value = self.apply(tree, local)
            if result == "Z":
                return value  # type: ignore[no-any-return]
        raise NotUnderstood("an integer was expected")

    @staticmethod
    def _scope(scope: str, wanted: str) -> None:
        if scope != wanted:
            raise NotUnderstood(f"a numeral or operation stands in scope {scope} where {wanted} is meant")

    # -- applications ------------------------------------------------------------
    def apply(self, tree: Tree, local: Local, extra: Sequence[Any] = ()) -> tuple[Type, Any]:
        """Type and value of a name or an application; ``extra``: further arguments, as values."""
        head, args = (tree[1], tree[2]) if tree[0] == "app" else (tree, [])
        if head[0] == "fun":
            return "R", self._beta(head, args, local, extra)
        if head[0] != "name":
            raise NotUnderstood("what is applied is not a name")
        name = head[1]
        if name in local.names:
            kind, value = local.names[name]
            if kind == "call":
                return "R", ("call", *self._call(args, local, extra))
            if kind in ("Z", "R"):
                if args or extra:
                    raise NotUnderstood(f"{name!r} is not a function")
                return kind, value
            if isinstance(kind, tuple):
                return kind[-1], ("apply", value, self._arguments(name, kind[:-1], args, local, extra, bare=True))
            raise NotUnderstood(f"{name!r} is not understood here")
        symbol = self.symbols.get(name)
        if symbol is not None:
            if not args:
                raise NotUnderstood(f"{name!r} has no parameters")
            env = self.environment(args[0], local)
            values = self._arguments(name, symbol.types, args[1:], local, extra)
            if symbol.result == "Z":
                return "Z", (0, ((("size", env, symbol.key, values), 1),))
            own = [k for k, t in enumerate(symbol.types) if t != "Z"]
            cut = own[0] if own else len(values)
            return "R", ("app", env, symbol.key, values[:cut], values[cut:])
        if extra:
            raise NotUnderstood(f"{name!r} has too few arguments")
        return "R", self._standard(name, args, local)

    def _standard(self, name: str, args: list[Tree], local: Local) -> Value:
        if name == "zsum" and len(args) == 2:
            return "sum", self.integer(args[0], local, "Z"), self.function(args[1], ("Z",), "R", local)
        if name == "zpow" and len(args) == 2:
            return "pow", self.term(args[0], local, "R"), self.integer(args[1], local, "Z")
        if name in ("rinv", "iszero") and len(args) == 1:
            return "inv" if name == "rinv" else "iszero", self.term(args[0], local, "R")
        if name == "iver" and len(args) == 1:
            return "iverson", *self.boolean(args[0], local)
        raise NotUnderstood(f"{name!r} with {len(args)} arguments is not understood")

    def _arguments(
        self,
        name: str,
        types: Sequence[Type],
        args: Sequence[Tree],
        local: Local,
        extra: Sequence[Any] = (),
        bare: bool = False,
    ) -> tuple[Any, ...]:
        """``bare``: of a bound function; coqc then gives numerals no scope of their type."""
        if len(args) + len(extra) != len(types):
            raise NotUnderstood(f"{name!r} has {len(args)} arguments, {len(types)} expected")
        return (*(self._value(t, a, local, local.base if bare else "") for t, a in zip(types, args)), *extra)

    def _value(self, kind: Type, tree: Tree, local: Local, scope: str = "") -> Any:
        if kind == "Z":
            return self.integer(tree, local, scope or "Z")
        if kind == "R":
            return self.term(tree, local, scope or "R")
        return self.function(tree, kind[:-1], kind[-1], local)

    def _call(self, args: list[Tree], local: Local, extra: Sequence[Any]) -> tuple[str, tuple[Linear, ...]]:
        """``rec (k args)``: constructor and integers"""
        if len(args) != 1 or extra:
            raise NotUnderstood("a call of the recursion is not rec (...)")
        return self.constructed(args[0], local)

    def constructed(self, tree: Tree, local: Local) -> tuple[str, tuple[Linear, ...]]:
        head, args = (tree[1], tree[2]) if tree[0] == "app" else (tree, [])
        arity = self.constructors.get(head[1]) if head[0] == "name" and head[1] not in local.names else None
        if arity is None:
            raise NotUnderstood("a constructor of calls was expected")
        return head[1], self._arguments(head[1], ["Z"] * arity, args, local)

    def _beta(self, head: Tree, args: list[Tree], local: Local, extra: Sequence[Any]) -> Value:
        binders = head[1]
        if extra or len(args) != len(binders) or any(type_of(kind) != "Z" for _, kind in binders):
            raise NotUnderstood("a function is applied to other arguments than its integers")
        inner = local
        for (name, _), arg in zip(binders, args):
            self.check_binder(name)
            inner = inner.having(name, "Z", self.integer(arg, local, local.base))
        return self.term(head[2], inner, inner.base)

    def function(self, tree: Tree, types: Sequence[Type], result: str, local: Local) -> Value:
        """A function of these types; what is no ``fun`` is written as one."""
        if local.base != "R":
            raise NotUnderstood("a function stands inside another scope")
        if not types:
            return self._value(result, tree, local)  # type: ignore[no-any-return]
        if tree[0] == "fun":
            found, inner = self.bind(tree[1], local)
            if found != list(types):
                raise NotUnderstood("a function binds other variables than expected")
            body = self._value(result, tree[2], inner, inner.base)
            return "lam", tuple(types), body
        if tree[0] not in ("name", "app"):
            raise NotUnderstood("a function was expected")
        inner = replace(local, depth=local.depth + len(types))
        extra = [bound_argument(local.depth + k, kind, inner.depth) for k, kind in enumerate(types)]
        found_result, body = self.apply(tree, inner, extra)
        if found_result != result:
            raise NotUnderstood("a function has a value of another type")
        return "lam", tuple(types), body

    # -- real numbers ------------------------------------------------------------
    def term(self, tree: Tree, local: Local, scope: str) -> Value:
        kind = tree[0]
        literal = self._literal(tree)
        if literal is not None:
            self._scope(scope, "R")
            return number(literal)
        if kind == "op" and tree[1] in ("+", "*"):
            self._scope(scope, "R")
            parts = [self.term(t, local, "R") for t in spine(tree, tree[1])]
            return total(parts) if tree[1] == "+" else product(parts)
        if kind in ("name", "app"):
            result, value = self.apply(tree, local)
            if result == "R":
                return value  # type: ignore[no-any-return]
        raise NotUnderstood("a real number was expected")

    def _literal(self, tree: Tree) -> Fraction | None:
        if tree[0] == "num":
            return Fraction(tree[1])
        if tree[0] == "neg" and tree[1][0] == "num":
            return -Fraction(tree[1][1])
        if tree[:2] == ("op", "/") and tree[3][0] == "num" and tree[3][1]:
            above = self._literal(tree[2]) if tree[2][0] in ("num", "neg") else None
            return None if above is None else above / tree[3][1]
        return None

    # -- conditions --------------------------------------------------------------
    def boolean(self, tree: Tree, local: Local) -> tuple[Value, ...]:
        """A conjunction of comparisons as constraints."""
        if tree[0] == "scope":
            return self.boolean(tree[2], local.within(tree[1]))
        if tree[:2] == ("op", "&&"):
            self._scope(local.base, "bool")
            return tuple(c for part in spine(tree, "&&") for c in self.boolean(part, local))
        if tree == ("name", "true") and "true" not in local.names:
            return ()
        if tree[0] == "app" and tree[1] == ("name", "negb") and "negb" not in local.names and len(tree[2]) == 1:
            inside = self.boolean(tree[2][0], local)
            if len(inside) == 1 and inside[0][0] == "eq0":
                return (("ne0", inside[0][1]),)
        if tree[0] == "op" and tree[1] in ("<=?", "<?", "=?"):
            return (self._comparison(tree[1][:-1], tree, local),)
        raise NotUnderstood("a condition is not understood")

    def _comparison(self, sign: str, tree: Tree, local: Local) -> Value:
        self._scope(local.base, "Z")
        a, b = self.integer(tree[2], local, "Z"), self.integer(tree[3], local, "Z")
        if sign in ("<=", "<"):
            return at_least(b, a) if sign == "<=" else less(a, b)
        return constraint("eq0" if sign == "=" else "ne0", plus(a, b, -1))

    def cases(self, tree: Tree, local: Local) -> tuple[list[tuple[tuple[Value, ...], Value]], Value]:
        """``if ... then ... else``: guards and value of each case, and the last value."""
        if tree[0] != "if":
            return [], self.term(tree, local, local.base)
        cases = [(self.boolean(c, local), self.term(v, local, local.base)) for c, v in tree[1]]
        return cases, self.term(tree[2], local, local.base)

    # -- propositions ------------------------------------------------------------
    def proposition(self, tree: Tree, local: Local) -> Value:
        kind = tree[0]
        if kind == "scope":
            return self.proposition(tree[2], local.within(tree[1]))
        if kind == "forall":
            types, inner = self.bind(tree[1], local)
            return forall(types, self.proposition(tree[2], inner))
        if kind == "list":
            parts = [self.proposition(t, local) for t in tree[2]]
            return conjunction(parts) if tree[1] == "/\\" else implies(parts[:-1], parts[-1])
        if kind == "op" and tree[1] in ("=", "<>", "<=", "<"):
            ordered = tree[1] in ("<=", "<")  # the scope says of what, types have no part in it
            if (ordered and local.base == "Z") or (not ordered and self._integral(tree[2], local)):
                if tree[1] in ("=", "<>") and local.base != "Z":
                    a, b = self.integer(tree[2], local, local.base), self.integer(tree[3], local, local.base)
                    return constraint("eq0" if tree[1] == "=" else "ne0", plus(a, b, -1))
                return self._comparison(tree[1], tree, local)
            if tree[1] == "<":
                raise NotUnderstood("real numbers are compared by = or <> or <= only")
            a, b = self.term(tree[2], local, local.base), self.term(tree[3], local, local.base)
            return {"=": "eq", "<>": "ne", "<=": "le"}[tree[1]], a, b
        if tree == ("name", "True") and "True" not in local.names:
            return TRUE
        if kind == "app" and tree[1] == ("name", "derivable_pt_lim") and len(tree[2]) == 3:
            if "derivable_pt_lim" in local.names:
                raise NotUnderstood("derivable_pt_lim is a bound name")
            f, x, d = tree[2]
            slope = self.function(f, ("R",), "R", local), self.term(x, local, "R"), self.term(d, local, "R")
            return "slope", *slope
        raise NotUnderstood("a proposition is not understood")

    def _integral(self, tree: Tree, local: Local) -> bool:
        """Do these words mean an integer, for coqc?"""
        while tree[0] == "scope":
            local, tree = local.within(tree[1]), tree[2]
        if tree[0] in ("num", "neg", "op"):
            return local.base == "Z"
        head = tree[1] if tree[0] == "app" else tree
        if head[0] != "name":
            return False
        if head[1] in local.names:
            kind = local.names[head[1]][0]
            return bool(kind == "Z" or (isinstance(kind, tuple) and kind[-1] == "Z"))
        symbol = self.symbols.get(head[1])
        return symbol is not None and symbol.result == "Z"
