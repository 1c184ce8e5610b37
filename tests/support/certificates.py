# SPDX-License-Identifier: Apache-2.0
"""Certificates and their keys as PEM files: of an authority, and what it signs."""
import hashlib
import ipaddress
from datetime import datetime, timedelta, timezone

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Certificate:
    """`name`.pem and `name`.key in a directory; signed by itself, as an authority, unless `by` another."""

    def __init__(self, directory, name, by=None, address=None):
        self.pem, self.key_file = directory / f"{name}.pem", directory / f"{name}.key"
        self.key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(timezone.utc)
        self.subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = (x509.CertificateBuilder().subject_name(self.subject).issuer_name((by or self).subject).public_key(self.key.public_key())
                .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=30))
                .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), True))
        if address:
            made = made.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), False)
        self.certificate = made.sign((by or self).key, hashes.SHA256())
        self.pem.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        self.key_file.write_bytes(self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        self.key_file.chmod(0o600)

    @property
    def sha256(self):
        return hashlib.sha256(self.certificate.public_bytes(serialization.Encoding.DER)).hexdigest()
