"""The certificate of a studio's server: the one that is given, or one made on the first start.

A client keeps the fingerprint of the latter, as SSH does with the key of a host.
"""

from __future__ import annotations

import contextlib
import hashlib
import ipaddress
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from latentfu.core.errors import BadInputError, StorageError
from latentfu.core.paths import config_dir, make_private
from latentfu.storage.atomic import write_whole

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

_VALID_YEARS = 10


@dataclass(frozen=True)
class ServerCertificate:
    """Two PEM files. ``fingerprint``: sha256 of the certificate, hex, as clients keep it."""

    certificate: Path
    key: Path
    fingerprint: str

    def make_context(self) -> ssl.SSLContext:
        """For the server's side, TLS 1.2 and later; raises BadInputError where the two do not fit.

        No client has to have a certificate: a token says who it is.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(self.certificate, self.key, password=_refuse_password)
        except (OSError, ssl.SSLError) as error:
            raise BadInputError(
                f"{self.certificate} and {self.key} are no certificate and its key in PEM: give "
                f"those that belong together ({error})."
            ) from error
        return context


def _refuse_password() -> str:
    raise BadInputError("The key is locked by a password: give one without.")


def find_certificate(
    certificate: Path | None, key: Path | None, names: Sequence[str]
) -> ServerCertificate:
    """The files that are given, or those in the settings folder, which are made if need be.

    Args:
        certificate: PEM, the server's own first; None: the one of this machine.
        key: its key.
        names: host names and addresses by which clients call this machine, for a new one.

    Raises:
        BadInputError: one of the two is missing or unreadable.
        StorageError: a new one cannot be written.
    """
    if (certificate is None) != (key is None):
        raise BadInputError("Give both --certificate and --key, or neither.")
    if certificate is not None and key is not None:
        return ServerCertificate(certificate, key, read_fingerprint(certificate))
    folder = make_private(config_dir() / "tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    if not (certificate.is_file() and key.is_file()):
        _make_certificate(certificate, key, names)
    return ServerCertificate(certificate, key, read_fingerprint(certificate))


def read_fingerprint(certificate: Path) -> str:
    """sha256 of the first certificate in a PEM file, hex; raises BadInputError."""
    try:
        text = certificate.read_text("ascii")
        start = text.index("-----BEGIN CERTIFICATE-----")
        end = text.index("-----END CERTIFICATE-----", start) + len("-----END CERTIFICATE-----")
        der = ssl.PEM_cert_to_DER_cert(text[start:end])
    except (OSError, ValueError) as error:
        raise BadInputError(f"{certificate} is no certificate in PEM: {error}.") from error
    return hashlib.sha256(der).hexdigest()


def read_host_names(certificate: Path) -> set[str]:
    """The host names that the first certificate in a PEM file is for, in lower case."""
    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return set()
    return {name.lower() for name in names.get_values_for_type(x509.DNSName)}


def list_own_names() -> list[str]:
    """The names and addresses by which this machine may be called."""
    host = socket.gethostname().lower()
    names = ["localhost", "127.0.0.1", "::1", host, socket.getfqdn().lower()]
    with contextlib.suppress(OSError):
        names += [str(each[4][0]) for each in socket.getaddrinfo(host, None)]
    return list(dict.fromkeys(name.partition("%")[0] for name in names if name))


def _make_certificate(certificate: Path, key: Path, names: Sequence[str]) -> None:
    """One of this machine's own making, and its key, which never leaves the folder."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    secret = ec.generate_private_key(ec.SECP256R1())
    signed = _sign_own(secret, [*names, *list_own_names()])
    pem = serialization.Encoding.PEM
    plain = serialization.PrivateFormat.PKCS8
    locked = serialization.NoEncryption()
    try:
        write_whole(key, secret.private_bytes(pem, plain, locked), mode=0o600, durable=True)
        write_whole(certificate, signed.public_bytes(pem), mode=0o600, durable=True)
    except OSError as error:
        raise StorageError(f"The certificate cannot be written: {error}.") from error


def _sign_own(secret: ec.EllipticCurvePrivateKey, names: Sequence[str]) -> x509.Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Latent-Fu server")])
    now = datetime.now(UTC)
    alternatives = [_general_name(name) for name in dict.fromkeys(names)]
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # clocks of clients may be behind
        .not_valid_after(now + timedelta(days=365 * _VALID_YEARS))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(secret.public_key()), False)
        .sign(secret, hashes.SHA256())
    )


def _general_name(name: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
