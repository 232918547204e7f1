"""Which hosts are this machine: the only ones that plain http may reach."""

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Tells whether host, a name or a literal with or without brackets, is this machine."""
    host = host.strip("[]")
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
