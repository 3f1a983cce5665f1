"""Certificates for tests, made on the spot: an authority, and what it signs for servers and clients."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)
Signed = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


@dataclass(frozen=True)
class Pair:
    """Where a certificate and its key are."""

    cert: Path
    key: Path

    @property
    def both(self) -> tuple[str, str]:
        """As clients take them."""
        return str(self.cert), str(self.key)


class Authority:
    """Signs certificates and writes them into a folder, under the names that it is told."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._own = _signed(name, None)
        self.cert = folder / f"{name}.pem"
        self.cert.write_bytes(_pem(self._own[0]))

    def server(self, name: str = "server") -> Pair:
        """For a server on 127.0.0.1."""
        return self._written(name, x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("localhost"))

    def client(self, name: str, *sans: x509.GeneralName) -> Pair:
        """For a client, with these alternative names."""
        return self._written(name, *sans)

    def _written(self, name: str, *sans: x509.GeneralName) -> Pair:
        cert, key = _signed(name, self._own, *sans)
        pair = Pair(self._folder / f"{name}.crt", self._folder / f"{name}.key")
        pair.cert.write_bytes(_pem(cert))
        pair.key.write_bytes(key_pem(key))
        return pair


def key_pem(key: ec.EllipticCurvePrivateKey, passphrase: str = "") -> bytes:
    """A key as text, encrypted when there is a passphrase."""
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        encryption = serialization.BestAvailableEncryption(passphrase.encode())
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def new_key() -> ec.EllipticCurvePrivateKey:
    """A key that fits nothing else."""
    return ec.generate_private_key(ec.SECP256R1())


def _pem(cert: x509.Certificate) -> bytes:
    return cert.public_bytes(serialization.Encoding.PEM)


def _signed(name: str, issuer: Signed | None, *sans: x509.GeneralName) -> Signed:
    """A certificate that the issuer signed, or that signed itself."""
    key, now = new_key(), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signing = issuer[1] if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False
        )
    )
    if issuer is None:
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        builder = builder.add_extension(usage, critical=True)
    if sans:
        builder = builder.add_extension(x509.SubjectAlternativeName(sans), critical=False)
    return builder.sign(signing, hashes.SHA256()), key
