"""Keys and certificates for tests: TLS of a server on the loopback, and the tokens that a registry trusts."""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

ISSUER, SERVICE = "test-issuer", "test-registry"


@dataclass(frozen=True)
class SelfSigned:
    """A certificate for 127.0.0.1 that is its own authority, with its key, in files."""

    certificate: Path
    key: Path
    private: ec.EllipticCurvePrivateKey

    @classmethod
    def made(cls, folder: Path, address: str = "127.0.0.1") -> SelfSigned:
        folder.mkdir(parents=True, exist_ok=True)
        private = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
        now = dt.datetime.now(dt.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(private, hashes.SHA256())
        )
        made = cls(folder / "certificate.pem", folder / "key.pem", private)
        made.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        made.key.write_bytes(
            private.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )
        return made

    @property
    def pem(self) -> str:
        """Certificate and key in one text."""
        return self.certificate.read_text() + self.key.read_text()

    def locked(self, passphrase: bytes) -> str:
        """The key, encrypted."""
        encryption = serialization.BestAvailableEncryption(passphrase)
        form = serialization.PrivateFormat.PKCS8
        return self.private.private_bytes(serialization.Encoding.PEM, form, encryption).decode()

    @property
    def files(self) -> tuple[Path, Path]:
        return self.certificate, self.key

    def token(self, access: Sequence[dict[str, Any]], *, lifetime: int = 300, subject: str = "alice") -> str:
        """A token that registry 2.8 and 3 accept when this certificate is their root bundle: ES256 with x5c."""
        certificate = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        chain = [base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()]
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": SERVICE, "sub": subject, "exp": now + lifetime, "access": list(access)}
        signed = f"{_encode({'typ': 'JWT', 'alg': 'ES256', 'x5c': chain})}.{_encode(claims)}"
        r, s = decode_dss_signature(self.private.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{_base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def access_of(scopes: Sequence[str], *, but: Collection[str] = ()) -> list[dict[str, Any]]:
    """The access claim that grants everything which token scopes ask for, `but` these actions."""
    parts = [scope.split(":") for scope in scopes]
    return [
        {"type": kind, "name": name, "actions": [action for action in actions.split(",") if action not in but]}
        for kind, name, actions in parts
    ]


def token_settings(signed: SelfSigned, realm: str) -> dict[str, str]:
    """What a registry's `auth.token` says that takes the tokens `signed` signs."""
    return {
        "realm": realm,
        "service": SERVICE,
        "issuer": ISSUER,
        "rootcertbundle": str(signed.certificate),
    }


def _encode(document: dict[str, Any]) -> str:
    return _base64url(json.dumps(document).encode())


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
