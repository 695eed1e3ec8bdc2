"""Configuration files that say something of Partner Connect: all there is to say, and the least."""

from __future__ import annotations

from pathlib import Path

from core.profiles import ProfileFile, load

WHOLE = """\
[profiles.prod]
engine = "embedded"

[profiles.prod.partner]  # of Databricks
base_url = "https://connect.acme.example/"
name = "Acme Data"
integration = "read-write"
auth_options = ["AUTH_OAUTH_U2M", "AUTH_OAUTH_M2M"]
oauth_redirect_uri = "https://acme.example/oauth"
new_user_action = "invite"
require_manual_signup = true
supports_demo = false
test_hooks = true
hostnames = ["acme.example", "other.example"]
sealing_keys = ["command:cat", "a b"]

[profiles.prod.partner.trial]
type = "user"
days = 30
another = true

[profiles.prod.partner.accounts]
more_free_mail = ["Campus.example"]

[profiles.prod.partner.pages]
sign_in = "https://app.acme.example/in"
sign_up = "https://other.example/up"
purchase = "https://acme.example/buy"
contact_admin = "https://acme.example/help"

[profiles.prod.partner.endpoints]
connect_path = "/v1/connect"
delete_connection_path = "/v1/connection"
test_connection_path = "/v1/test"
delete_account_path = "/v1/account"
expire_account_path = "/v1/user"
get_connectors_path = "/v1/sources"

[profiles.prod.partner.resources]
database = "{account}"
role = "r_{account}"
user = "u_{account}_{user}"
privileges = ["SELECT"]
quota = "partners"
settings_profile = "partner limits"

[profiles.prod.partner.service]
listen = "[::]:443"
certificate = "{certificate}"
private_key = "{key}"
max_body = 8192
requests_per_minute = 60
read_timeout = 2.5
link_minutes = 5
metrics = false
trusted_proxies = ["127.0.0.1", "10.0.0.0/8"]

[profiles.prod.partner.clickhouse]
host = "ch.acme.example"
port = 443
secure = false

[[profiles.prod.partner.connectors]]
identifier = "amazon_s3"
name = "Amazon S3"

[[profiles.prod.partner.connectors]]
identifier = "zuora"
name = "Zuora"
type = "target"
description = "Bills"
"""
START = "[profiles.x]\nengine = 'embedded'\n[profiles.x.partner]\n"
URL = START + "base_url = 'https://c.example'\n"


def read(tmp_path: Path, text: str) -> ProfileFile:
    """A configuration file that says `text`."""
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def whole(folder: Path) -> str:
    """WHOLE, with files in a folder."""
    text = WHOLE
    for name in ("certificate", "key"):
        file = folder / f"{name}.pem"
        file.touch(0o600)
        text = text.replace(f'"{{{name}}}"', f'"{file}"')
    return text
