"""A saved bundle instead of a host."""

import json
from collections.abc import Sequence
from pathlib import Path

from auditor.collect.bundle import Bundle, Section, load_file
from auditor.errors import BadReply, Unreachable
from auditor.host import Host
from auditor.transports.base import Deadline


def name_from(path: Path) -> str:
    """The host's name as a bundle's file name tells it: ``web1.bundle.gz`` is web1."""
    return path.name.removesuffix(".gz").removesuffix(".bundle") or path.name


class Replay:
    """Reads the file that ``host.path`` names. A bundle made by hand gets its name from the file's."""

    def collect(self, host: Host, sections: Sequence[str], deadline: Deadline) -> Bundle:  # noqa: ARG002  all that is saved
        """
        The bundle as it was saved.

        Raises:
            Unreachable: the file cannot be read.
            BadReply: it is no bundle.
        """
        if host.path is None:
            raise Unreachable(
                f"{host.name}: the transport is bundle, but no path says which file: add path: FILE"
            )
        try:
            bundle = load_file(host.path)
        except OSError as error:
            raise Unreachable(f"{host.path}: {error.strerror}: give the path of a saved bundle") from error
        except BadReply as error:
            raise BadReply(
                f"{host.path}: {error}: collect it anew (auditor collect, or sh linux.sh)"
            ) from error
        if "auditor" in bundle.sections:
            return bundle
        made_by_hand = {
            "name": name_from(host.path),
            "address": "",
            "transport": "bundle",
            "collected": None,
            "version": "",
        }
        return bundle.adding({"auditor": Section(json.dumps(made_by_hand).encode())})


TRANSPORT = Replay()
