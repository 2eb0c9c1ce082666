"""A provider of OpenID Connect on loopback: discovery, keys, codes with PKCE, signed ID tokens, userinfo."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

CLIENT, SECRET = "helpdesk", "client secret"


class Provider:
    """Set `claims`, `key`, `algorithm`, … to what a test wants told; `authorize` is what its login page would do."""

    def __init__(self, key: RSAPrivateKey, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.key: Any = key
        self.public = key.public_key()
        self.algorithm = "RS256"
        self.kid = "one"
        self.claims: dict[str, Any] = {}
        self.dropped: set[str] = set()
        self.userinfo: dict[str, Any] = {}
        self.config: dict[str, Any] = {}
        self.keys: Any = None
        self.id_token: str | None = None
        self.verifier: str | None = None
        self._codes: dict[str, dict[str, str]] = {}

    def authorize(self, address: str) -> dict[str, str]:
        """What the browser brings back from the login page at `address`."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert address.startswith(f"{self.url}/authorize?") and asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT and asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split() and asked["nonce"]
        code = f"code{len(self._codes)}"
        self._codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def answer(self, path: str, form: dict[str, str], bearer: str) -> tuple[int, Any]:
        if path == "/.well-known/openid-configuration":
            ends = {f"{name}_endpoint": f"{self.url}/{name}" for name in ("authorization", "token", "userinfo")}
            ends["authorization_endpoint"] = f"{self.url}/authorize"
            post = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
            return 200, {"issuer": self.url, "jwks_uri": f"{self.url}/jwks", **ends, **post, **self.config}
        if path == "/jwks":
            own = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.public))
            return 200, self.keys or {"keys": [{**own, "kid": "one", "use": "sig", "alg": "RS256"}]}
        if path == "/userinfo":
            return (200, self.userinfo) if bearer == "Bearer access" else (401, {})
        if path == "/token":
            return self._token(form)
        return 404, {}

    def _token(self, form: dict[str, str]) -> tuple[int, Any]:
        asked = self._codes.pop(form.get("code", ""), None)
        verifier = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        proven = asked is not None and verifier.rstrip(b"=").decode() == asked["code_challenge"]
        known = form.get("client_id") == CLIENT and form.get("client_secret") == SECRET
        if not (asked and proven and known and form.get("redirect_uri") == asked["redirect_uri"]):
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {
            "iss": self.url, "aud": CLIENT, "sub": "7", "iat": now, "exp": now + 300, "nonce": asked["nonce"],
            "email": "grace@demo.example", "email_verified": True, "name": "Grace", **self.claims,
        }  # fmt: skip
        told = {name: value for name, value in claims.items() if name not in self.dropped}
        headers = {"kid": self.kid} if self.kid else {}
        signed = jwt.encode(told, self.key, algorithm=self.algorithm, headers=headers)
        id_token = signed if self.id_token is None else self.id_token
        return 200, {"access_token": "access", "token_type": "Bearer", "id_token": id_token}


@contextmanager
def running() -> Iterator[Provider]:
    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            status, said = provider.answer(urlsplit(self.path).path, form, self.headers.get("Authorization", ""))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(said if isinstance(said, bytes) else json.dumps(said).encode())

        do_GET = do_POST = _serve

        def log_message(self, *args: Any) -> None:
            """Tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = Provider(generate_private_key(65537, 2048), server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
