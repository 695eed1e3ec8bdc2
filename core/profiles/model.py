"""A profile: a saved way to reach one ClickHouse. Values only; `core.profiles.reading` makes them from TOML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from core.paths import Paths
from core.profiles.partner import ClickHouseAddress, PartnerPolicy
from core.secrets import SecretReference

SettingValue = str | int | float | bool
EngineKind = Literal["server", "embedded"]

BUILT_IN = "embedded"  # the name of the profile that is always there
TLS_PORT = 8443
PLAIN_PORT = 8123
LONGEST_NAME = 64
LONGEST_TIMEOUT = 86_400.0  # seconds


@dataclass(frozen=True, slots=True)
class DataLens:
    """What DataLens needs: its user in ClickHouse, the hosts it is told to connect to, the folder of the keys."""

    user: str = "datalens"
    hosts: tuple[str, ...] = ()
    key_folder: Path | None = None  # None: below the data directory


@dataclass(frozen=True, slots=True)
class LakehouseSettings:
    """How to reach a Singdata (ClickZetta) Lakehouse, whose API connections are looked after. Timeouts in seconds."""

    service: str  # `host` or `host:port`, and a path below which the API is, if there is one
    instance: str
    workspace: str
    username: str
    password: SecretReference
    vcluster: str = "default"
    schema: str = "public"
    secure: bool = True
    ca_file: Path | None = None
    verify: bool = True
    connect_timeout: float = 10.0
    query_timeout: float = 120.0  # a virtual cluster may have to wake up first

    @property
    def url(self) -> str:
        """`https://service`."""
        return f"{'https' if self.secure else 'http'}://{self.service}"

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """Where it is and who logs in, for people; of the password only where it is kept."""
        tls = "certificate checked" if self.verify else "certificate NOT checked"
        tls += "" if self.ca_file is None else f", CA {self.ca_file}"
        return (
            ("Lakehouse", self.url),
            ("Lakehouse TLS", tls if self.secure else "none: everything is readable on the way"),
            ("workspace", f"{self.workspace} of instance {self.instance}, schema {self.schema}"),
            ("virtual cluster", self.vcluster),
            ("Lakehouse user", f"{self.username}, password {self.password.describe()}"),
            ("Lakehouse waits", f"{self.connect_timeout:g} s to connect, {self.query_timeout:g} s for an answer"),
        )


@dataclass(frozen=True, slots=True)
class CloudSettings:
    """Whether Housekeys changes a cloud itself, and how its API is reached. Credentials come from the SDK's own chain.

    The endpoints are URLs; None stands for what the cloud's SDK uses.
    """

    provision: bool = False  # False: the cloud's side of a connection is done by hand
    endpoint: str | None = None
    sts_endpoint: str | None = None
    credentials_profile: str | None = None  # the name of a profile in the SDK's own files
    region: str | None = None

    def __str__(self) -> str:
        words = ["changed by Housekeys" if self.provision else "done by hand"]
        named = (("credentials", self.credentials_profile), ("region", self.region), ("endpoint", self.endpoint))
        words += [f"{name} {value}" for name, value in (*named, ("STS endpoint", self.sts_endpoint)) if value]
        return ", ".join(words)


CLOUDS = ("aws", "aliyun", "tencent")  # the keys of `Profile.clouds`


@dataclass(frozen=True, slots=True)
class Profile:
    """One way to reach one ClickHouse. Timeouts are in seconds; paths are absolute."""

    name: str
    engine: EngineKind = "server"
    host: str = ""
    port: int = TLS_PORT
    secure: bool = True
    ca_file: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None  # None with a certificate: the key is in the same file
    verify: bool = True
    user: str = "default"
    password: SecretReference | None = None
    database: str = "housekeys"  # of the journal
    cluster: str | None = None
    connect_timeout: float = 10.0
    query_timeout: float = 60.0
    settings: Mapping[str, SettingValue] = field(default_factory=dict, hash=False)
    read_only: bool | None = None  # None: as the preferences say
    production: bool = False
    folder: Path | None = None  # of an embedded engine; None: below the data directory
    query_log: bool = False  # of an embedded engine
    datalens: DataLens = DataLens()
    console_members: Path | None = None  # a file with the members of the organization in ClickHouse Cloud
    lakehouse: LakehouseSettings | None = None
    clouds: Mapping[str, CloudSettings] = field(default_factory=dict, hash=False)  # by the names in CLOUDS
    partner: PartnerPolicy | None = None  # of Databricks Partner Connect

    @property
    def address(self) -> str:
        """Where it is, for a list: `host:port`, or the data folder of an embedded engine."""
        if self.engine == "embedded":
            return str(self.folder) if self.folder else "in this process"
        return host_and_port(self.host, self.port)

    @property
    def address_for_users(self) -> ClickHouseAddress | None:
        """Where users of Partner Connect reach this ClickHouse, whole; None for an embedded engine: nobody does."""
        said = self.partner.clickhouse if self.partner else ClickHouseAddress()
        if said.host:
            usual = TLS_PORT if said.secure else PLAIN_PORT
            return ClickHouseAddress(said.host, said.port or usual, said.secure)
        return None if self.engine == "embedded" else ClickHouseAddress(self.host, self.port, self.secure)

    @property
    def badges(self) -> tuple[str, ...]:
        """Words that stay in sight while the profile is open. READ-ONLY is the session's to add."""
        words = []
        if self.production:
            words.append("PRODUCTION")
        if self.engine == "embedded":
            words.append("embedded")
        elif not self.secure:
            words.append("NO TLS")
        elif not self.verify:
            words.append("TLS NOT VERIFIED")
        return tuple(words)

    @property
    def url(self) -> str:
        """`https://host:port` of a server; the empty string for an embedded engine."""
        if self.engine == "embedded":
            return ""
        return f"{'https' if self.secure else 'http'}://{host_and_port(self.host, self.port)}"

    def data_folder(self, paths: Paths) -> Path:
        """Where an embedded engine keeps its data."""
        return self.folder or paths.embedded_data(self.name)

    def key_folder(self, paths: Paths) -> Path:
        """Where the private keys used with this profile are kept."""
        return self.datalens.key_folder or paths.key_folder(self.name)


def host_and_port(host: str, port: int) -> str:
    """`host:port`, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def name_problem(name: str) -> str:
    """Why `name` cannot be the name of a profile, as the end of a sentence; empty when it can."""
    if not 1 <= len(name) <= LONGEST_NAME:
        return f"must have 1 to {LONGEST_NAME} characters"
    if not name.isprintable():
        return "must be printable"
    if name != name.strip():
        return "must not begin or end with a space"
    return ""


def built_in() -> Profile:
    """The profile that needs no configuration: ClickHouse in this process, data below the data directory."""
    return Profile(BUILT_IN, engine="embedded")


@dataclass(frozen=True, slots=True)
class Preferences:
    """What holds for all profiles and the console."""

    default_profile: str = BUILT_IN
    read_only: bool = False
    idle_lock: int = 15  # minutes until the private keys are locked again; 0: never
    theme: str = "housekeys-dark"
    mouse: bool = True


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a configuration file. `line` counts from 1; 0 when it belongs to no line.

    A `blocking` problem keeps its profile from being opened; the others tell what will fail once it is opened.
    """

    file: Path
    line: int
    key: str  # dotted, as written from the top of the file; empty when it is about the file
    message: str
    profile: str | None = None  # the name of the profile it belongs to
    blocking: bool = True

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"
