"""STARTTLS of the real listener, with real clients and a certificate made here."""

import os
import shutil
import smtplib
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.fixtures.receiving import ROOT, Listener, wait_until
from tests.tickets.mail.smtp_talk import SENDER, SUPPORT, kept, letter, session, talk
from tickets.mail.certificates import BadCertificate, Certificate

pytestmark = pytest.mark.usefixtures("support_mailbox")


def make_certificate(chain: Path, key: Path, name: str = "mail.demo.example") -> bytes:
    """A self-signed certificate of 127.0.0.1 and its key, as files; the certificate in DER."""
    secret = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, secret.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(secret, hashes.SHA256())
    )
    key.write_bytes(
        secret.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return made.public_bytes(serialization.Encoding.DER)


@pytest.fixture(scope="module")
def secure_process(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    folder = tmp_path_factory.mktemp("tls")
    make_certificate(folder / "cert.pem", folder / "key.pem")
    listener = Listener(folder, SMTP_TLS_CERT=str(folder / "cert.pem"), SMTP_TLS_KEY=str(folder / "key.pem"))
    yield listener
    listener.close()


@pytest.fixture
def secure(secure_process: Listener, transactional_db: None) -> Listener:
    return secure_process


def chain_of(listener: Listener) -> Path:
    return listener.lmtp_path.parent / "cert.pem"


def trusting(listener: Listener) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(chain_of(listener)))


def test_a_mail_under_tls(secure: Listener) -> None:
    big = letter(1, b"x" * 990 + b"\r\n") + (b"y" * 990 + b"\r\n") * 3000
    with secure.smtp() as client:
        client.ehlo()
        assert client.has_extn("starttls")
        client.starttls(context=trusting(secure))
        client.ehlo()
        assert not client.has_extn("starttls")
        assert client.docmd("STARTTLS")[0] == 503
        client.sendmail(SENDER, [SUPPORT], big)
        client.sendmail(SENDER, [SUPPORT], letter(2))
    assert kept() == [big, letter(2)]


def test_a_mail_without_tls_is_still_taken(secure: Listener) -> None:
    assert b"250 2.0.0 Kept" in talk(secure, session(letter() + b".\r\n"))


def test_lmtp_under_tls(secure: Listener) -> None:
    with smtplib.LMTP(str(secure.lmtp_path)) as client:
        context = trusting(secure)
        context.check_hostname = False
        client.starttls(context=context)
        client.sendmail(SENDER, [SUPPORT], letter())
    assert kept() == [letter()]


def test_without_a_certificate_it_is_not_offered(listener: Listener) -> None:
    with listener.smtp() as client:
        client.ehlo()
        assert not client.has_extn("starttls")
        assert client.docmd("STARTTLS")[0] == 502


INJECTED = b"EHLO evil\r\nMAIL FROM:<evil@evil.example>\r\nRCPT TO:<support@demo.example>\r\n"


@pytest.mark.parametrize("before", [b"EHLO c\r\n", b"EHLO c\r\nMAIL FROM:<evil@evil.example>\r\n"])
@pytest.mark.parametrize("injected", [INJECTED, b"NOOP\r\n" * 50, b"half a comm"])
def test_what_was_said_in_plain_counts_for_nothing(secure: Listener, before: bytes, injected: bytes) -> None:
    """Commands sent behind STARTTLS in one piece would be run as the client's own (CVE-2011-0411)."""
    with secure.raw() as plain:
        plain.sendall(before + b"STARTTLS\r\n" + injected)
        heard = b""
        while not heard.endswith(b"220 2.0.0 Go ahead\r\n"):
            heard += plain.recv(1)
        with trusting(secure).wrap_socket(plain, server_hostname="127.0.0.1") as client:
            client.sendall(b"DATA\r\nMAIL FROM:<c@acme.example>\r\nQUIT\r\n")
            answers = b""
            while data := client.recv(4096):
                answers += data
    assert [line[:3] for line in answers.splitlines()] == [b"503", b"503", b"221"]
    assert kept() == []


@pytest.mark.parametrize("said", [b"NOOP\r\n" * 1000, b"\x16\x03\x01\xff\xff" + b"\x00" * 100, b""])
def test_a_handshake_that_fails_ends_that_connection_only(secure: Listener, said: bytes) -> None:
    with secure.raw() as plain:
        plain.sendall(b"EHLO c\r\nSTARTTLS\r\n")
        heard = b""
        while not heard.endswith(b"220 2.0.0 Go ahead\r\n"):
            heard += plain.recv(1)
        plain.sendall(said)
        plain.shutdown(socket.SHUT_WR)
        try:
            while plain.recv(4096):
                pass
        except ConnectionError:
            pass
    assert b"250 2.0.0 Kept" in talk(secure, session(letter() + b".\r\n"))


def test_a_renewed_certificate_is_taken_up(secure: Listener) -> None:
    chain = chain_of(secure)
    chain.write_text("half written")
    with secure.smtp() as client:
        client.ehlo()
        client.starttls(context=ssl._create_unverified_context())
    renewed = make_certificate(chain, chain.with_name("key.pem"), "renewed.demo.example")
    with secure.smtp() as client:
        client.ehlo()
        client.starttls(context=trusting(secure))
        assert isinstance(client.sock, ssl.SSLSocket)
        assert client.sock.getpeercert(binary_form=True) == renewed


@pytest.mark.skipif(shutil.which("swaks") is None, reason="swaks is not installed")
@pytest.mark.parametrize("way", ["SMTP", "LMTP", "plain SMTP, sent ahead"])
def test_swaks_speaks_to_us(secure: Listener, way: str) -> None:
    given = {
        "SMTP": ["--server", f"127.0.0.1:{secure.port}", "--tls"],
        "LMTP": ["--socket", str(secure.lmtp_path), "--protocol", "LMTP", "--tls"],
        "plain SMTP, sent ahead": ["--server", f"127.0.0.1:{secure.port}", "--pipeline"],
    }[way]
    command = ["swaks", *given, "--from", SENDER, "--to", SUPPORT, "--body", "by swaks"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert b"by swaks" in kept()[0]


def listener_with(**environment: str) -> str:
    """What a listener that cannot start says."""
    done = subprocess.run(
        [sys.executable, "manage.py", "receive_mail_smtp"],
        cwd=ROOT,
        env=os.environ | {"SECRET_KEY": "x" * 50, "SMTP_PORT": "0", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_bad_certificate_is_said_at_the_start(tmp_path: Path) -> None:
    gone = str(tmp_path / "gone.pem")
    assert f"SMTP_TLS_CERT: the certificate {gone} cannot be read" in listener_with(SMTP_TLS_CERT=gone)
    assert "SMTP_TLS_CERT is not" in listener_with(SMTP_TLS_KEY=gone)


@pytest.mark.parametrize("kind", ["no PEM", "another key", "no key", "encrypted key", "a folder"])
def test_certificates_that_cannot_be_used(tmp_path: Path, kind: str) -> None:
    chain, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    make_certificate(chain, key)
    if kind == "no PEM":
        chain.write_text("certificate")
    elif kind == "another key":
        make_certificate(tmp_path / "other.pem", key)
    elif kind == "encrypted key":
        secret = serialization.load_pem_private_key(key.read_bytes(), None)
        locked = serialization.BestAvailableEncryption(b"secret")
        pem = secret.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
        key.write_bytes(pem)
    elif kind == "a folder":
        chain.unlink()
        chain.mkdir()
    with pytest.raises(BadCertificate, match=r"cert\.pem"):
        Certificate(str(chain), "" if kind == "no key" else str(key))


def test_certificate_and_key_in_one_file(tmp_path: Path) -> None:
    both, key = tmp_path / "both.pem", tmp_path / "key.pem"
    make_certificate(both, key)
    both.write_bytes(key.read_bytes() + both.read_bytes())
    read = Certificate(str(both))
    assert read.context() is read.context()
    key.unlink()
    both.unlink()
    before = read.context()
    make_certificate(both, key)
    both.write_bytes(key.read_bytes() + both.read_bytes())
    wait_until(lambda: read.context() is not before)
