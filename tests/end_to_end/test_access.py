"""The web config file of the real program: a real Prometheus is let in with it, and mistakes in it are told at once."""

from pathlib import Path

import bcrypt

from tests.certificates import Authority
from tests.end_to_end.collecting import wait_until
from tests.end_to_end.program import configured, ended, started, workspace
from tests.end_to_end.test_prometheus import asked, by_job, prometheus
from tests.programs import program_named

PASSWORD = "planted-scrape-password"
NOBODY = "http://127.0.0.1:9"
"""Where no workspace answers: what the exporter says of itself is enough here."""
WEB = """\
tls_server_config:
  cert_file: server.crt
  key_file: server.key
  client_ca_file: authority.pem
  client_auth_type: VerifyClientCertIfGiven
basic_auth_users:
  prometheus: {hashed}
"""
SCRAPES = """\
global: {{scrape_interval: 300ms, scrape_timeout: 300ms}}
scrape_configs:
  - job_name: right
    scheme: https
    tls_config: {{ca_file: authority.pem, cert_file: scraper.crt, key_file: scraper.key}}
    basic_auth: {{username: prometheus, password_file: password}}
    static_configs: [{{targets: ["{target}"]}}]
  - job_name: wrong_password
    scheme: https
    tls_config: {{ca_file: authority.pem}}
    basic_auth: {{username: prometheus, password: wrong}}
    static_configs: [{{targets: ["{target}"]}}]
  - job_name: wrong_authority
    scheme: https
    tls_config: {{ca_file: another.pem}}
    basic_auth: {{username: prometheus, password_file: password}}
    static_configs: [{{targets: ["{target}"]}}]
"""


def web_config(folder: Path, password: str) -> str:
    """Writes the file with this password, and gives its hash."""
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(10)).decode()
    (folder / "web.yml").write_text(WEB.format(hashed=hashed), encoding="utf-8")
    return hashed


def test_prometheus_scrapes_over_tls_with_sign_in(tmp_path: Path) -> None:
    """Who trusts the certificate and has the password scrapes, and nobody else; both can change without restart."""
    program_named("prometheus")
    authority, another = Authority(tmp_path), Authority(tmp_path, "another")
    authority.server(), authority.client("scraper")
    hashed = web_config(tmp_path, PASSWORD)
    (tmp_path / "password").write_text(PASSWORD, encoding="utf-8")
    config = configured(
        tmp_path,
        workspace(tmp_path, NOBODY, "token"),
        server={"web_config_file": "web.yml"},
        log={"level": "debug"},
    )
    with started(tmp_path, "run", "--config", config) as program:
        target = program.address.removeprefix("http://")
        with prometheus(tmp_path, SCRAPES, target=target) as api:

            def wait_for(**ups: str) -> None:
                wait_until(lambda: by_job(api, "up").items() >= ups.items(), 30)

            wait_for(right="1", wrong_password="0", wrong_authority="0")
            families = by_job(api, 'count by (job) ({__name__=~"databricks_.*"})')
            errors = {
                pool["scrapePool"]: pool["lastError"] for pool in asked(api, "targets")["activeTargets"]
            }
            web_config(tmp_path, "wrong")
            wait_for(right="0", wrong_password="1")
            web_config(tmp_path, PASSWORD)
            another.server()
            wait_for(
                right="1", wrong_password="0", wrong_authority="1"
            )  # the right one still has its connection
        said = program.said

    assert {"right"} == families.keys()
    assert "" == errors["right"]
    assert "401" in errors["wrong_password"]
    assert "certificate" in errors["wrong_authority"]
    assert "tls=true" in said
    assert PASSWORD not in said
    assert hashed not in said


def test_mistakes_of_the_web_config_file_are_listed_before_anything_starts(tmp_path: Path) -> None:
    """One line for each, exit code 2, no store, and nothing of what may be a password."""
    (tmp_path / "web.yml").write_text(
        f"tls_server_config: {{cert_file: none.crt, key_file: none.key}}\n"
        f"basic_auth_users: {{prometheus: {PASSWORD}}}\n"
        f"http_server: {{}}\n",
        encoding="utf-8",
    )
    config = configured(
        tmp_path,
        workspace(tmp_path, NOBODY, "token"),
        server={"web_config_file": "web.yml"},
    )

    code, printed, said = ended(tmp_path, "run", "--config", config)

    assert (2, "") == (code, printed)
    places = ("http_server:", "basic_auth_users prometheus:", "cert_file: ", "key_file: ")
    assert [True] * 4 == [place in line for place, line in zip(places, said.splitlines(), strict=True)], said
    assert PASSWORD not in said
    assert [] == list(tmp_path.glob("*.db*"))
