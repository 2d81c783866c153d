"""The ways in which something is not known or not asked. None of them is ever a pass."""

import logging
import traceback
from typing import Self

log = logging.getLogger("auditor")


class Gap(Exception):
    """Why a fact or a check has no answer. The text is shown to people."""

    @property
    def bare(self) -> Self:
        """The same reason, to keep: without the frames that it was raised in, and all that they hold."""
        return type(self)(*self.args)


class NotApplicable(Gap):
    """The host has no such thing: the question does not arise there."""


class Inconclusive(Gap):
    """It could not be seen: denied, absent tool, timed out, or an answer that makes no sense."""


class Manual(Gap):
    """Facts cannot decide it: a person has to look. The text says at what, with the evidence at hand."""


def crash(where: str, error: BaseException) -> str:
    """An internal error in one line for the report; its traceback goes to the log."""
    log.error("%s crashed\n%s", where, "".join(traceback.format_exception(error)))
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"internal error in {where}: {type(error).__name__} at {place.name}:{place.lineno}; please report it with the bundle"
