"""The scripts that run on hosts, and which sections each of them brings."""

import re
from functools import cache
from importlib import resources

from auditor.host import Platform

_FILES: dict[Platform, str] = {"linux": "linux.sh", "windows": "windows.ps1"}
_SECTION = re.compile(r"^section_([a-z_]+)\(\)|^    function section-([a-z-]+) ", re.MULTILINE)
FROM_HERE = frozenset({"auditor", "tls-probe"})
"""Sections that the auditing machine adds itself, whatever the host's platform is."""


@cache
def script(platform: Platform) -> bytes:
    """The collector for hosts of a platform, as it is sent."""
    return resources.files("auditor.collect").joinpath(_FILES[platform]).read_bytes()


@cache
def sections(platform: Platform) -> frozenset[str]:
    """The names of the sections that such a host can tell, with those that are added here."""
    names = _SECTION.findall(script(platform).decode())
    return FROM_HERE | {(linux or windows).replace("_", "-") for linux, windows in names}
