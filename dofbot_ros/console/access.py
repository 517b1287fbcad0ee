"""Who may open the console: this machine, or from elsewhere whoever has the token; no script of another web site."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Access:
    """The rules of one server.

    Attributes:
        host: the address it listens on.
        token: what a page has to show; "" where this machine alone can reach the server.
    """

    host: str
    token: str

    @classmethod
    def of(cls, host: str) -> Access:
        """With a new token where other machines can reach `host`."""
        return cls(host, "" if _local(host) else secrets.token_urlsafe(12))

    def refusal(self, host_header: str, origin: str | None, token: str) -> str:
        """Why a request is refused, "" where it is not.

        Args:
            host_header: Host of the request: the name under which the page was called.
            origin: Origin of the request; None where the browser sends none, as for a page itself.
            token: what came with it.
        """
        name = urlsplit(f"//{host_header}").hostname or ""
        if not self.token and name not in LOOPBACK:
            # A web site whose name is made to point here (DNS rebinding) calls under its own name.
            return f"this console is called as {' or '.join(LOOPBACK)}, not as {name or 'nothing'}"
        if origin is not None and urlsplit(origin).netloc != host_header:
            return f"a page of {origin} may not command this arm: open the console itself"
        if self.token and not hmac.compare_digest(self.token.encode(), token.encode()):
            return "the address lacks the token: use the one that `dofbot console` printed"
        return ""


def _local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
