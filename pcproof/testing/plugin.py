"""The pytest plugin: a fixture ``conforms`` and a marker for its options.

.. code-block:: python

    @pytest.mark.conforms(to="backprop", reduction="mean")
    def test_update(conforms):
        conforms(my_update)
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from .conformance import assert_conforms


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "conforms(to, **options): options of pcproof's fixture `conforms`")


@pytest.fixture
def conforms(request: pytest.FixtureRequest) -> Callable[..., None]:
    """``assert_conforms`` with the options of the marker."""
    marker = request.node.get_closest_marker("conforms")
    given: dict[str, Any] = dict(marker.kwargs) if marker else {}
    if marker and marker.args:
        if len(marker.args) > 1 or "to" in given:
            raise pytest.UsageError("the marker `conforms` takes one positional argument, `to`")
        given["to"] = marker.args[0]
    return partial(assert_conforms, **given)
