"""The certificates of a study: an authority of its own, one certificate for the server and one per site.

Each site gets a *token*: a text file with everything that it needs to join. **Whoever has the token can join the study
as that site.** It is written for its user alone (mode 0600); hand it over on a way that you would use for a password.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from core.errors import InputError, SettingsError, shortened
from core.files import atomic_write

__all__ = ["SERVER", "Authority", "Certificate", "Token", "checked_site_name", "read_token", "write_private"]

SERVER = "server"
"""Name of the coordinator in certificates and messages; no site can have it."""
_SITE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_DAYS = 365
_CLOCK_SKEW = timedelta(hours=1)


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its user can read, whole or not at all."""
    with atomic_write(path) as partial:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


def checked_site_name(name: str) -> str:
    """Return the name of a site.

    Raises
    ------
    SettingsError
        When it cannot be the name of a certificate and of a file.

    Examples
    --------
    >>> checked_site_name("north-2")
    'north-2'
    """
    if not _SITE_NAME.fullmatch(name) or name.lower() == SERVER:
        raise SettingsError(
            f"'{shortened(name)}' cannot be the name of a site.",
            "Use up to 40 letters, digits, hyphens and underscores, and not the word server.",
        )
    return name


@dataclass(frozen=True)
class Certificate:
    """A certificate with its key, both in PEM.

    Parameters
    ----------
    certificate : str
        Certificate.
    key : str
        Private key.
    """

    certificate: str
    key: str = field(repr=False)


@dataclass(frozen=True)
class Token:
    """What a site needs to join a study.

    Parameters
    ----------
    study : str
        Id of the study.
    site : str
        Name of the site.
    address : str
        Host and port of the server.
    authority : str
        Certificate of the study's authority, in PEM.
    certificate, key : str
        Certificate and private key of the site, in PEM.
    """

    study: str
    site: str
    address: str
    authority: str = field(repr=False)
    certificate: str = field(repr=False)
    key: str = field(repr=False)

    def to_text(self) -> str:
        """Return the token as the text of its file."""
        return base64.b64encode(json.dumps(asdict(self)).encode()).decode("ascii") + "\n"

    @classmethod
    def from_text(cls, text: str) -> Token:
        """Return the token of what `to_text` returned.

        Raises
        ------
        InputError
            When the text is not a token.
        """
        try:
            values = json.loads(base64.b64decode(text.strip(), validate=True))
            token = cls(**{name: str(value) for name, value in values.items()})
        except (ValueError, TypeError, AttributeError, binascii.Error) as error:
            raise InputError("This file is not a token of a study.", "Use the file that the study sent.") from error
        checked_site_name(token.site)
        return token


def read_token(path: str | Path) -> Token:
    """Return the token of a file.

    Raises
    ------
    InputError
        When there is no such file, or it is not a token.
    """
    try:
        text = Path(path).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The token '{path}' cannot be read.", "Give the file that the study sent.") from error
    return Token.from_text(text)


class Authority:
    """The certificate authority of one study.

    Parameters
    ----------
    own : Certificate
        Its own certificate and key.

    Examples
    --------
    >>> authority = Authority.create("0123")
    >>> "BEGIN CERTIFICATE" in authority.for_site("north").certificate
    True
    """

    def __init__(self, own: Certificate) -> None:
        self.own = own
        self._certificate = x509.load_pem_x509_certificate(own.certificate.encode())
        key = serialization.load_pem_private_key(own.key.encode(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._key = key

    @classmethod
    def create(cls, study: str) -> Authority:
        """Make the authority of a new study."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(f"study {study}")
        usage = _key_usage(signs=True)
        builder = (
            _builder(name, name, key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
        )
        return cls(_certificate(builder.sign(key, hashes.SHA256()), key))

    def for_server(self, host: str) -> Certificate:
        """Return a certificate with which a server at a host, and no site, can act as the study's server."""
        return self._issue(SERVER, ExtendedKeyUsageOID.SERVER_AUTH, host)

    def for_site(self, site: str) -> Certificate:
        """Return a certificate with which a client, and no server, can act as a site."""
        return self._issue(checked_site_name(site), ExtendedKeyUsageOID.CLIENT_AUTH)

    def _issue(self, common_name: str, purpose: x509.ObjectIdentifier, host: str | None = None) -> Certificate:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _builder(_name(common_name), self._certificate.subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=True)
        )
        if host is not None:
            builder = builder.add_extension(x509.SubjectAlternativeName([_host(host)]), critical=False)
        return _certificate(builder.sign(self._key, hashes.SHA256()), key)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + timedelta(days=_DAYS))
    )


def _certificate(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Certificate:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Certificate(certificate.public_bytes(serialization.Encoding.PEM).decode(), private.decode())
