"""Whether the engine's release is maintained and up to date."""

from datetime import timedelta

from auditor.check import Finding, Findings, Inconclusive, Manual, NotApplicable, Severity, check
from auditor.facts.origin import Origin
from auditor.facts.releases import Build, Line, Releases

_SOURCE = "docker version:/Server/Version"
# How long a host may take to get a new release.
_TIME_TO_UPDATE = timedelta(days=30)


@check(severity=Severity.HIGH)
def engine_release_unmaintained(build: Build, releases: Releases, origin: Origin) -> Findings:
    """
    The engine is of a release line that is still maintained.

    A line that has come to its end gets no repairs any more, so every hole found
    since stays open.

    Distributions and vendors go on repairing lines that Docker has given up. Whether
    this one still does is in its own calendar, not in the engine's version, so such a
    build is for a person to judge.

    Remediation:
        Update the engine to a maintained line: docs.docker.com/engine/release-notes
        has the newest, and each line's notes say what changes.
    """
    today = origin.collected.date()
    line = _line(build, releases)
    if line is None or (line.ended and line.ended <= today):
        what = f"{build.version}, of a line that Docker {_end(line)}"
        gone = releases.vendor_end(build.platform, build.version_tuple)
        if gone and gone <= today:
            what = f"{build.version}, of a line that the makers of {build.platform} have not maintained since {gone}"
        elif not build.dockers_own:
            raise Manual(
                f"{what} (by our table of {releases.checked}); this build is {_maker(build)}: is it still repaired by them?"
            )
        yield Finding("daemon", what, f"a maintained line (by our table of {releases.checked})", _SOURCE)
    elif releases.stale(today):
        raise Inconclusive(_stale(releases))


@check(severity=Severity.MEDIUM)
def engine_update_missing(build: Build, releases: Releases, origin: Origin) -> Findings:
    """
    The engine is the newest release of its line.

    Releases within a line are mostly repairs, and what they repair is public from
    the day they come out. A release may be a month old before it counts as missed.

    A distribution's or vendor's build carries repairs under an older number, so there
    the package manager has to be asked.

    Remediation:
        Update the engine's packages; with ``"live-restore": true`` containers keep
        running meanwhile.
    """
    today = origin.collected.date()
    line = _line(build, releases)
    if line is None or (line.ended and line.ended <= today):
        raise NotApplicable(f"the line of {build.version} gets no updates from Docker any more")
    if not build.dockers_own:
        raise Manual(f"{build.version} is {_maker(build)}: are all of its updates installed?")
    if build.version_tuple < _newest(line) and today - line.newest_released > _TIME_TO_UPDATE:
        yield Finding(
            "daemon",
            build.version,
            f"{line.newest}, out since {line.newest_released} (by our table of {releases.checked})",
            _SOURCE,
        )
    elif releases.stale(today):
        raise Inconclusive(_stale(releases))


def _line(build: Build, releases: Releases) -> Line | None:
    """
    The line of a build; None when it is older than all of the table.

    Raises:
        Inconclusive: it is newer, or lies between lines.
    """
    line = releases.line_of(build.version_tuple)
    oldest = min(_first(each) for each in releases.lines)
    if line is None and build.version_tuple >= oldest:
        raise Inconclusive(
            f"our table of {releases.checked} does not know the line of {build.version}: update the auditor"
        )
    return line


def _first(line: Line) -> tuple[int, ...]:
    return tuple(int(part) for part in line.line.split("."))


def _newest(line: Line) -> tuple[int, ...]:
    return tuple(int(part) for part in line.newest.split("."))


def _end(line: Line | None) -> str:
    return f"has not maintained since {line.ended}" if line else "gave up long ago"


def _maker(build: Build) -> str:
    """Who built it, with the package's version where it tells."""
    maker = build.platform or "a distribution's own"
    return f"{maker} ({build.package})" if "-" in build.package else maker


def _stale(releases: Releases) -> str:
    return f"our table of releases is of {releases.checked}, more than six months before this: update the auditor"
