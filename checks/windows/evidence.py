"""How checks of rights on Windows put what they found, and what they could not see."""

from collections.abc import Callable, Iterable, Iterator

from auditor.check import Finding, Inconclusive, NotApplicable
from auditor.facts.sddl import Descriptor
from auditor.facts.windows_principals import is_broad, name_of
from auditor.facts.windows_rights import READ, Guarded, changes, words


def wanted(each: Guarded, *, reads: bool) -> int:
    """The bits that matter of a thing: those that change it, and of a secret those that show it."""
    return changes(each.kind) | (READ if reads else 0)


def held(
    each: Guarded,
    bits: int,
    who: Callable[[str], bool] = is_broad,
    name: Callable[[str], str] = name_of,
) -> str:
    """
    Who of these holds which of these rights, on the thing and on files that will be made in it; empty where nobody does.

    Raises:
        Inconclusive: the rights could not be read.
    """
    own = _held(each.rights, each, bits, who, name)
    if each.kind != "folder":
        return "; ".join(own.values())
    inner = Guarded(each.role, each.path)
    later = _held(each.rights.inherited_by("file"), inner, bits & (changes("file") | READ), who, name)
    more = [f"in new files: {said}" for sid, said in later.items() if sid not in own]
    return "; ".join([*own.values(), *more])


def _held(
    rights: Descriptor, each: Guarded, bits: int, who: Callable[[str], bool], name: Callable[[str], str]
) -> dict[str, str]:
    granted = rights.granted(each.kind)
    return {
        sid: f"{name(sid)} may {words(mask & bits, each.kind)}"
        for sid, mask in granted.items()
        if mask & bits and who(sid)
    }


class Seen:
    """What was looked at, and what could not be; asked at the end why there may be more."""

    def __init__(self, things: Iterable[Guarded]) -> None:
        """``things``: all that should be looked at."""
        self._things = tuple(things)
        self.unknown: list[str] = []

    def present(self) -> Iterator[Guarded]:
        """Those that are there."""
        return (each for each in self._things if each.exists)

    def judged(self, each: Guarded, judge: Callable[[Guarded], str], expected: str) -> Iterator[Finding]:
        """A finding where there is something to say of a thing."""
        try:
            said = judge(each)
        except Inconclusive as gap:
            self.unknown.append(str(gap))
            return
        if said:
            yield Finding(each.path, said, expected, f"access list of {each.path}")

    def explain(self, *, needed: bool = True) -> None:
        """
        Say why silence would be no pass.

        Raises:
            Inconclusive: something could not be seen.
            NotApplicable: there is nothing of it, which is all right where it is not ``needed``.
        """
        if self.unknown:
            raise Inconclusive("; ".join(self.unknown))
        if not self._things:
            raise Inconclusive("the collector told nothing of it")
        if needed and not any(self.present()):
            raise NotApplicable(f"there is no {' and no '.join(each.path for each in self._things)}")
