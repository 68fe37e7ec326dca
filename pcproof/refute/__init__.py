"""Untrusted search: smallest exact counterexamples, models of hypotheses, mutations."""
