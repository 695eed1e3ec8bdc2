"""The request that the documentation sends by hand is one that a service of the profile shown there takes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from core.partner.messages.reading import read_connect_request
from core.partner.partner_configs import partner_config
from core.profiles.partner import PartnerPolicy

DOCUMENT = Path(__file__).parents[3] / "docs" / "partner-connect.md"


def test_the_connect_of_the_documentation_is_taken() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    (body,) = re.findall(r"--json '(\{.*?\})'\n", text, re.DOTALL)
    shown = tomllib.loads(re.findall(r"```toml\n(.*?)```", text, re.DOTALL)[0])["profiles"]["try"]["partner"]
    assert set(shown) == {"base_url", "sealing_keys", "test_hooks"}  # all else is usual
    request = read_connect_request(body.encode(), partner_config(PartnerPolicy(shown["base_url"])))
    assert request.user_info.email == "ann@acme.example"
