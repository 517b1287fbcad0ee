"""Makes the pages of docs/ fit for the site: links to files beside docs/, which it does not hold, become text."""

from __future__ import annotations

import re
from typing import Any

OUTSIDE = re.compile(r"\[([^\]]+)\]\((\.\./[^)\s]+)\)")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """A link to a file of the repository that is not in docs/ becomes its path: the site does not hold it."""
    return OUTSIDE.sub(lambda found: f"{found[1]} (`{found[2].removeprefix('../')}`)", markdown)
