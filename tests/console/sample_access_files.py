"""Files about access as they lie about: a commented users.xml with a users.d beside it, and a script of SQL."""

from __future__ import annotations

from pathlib import Path

DIGEST = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"
USERS_XML = f"""\
<?xml version="1.0"?>
<!-- Kept by the platform team. -->
<clickhouse>
    <profiles>
        <default/>
        <reporting>
            <readonly>1</readonly>
            <max_memory_usage>10000000000</max_memory_usage>
        </reporting>
    </profiles>
    <quotas>
        <default/>
        <hourly>
            <interval><duration>3600</duration><queries>1000</queries></interval>
        </hourly>
    </quotas>
    <users>
        <!-- The only one who may come from everywhere. -->
        <default>
            <no_password/>
            <networks><ip>::/0</ip></networks>
            <profile>default</profile>
            <quota>default</quota>
        </default>
        <grafana>
            <password_sha256_hex>{DIGEST}</password_sha256_hex>
            <networks><ip>10.20.0.0/16</ip></networks>
            <profile>reporting</profile>
            <quota>hourly</quota>
            <grants><query>GRANT reader</query></grants>
        </grafana>
        <etl>
            <password>hunter2</password>
            <networks><host>loader.example</host></networks>
            <grants><query>GRANT INSERT ON sales.*</query></grants>
        </etl>
    </users>
    <roles>
        <reader>
            <grants><query>GRANT SELECT ON sales.*</query></grants>
        </reader>
    </roles>
</clickhouse>
"""
ANALYST_XML = f"""\
<clickhouse>
    <users>
        <analyst>
            <password_sha256_hex>{DIGEST}</password_sha256_hex>
            <networks><ip>10.20.4.7</ip></networks>
            <databases><sales><orders><filter>amount &lt; 100</filter></orders></sales></databases>
            <grants><query>GRANT reader</query></grants>
        </analyst>
    </users>
</clickhouse>
"""
SCRIPT = f"""\
-- Who reads the sales.
CREATE ROLE reader;
GRANT SELECT ON sales.* TO reader;
CREATE ROLE unused;

-- People
CREATE USER anna IDENTIFIED WITH sha256_hash BY '{DIGEST}' HOST IP '10.20.0.0/16';
CREATE USER boris IDENTIFIED WITH no_password;
GRANT reader TO anna, boris;
CREATE QUOTA hourly FOR INTERVAL 1 hour MAX queries = 1000 TO anna;
"""


def configuration(folder: Path) -> Path:
    """A users.xml with a users.d beside it."""
    main = folder / "users.xml"
    main.write_text(USERS_XML)
    (folder / "users.d").mkdir()
    (folder / "users.d" / "analyst.xml").write_text(ANALYST_XML)
    return main


def script(folder: Path, text: str = SCRIPT) -> Path:
    """A script of SQL."""
    path = folder / "access.sql"
    path.write_text(text)
    return path
