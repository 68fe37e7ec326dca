"""Fail if a test that needs PyTorch was skipped: in the gate PyTorch is installed."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree


def skipped_for_torch(path: str) -> list[str]:
    """Names and reasons of skipped tests whose name or reason mentions torch."""
    out = []
    for case in ElementTree.parse(path).iter("testcase"):
        for skip in case.iter("skipped"):
            text = f"{case.get('classname')}.{case.get('name')}: {skip.get('message')}"
            if "torch" in text.lower():
                out.append(text)
    return out


if __name__ == "__main__":
    found = skipped_for_torch(sys.argv[1])
    for line in found:
        print(f"skipped although PyTorch must be here: {line}", file=sys.stderr)
    sys.exit(1 if found else 0)
