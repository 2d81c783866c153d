"""The ways in which something is not known or not asked. None of them is ever a pass."""


class Gap(Exception):  # noqa: N818  a gap is an answer, not a fault of the program
    """Why a fact or a check has no answer. The text is shown to people."""


class NotApplicable(Gap):
    """The host has no such thing: the question does not arise there."""


class Inconclusive(Gap):
    """It could not be seen: denied, absent tool, timed out, or an answer that makes no sense."""


class Manual(Gap):
    """Facts cannot decide it: a person has to look. The text says at what, with the evidence at hand."""
