"""A proof script for each rule of derivatives."""

from __future__ import annotations

from . import names
from .step import Step
from .terms import CoqError


def tangent_constant(s: Step) -> list[str]:
    opaque = " ".join(names.symbol(n) for n in s.theory.definitions)
    closed = f"with_strategy transparent [{opaque}] exact eq_refl." if opaque else "exact eq_refl."
    return [f"refine (d_conv _ _ _ _ _ (d_const {s.side(s.claim[2])} 0) _ eq_refl); intro s_.", closed]


def tangent_variable(s: Step) -> list[str]:
    return [f"exact (d_affine {s.side(s.claim[2])} {s.side(s.claim[3])})."]


def _at_zero(s: Step, n: int) -> str:
    """The term at step 0 is the term."""
    v = names.direction(s.claim[1])
    return f"(f_equal (fun q_ : params => {s.texts.term(n, 'q_')}) ({v}_zero p))"


def _parts(s: Step) -> list[tuple[int, int]]:
    """Term and derivative of each premise."""
    claims = [s.steps.items[q]["claim"] for q in s.item["premises"]]
    return [(c[2], c[3]) for c in claims if c[0] == "tangent"]


def tangent_add(s: Step) -> list[str]:
    parts = _parts(s)
    env = f"({names.direction(s.claim[1])} p s_)"
    texts = [s.texts.term(n, env) for n, _ in parts]
    out = s.same(0)
    for k in range(1, len(parts)):
        f, g = " + ".join(texts[:k]), texts[k]
        d = " + ".join(s.side(m) for _, m in parts[:k])
        e = s.side(parts[k][1])
        out = f"(d_add (fun s_ : R => {f}) (fun s_ : R => {g}) ({d}) {e} {out} {s.same(k)})"
    return [f"exact {out}."]


def tangent_mul(s: Step) -> list[str]:
    parts = _parts(s)
    direction = s.claim[1]
    env = f"({names.direction(direction)} p s_)"
    moving = [s.texts.term(n, env) for n, _ in parts]
    still = [s.side(n) for n, _ in parts]
    zero = names.direction(direction) + "_zero p"
    out, slope, shape = s.same(0), s.side(parts[0][1]), "d0_"
    for k in range(1, len(parts)):
        f, a = " * ".join(moving[:k]), " * ".join(still[:k])
        general = " * ".join(s.texts.term(n, "q_") for n, _ in parts[:k])
        at = f"(f_equal (fun q_ : params => {general}) ({zero}))"
        d = s.side(parts[k][1])
        out = (
            f"(d_mul (fun s_ : R => {f}) (fun s_ : R => {moving[k]}) ({a}) {still[k]} ({slope}) {d} "
            f"{at} {_at_zero(s, parts[k][0])} {out} {s.same(k)})"
        )
        slope = f"({slope}) * {still[k]} + ({a}) * {d}"
        shape = f"({shape}) * f{k}_ + ({' * '.join(f'f{m}_' for m in range(k))}) * d{k}_"
    rows = []
    for k in range(len(parts)):
        rows.append("(" + " * ".join(f"d{m}_" if m == k else f"f{m}_" for m in range(len(parts))) + ")")
    ks = range(len(parts))
    binders = " ".join([*(f"f{k}_" for k in ks), *(f"d{k}_" for k in ks)])
    used = " ".join([*still, *(s.side(d) for _, d in parts)])
    same = s.identity(f"forall {binders} : R, {shape} = {' + '.join(rows)}", "ring")
    return [f"exact (d_conv _ _ _ _ _ {out} (fun _ => eq_refl) ({same} {used}))."]


def tangent_sum(s: Step) -> list[str]:
    env = f"({names.direction(s.claim[1])} p s_)"
    _, bound, body = s.row(s.claim[2])
    slope = s.row(s.claim[3])[2]
    moving = s.texts.function(body, env)
    (name,) = s.fresh(0)
    return [
        *s.opened(),
        f"refine (d_sum {s.texts.index(bound)} (fun s_ : R => {moving}) {s.texts.function(slope)} _).",
        f"intros {name} r1 r2; cbv beta.",
        *s.under(0, [name]),
    ]


def tangent_function(s: Step) -> list[str]:
    _, name, idx, args = s.row(s.claim[2])
    parts = _parts(s)
    if s.texts.symbols[name]["ranges"] == [[]]:
        f = " ".join([names.symbol(name), "p", *(s.texts.index(i) for i in idx)])
        n, d = parts[0]
        moving = s.texts.moving(s.claim[1], n)
        slope = s.side(s.row(s.claim[3])[1])
        return [
            f"exact (d_comp ({f}) {moving} {s.side(n)} {s.side(d)} {slope} {_at_zero(s, n)} {s.same(0)} {s.same(1)})."
        ]
    v = names.direction(s.claim[1])
    curves, goals = [], []
    for k, ((arity, body), (_, d)) in enumerate(zip(args, parts)):
        fresh = s.fresh(k)
        slope = f"(fun {' '.join(fresh)} : Z => {s.side(d)})" if fresh else s.side(d)
        curves += [f"(fun s_ : R => {s.texts.function(body, f'({v} p s_)', arity=arity)})", slope]
        ranges = " ".join(f"r1{m} r2{m}" for m in range(arity))
        intro = f"intros {' '.join(fresh)} {ranges}; cbv beta." if fresh else "cbv beta."
        goals.append(f"{{ {intro} rewrite {v}_zero. exact eq_refl. }}")
        goals.append("{ " + " ".join([intro, *s.under(k, fresh)]) + " }")
    holes = " ".join("_" for _ in goals)
    last = s.same(len(parts))
    refined = f"refine (d_conv _ _ _ _ _ ({last} {' '.join(curves)} {holes}) (fun _ => eq_refl) _)."
    return [*s.opened(), refined, *goals, "{ idx. }"]


def tangent_unfold(s: Step) -> list[str]:
    v = names.direction(s.claim[1])
    sizes = " ".join(names.size(n) for n in s.theory.theory["sizes"])
    said = s.steps.items[s.item["premises"][1]]
    if said["rule"] != "unfold":
        raise CoqError("tangent_unfold: the second premise is no case of a definition")
    lemma_ = s.case_at(s.row(s.claim[2]), said["arguments"][0], f"({v} p s_)", f"cbn [{v} {sizes}]; ")
    return [
        *s.opened(),
        f"refine (d_conv _ _ _ _ _ {s.same(0)} _ eq_refl); intro s_; symmetry.",
        f"pose proof {lemma_} as Q.",
        "refine (eq_trans Q _); idx.",
    ]


def tangent_convert(s: Step) -> list[str]:
    return [f"exact (d_conv _ _ _ _ _ {s.same(0)} (fun _ => eq_refl) {s.same(1)})."]
