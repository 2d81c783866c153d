"""Those that Windows knows by a security identifier (SID): who is everybody, who is an administrator, and what they are called."""

import re

from auditor.gaps import Inconclusive

EVERYONE = "S-1-1-0"
OWNER_RIGHTS = "S-1-3-4"
SYSTEM, ADMINISTRATORS = "S-1-5-18", "S-1-5-32-544"
TRUSTED_INSTALLER = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
CREATORS = frozenset({"S-1-3-0", "S-1-3-1", "S-1-3-2", "S-1-3-3"})
"""They stand for whoever makes an object, in entries to inherit. Nobody is logged on as them."""

# Two letters that SDDL has for a SID. Those of a domain's groups and users have no one SID: they are kept as letters.
_ALIASES = {
    "AA": "S-1-5-32-579", "AC": "S-1-15-2-1", "AN": "S-1-5-7", "AO": "S-1-5-32-548", "AS": "S-1-18-1", "AU": "S-1-5-11", "BA": ADMINISTRATORS,
    "BG": "S-1-5-32-546", "BO": "S-1-5-32-551", "BU": "S-1-5-32-545", "CD": "S-1-5-32-574", "CG": "S-1-3-1", "CO": "S-1-3-0", "CY": "S-1-5-32-569",
    "ED": "S-1-5-9", "ER": "S-1-5-32-573", "ES": "S-1-5-32-576", "HA": "S-1-5-32-578", "HI": "S-1-16-12288", "IS": "S-1-5-32-568", "IU": "S-1-5-4",
    "LS": "S-1-5-19", "LU": "S-1-5-32-559", "LW": "S-1-16-4096", "ME": "S-1-16-8192", "MP": "S-1-16-8448", "MS": "S-1-5-32-577", "MU": "S-1-5-32-558",
    "NO": "S-1-5-32-556", "NS": "S-1-5-20", "NU": "S-1-5-2", "OW": OWNER_RIGHTS, "PO": "S-1-5-32-550", "PS": "S-1-5-10", "PU": "S-1-5-32-547",
    "RA": "S-1-5-32-575", "RC": "S-1-5-12", "RD": "S-1-5-32-555", "RE": "S-1-5-32-552", "RM": "S-1-5-32-580", "RU": "S-1-5-32-554", "SI": "S-1-16-16384",
    "SO": "S-1-5-32-549", "SS": "S-1-18-2", "SU": "S-1-5-6", "SY": SYSTEM, "UD": "S-1-5-84-0-0-0-0-0", "WD": EVERYONE, "WR": "S-1-5-33",
}  # fmt: skip
_OF_A_DOMAIN = {
    "AP": 525, "CA": 517, "CN": 522, "DA": 512, "DC": 515, "DD": 516, "DG": 514, "DU": 513, "EA": 519, "EK": 527, "KA": 526, "LA": 500, "LG": 501,
    "PA": 520, "RO": 498, "RS": 553, "SA": 518,
}  # fmt: skip
_NAMES = {
    EVERYONE: "Everyone", "S-1-2-0": "Local", "S-1-2-1": "Console logons", "S-1-5-1": "Dial-up logons", "S-1-5-2": "Network logons", "S-1-5-3": "Batch jobs",
    "S-1-5-4": "Interactive logons", "S-1-5-6": "All services", "S-1-5-7": "Anonymous", "S-1-5-11": "Authenticated Users", "S-1-5-13": "Terminal server users",
    "S-1-5-14": "Remote interactive logons", "S-1-5-15": "This organization", SYSTEM: "SYSTEM", "S-1-5-19": "Local Service", "S-1-5-20": "Network Service",
    "S-1-5-113": "Local accounts", ADMINISTRATORS: "Administrators", "S-1-5-32-545": "Users", "S-1-5-32-546": "Guests", "S-1-5-32-547": "Power Users",
    "S-1-5-32-555": "Remote Desktop Users", "S-1-5-32-578": "Hyper-V Administrators", "S-1-5-32-580": "Remote Management Users",
    "S-1-5-83-0": "Virtual Machines", "S-1-5-93-2-1": "ContainerAdministrator", "S-1-5-93-2-2": "ContainerUser", TRUSTED_INSTALLER: "TrustedInstaller",
    "S-1-15-2-1": "All application packages", "S-1-15-2-2": "All restricted application packages",
}  # fmt: skip
_NAMES_OF_A_DOMAIN = {
    500: "built-in Administrator",
    501: "built-in Guest",
    512: "Domain Admins",
    513: "Domain Users",
    514: "Domain Guests",
    515: "Domain Computers",
}
# Those that an ordinary user, or anybody, is or becomes by the way of logging on.
_BROAD = {
    EVERYONE, "S-1-2-0", "S-1-2-1", "S-1-5-1", "S-1-5-2", "S-1-5-3", "S-1-5-4", "S-1-5-7", "S-1-5-11", "S-1-5-13", "S-1-5-14", "S-1-5-15",
    "S-1-5-113", "S-1-5-32-545", "S-1-5-32-546", "S-1-15-2-1", "S-1-15-2-2",
}  # fmt: skip
_BROAD_OF_A_DOMAIN = {501, 513, 514, 515}
_SID = re.compile(r"S-1-(0x[0-9A-Fa-f]{1,12}|[0-9]{1,15})(-[0-9]{1,10}){1,15}", re.ASCII)
_DOMAIN = re.compile(r"S-1-5-21(?:-[0-9]+){3}-([0-9]+)", re.ASCII)


def sid_of(text: str) -> str:
    """
    A SID as SDDL writes it: ``S-1-…`` stays, two letters become the SID they stand for where there is one. Empty stays empty.

    Raises:
        Inconclusive: it is neither.
    """
    if not text or text in _OF_A_DOMAIN:
        return text
    if text in _ALIASES:
        return _ALIASES[text]
    if not _SID.fullmatch(text.upper().replace("S-1-0X", "S-1-0x")):
        raise Inconclusive(f"not a security identifier: {text[:80]!r}")
    return text.upper()


def is_broad(sid: str) -> bool:
    """Whether ordinary users, guests or strangers are among them."""
    return sid in _BROAD or _relative(sid) in _BROAD_OF_A_DOMAIN


def is_trusted(sid: str) -> bool:
    """Whether they rule the host anyway: the system, its administrators, and what installs Windows."""
    return sid in (SYSTEM, ADMINISTRATORS, TRUSTED_INSTALLER) or _relative(sid) == 500  # noqa: PLR2004  its number since NT 3.1


def name_of(sid: str) -> str:
    """``Users (S-1-5-32-545)``; a SID without a name of its own stays as it is."""
    name = _NAMES.get(sid) or _NAMES_OF_A_DOMAIN.get(_relative(sid) or 0)
    return f"{name} ({sid})" if name else sid


def _relative(sid: str) -> int | None:
    """The last number of a SID of a domain or a machine, which is the same in each for what Windows itself made."""
    match = _DOMAIN.fullmatch(sid)
    return int(match[1]) if match else _OF_A_DOMAIN.get(sid)
