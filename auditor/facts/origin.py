"""Where a bundle comes from: which host, reached how, when."""

from datetime import UTC, datetime
from typing import ClassVar, Self

import msgspec

from auditor import typed
from auditor.collect.bundle import Bundle, split_lines
from auditor.gaps import Inconclusive


class _Auditor(msgspec.Struct):
    name: str
    collected: datetime | None = None
    address: str = ""
    transport: str = ""


class Origin(msgspec.Struct, frozen=True):
    """
    The host's name and address in the inventory, the transport, and when its facts were collected (UTC).

    Dates are judged as of ``collected``, so a saved bundle judges the same on any day. A bundle that was made by
    hand has no address, and the host's own clock tells when.
    """

    SECTIONS: ClassVar[tuple[str, ...]] = ("auditor", "host")

    name: str = "web1"
    address: str = ""
    transport: str = "ssh"
    collected: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        if "auditor" not in bundle.sections:
            return cls._by_hand(bundle)
        try:
            told = typed.decode(bundle.read("auditor"), _Auditor)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Inconclusive(f"the bundle does not tell where it comes from: {error}") from error
        if told.collected is None:
            return cls._by_hand(bundle)
        return cls(told.name, told.address, told.transport, _utc(told.collected))

    @classmethod
    def _by_hand(cls, bundle: Bundle) -> Self:
        pairs = (line.partition("=") for line in split_lines(bundle.text("host")))
        values = {name: value for name, _, value in pairs}
        try:
            collected = datetime.fromisoformat(values["date"])
        except (KeyError, ValueError) as error:
            raise Inconclusive("the bundle does not tell when it was collected") from error
        return cls(values.get("hostname", ""), "", "bundle", _utc(collected))


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
