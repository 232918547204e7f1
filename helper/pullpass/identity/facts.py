"""What is known of whoever asks, for the variables of a role's subject."""

import os
from collections.abc import Mapping


def process_facts() -> Mapping[str, str]:
    """Returns what the operating system says of this process: ``node`` and ``unix.user``.

    A fact that this system does not know is left out; a role that needs it then mints nothing.
    """
    return user_facts(os.geteuid() if hasattr(os, "geteuid") else None)


def user_facts(uid: int | None) -> Mapping[str, str]:
    """Returns the facts of a process on this host that runs as uid; may wait for a directory."""
    found = {"node": _node(), "unix.user": "" if uid is None else _user(uid)}
    return {name: value for name, value in found.items() if value}


def _node() -> str:
    return os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")


def _user(uid: int) -> str:
    try:
        import pwd  # noqa: PLC0415 - laptops run Windows, which has no such module
    except ImportError:
        return ""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""
