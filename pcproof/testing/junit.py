"""A run of the property tests as JUnit XML."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .runner import Summary


def junit_xml(summary: Summary) -> str:
    """One test case a row; rows that were not checked are skipped ones."""
    rows = summary.outcomes
    suite = ElementTree.Element(
        "testsuite",
        name="pcproof",
        tests=str(len(rows)),
        failures=str(sum(o.status == "failed" for o in rows)),
        skipped=str(sum(o.status == "not checked" for o in rows)),
        errors="0",
        time=f"{sum(o.seconds for o in rows):.3f}",
    )
    properties = ElementTree.SubElement(suite, "properties")
    ElementTree.SubElement(properties, "property", name="seed", value=str(summary.seed))
    for o in rows:
        named = {"classname": f"pcproof.{o.rule}", "name": o.name, "time": f"{o.seconds:.3f}"}
        case = ElementTree.SubElement(suite, "testcase", named)
        if o.status == "failed":
            ElementTree.SubElement(case, "failure", message=o.text)
        elif o.status == "not checked":
            ElementTree.SubElement(case, "skipped", message=o.text)
        else:
            ElementTree.SubElement(case, "system-out").text = f"{o.says}; {o.examples} examples; {o.text}"
    ElementTree.indent(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suite, encoding="unicode") + "\n"
