"""Whose certificates are believed, and what to do about one that is not."""

import ssl
from pathlib import Path
from typing import Final

from pullpass.errors import ConfigError, TransportError

# OpenSSL's X509_V_ERR_…, x509_vfy.h
_TIMES: Final = {9, 10}  # not yet valid, has expired
_NAMES: Final = {62, 64}  # mismatch of host name or IP address


def trusted(ca_bundle: Path | None = None) -> ssl.SSLContext:
    """Returns the host's own store, as other clients use it, and ca_bundle's authorities.

    OpenSSL itself honours SSL_CERT_FILE and SSL_CERT_DIR.

    Raises:
        ConfigError: if ca_bundle cannot be read or holds no certificate.
    """
    context = ssl.create_default_context()
    if ca_bundle is None:
        return context
    try:
        context.load_verify_locations(cafile=ca_bundle)
    except ssl.SSLError as error:
        raise _unusable(f"{ca_bundle} holds no certificate: write them in PEM") from error
    except OSError as error:
        raise _unusable(f"{ca_bundle} cannot be read: {error.strerror}") from error
    return context


def authorized(authorities: str) -> ssl.SSLContext:
    """Returns a store of authorities alone, certificates in PEM.

    Raises:
        TransportError: if there is none.
    """
    try:
        return ssl.create_default_context(cadata=authorities)
    except (ssl.SSLError, ValueError) as error:
        raise TransportError(
            "its authorities are no certificates in PEM: mend their file"
        ) from error


def distrust(error: ssl.SSLCertVerificationError) -> str:
    """Returns why a certificate is not believed, and what to do."""
    if error.verify_code in _NAMES:
        advice = "ask for the name that it was made for"
    elif error.verify_code in _TIMES:
        advice = "let it be renewed, or set this clock"
    else:
        advice = "name its authority in http.ca_bundle or SSL_CERT_FILE"
    return f"its certificate is not trusted: {error.verify_message.rstrip('.')}: {advice}"


def _unusable(message: str) -> ConfigError:
    return ConfigError(message, key="http.ca_bundle")
