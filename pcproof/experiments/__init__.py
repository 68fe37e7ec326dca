"""Experiments on real data with generated kernels."""
