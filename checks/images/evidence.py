"""How the checks of images put what they saw."""

from collections.abc import Iterable
from datetime import datetime

from auditor.check import Finding
from auditor.facts.images import Image

_MEGABYTE = 1_000_000


def deviation(image: Image, field: str, value: object, expected: str) -> Finding:
    """A finding about an image: a field of its inspection, by the API's name, and the value wanted."""
    source = f"image {short(image)}:/{field.replace('.', '/')}"
    return Finding(image.name, f"{field} = {value}", expected, source)


def misbuilt(image: Image, observed: str, expected: str) -> Finding:
    """A finding about an instruction of an image's build; the image is the one that brought it."""
    return Finding(image.name, observed, expected, f"docker history {short(image)}")


def short(image: Image) -> str:
    """The beginning of an image's id."""
    return image.id.removeprefix("sha256:")[:12]


def megabytes(images: Iterable[Image]) -> str:
    """How large images are together, layers they share counted each time; engines count in powers of ten."""
    sizes = [image.size for image in images]
    known = sum(size for size in sizes if size is not None)
    return "of unknown size" if None in sizes else f"{known / _MEGABYTE:.0f} MB"


def age_in_days(image: Image, now: str) -> int | None:
    """Whole days since it was made, by the host's clock; None when either moment is not known."""
    try:
        made, then = datetime.fromisoformat(image.created), datetime.fromisoformat(now)
        return (then - made).days if made.year > 1 else None
    except (ValueError, TypeError):  # TypeError: only one of them has a time zone
        return None
