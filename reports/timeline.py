"""Where a certificate's life stands on the timeline of the HTML report, in per cent of its width."""

from datetime import datetime
from itertools import pairwise

from reports.overview import Expiry, aware

# Days from now, per cent: a scale that gives the next weeks the most room.
_SCALE = ((-30, 0), (0, 12), (7, 24), (30, 42), (90, 60), (365, 88), (730, 100))
_URGENT, _SOON = 7, 30
TICKS = [
    (place, label)
    for (_, place), label in zip(_SCALE[1:-1], ("now", "7 d", "30 d", "90 d", "1 y"), strict=True)
]


class Span:
    """One bar of the timeline: from ``start`` over ``width`` per cent, how urgent it is, and that in words."""

    def __init__(self, expiry: Expiry, now: datetime) -> None:
        certificate = expiry.certificate
        self.expiry = expiry
        self.start = _place((aware(certificate.not_before) - now).days)
        self.width = max(_place(expiry.days) - self.start, 1)
        self.urgency = _urgency(expiry.days)
        self.words = _words(expiry.days)


def _place(days: int) -> int:
    """Per cent of the width at which a day stands; the ends hold all that lies beyond."""
    for (left, start), (right, end) in pairwise(_SCALE):
        if days < right:
            return max(start, start + (end - start) * (days - left) // (right - left))
    return _SCALE[-1][1]


def _urgency(days: int) -> str:
    if days < 0:
        return "expired"
    return "urgent" if days < _URGENT else "soon" if days < _SOON else "fine"


def _words(days: int) -> str:
    if days < 0:
        return f"expired {-days} day{'s' * (days != -1)} ago"
    return f"expires in {days} day{'s' * (days != 1)}" if days else "expires within a day"
