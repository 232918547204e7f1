"""Which hosts are this machine, or on the cable beside it: those that plain http may reach."""

from ipaddress import ip_address, ip_network
from typing import Final

_EC2: Final = ip_network("fd00:ec2::/32")


def is_loopback(host: str) -> bool:
    """Tells whether host, a name or a literal with or without brackets, is this machine."""
    host = host.strip("[]")
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def is_link_local(host: str) -> bool:
    """Tells whether host is an address that no router forwards (RFC 3927, RFC 4291 §2.5.6).

    The unique local ones of AWS count too: fd00:ec2::/32 is routed nowhere beyond the machine.
    """
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return False
    return address.is_link_local or address in _EC2
