"""Which hosts to audit and how to reach them: inventory files, ours and Ansible's, and hosts named on the command line."""

import re
from collections.abc import Sequence
from pathlib import Path

from auditor.errors import BadFile
from auditor.host import Host
from auditor.inventory import ansible, native
from auditor.inventory.build import Builder
from auditor.inventory.names import Chooser, select
from auditor.inventory.settings import schema
from auditor.inventory.targets import FORMS, parse_target
from auditor.yamlfile import Document, document

__all__ = ["FORMS", "load", "parse_target", "schema", "select"]

_INI = re.compile(rb"^\[[\w:.-]+\][ \t\r]*$", re.MULTILINE)


def load(path: Path, *, limit: str = "all", ssh_config: Sequence[Path] | None = None) -> tuple[Host, ...]:
    """
    The hosts of an inventory file, in its order.

    Args:
        path: our own format, or an Ansible inventory in YAML or as ``ansible-inventory --list`` prints it.
        limit: a pattern as ``select`` takes it. What an Ansible inventory says of other hosts is not judged.
        ssh_config: configuration files to read; None: the user's and the system's; empty: none.

    Raises:
        BadFile: the file, or an ssh_config, cannot be used as it is.
        UsageError: the pattern means no host.
    """
    read = _document(path)
    listing = ansible.read(read) if ansible.is_ansible(read.value) else native.read(read)
    builder = Builder(listing.find, ssh_config)
    entries = (listing.find(name) for name in Chooser(listing.words).choose(limit))
    return tuple(builder.host(entry) for entry in entries if entry)


def _document(path: Path) -> Document:
    try:
        found = document(path)
    except BadFile:
        _refuse_ini(path)
        raise
    if isinstance(found.value, str | list):
        _refuse_ini(path)
    return found


def _refuse_ini(path: Path) -> None:
    """An INI inventory may be valid YAML by accident: one long text, or a list."""
    if path.is_file() and _INI.search(path.read_bytes()):
        command = f"ansible-inventory -i {path} --list --output hosts.json"
        raise BadFile(path, f"is an INI inventory of Ansible's: run {command}, and give that file")
