"""What passes from our environment to a child, and which of it is secret."""

from __future__ import annotations

import pytest

from hybridcore.process import environment
from tests.support.documents import code, table_rows


def test_the_environment_is_built_from_the_table() -> None:
    passed = {
        "PATH": "/bin",
        "HOME": "/root",
        "LC_ALL": "C.UTF-8",
        "https_proxy": "http://proxy",
        "SSL_CERT_FILE": "/ca",
        "SSH_AUTH_SOCK": "/agent",
        "PACKER_LOG": "1",
        "PKR_VAR_password": "x",
        "AWS_PROFILE": "a",
        "ARM_CLIENT_ID": "b",
        "PROXMOX_URL": "c",
        "VSPHERE_SERVER": "d",
        "KUBECONFIG": "/supervisor",
        "MSI_ENDPOINT": "http://identity",
        "GOOGLE_APPLICATION_CREDENTIALS": "e",
    }
    stopped = {
        "LD_PRELOAD": "x",
        "PYTHONPATH": "x",
        "DATABASE_URL": "x",
        "HYBRIDCORE_RUN": "x",
        "ANSIBLE_X": "1",
    }
    built = environment.child_environment({"EXTRA": "1", "HOME": "/new"}, base={**passed, **stopped})
    assert built == {**passed, "EXTRA": "1", "HOME": "/new", "CHECKPOINT_DISABLE": "1", "GOGC": "200"}


def test_how_go_collects_garbage_can_be_said() -> None:
    assert environment.child_environment(base={"GOGC": "50"})["GOGC"] == "50"
    assert environment.child_environment({"GOGC": "off"}, base={"GOGC": "50"})["GOGC"] == "off"


def test_secrets_of_the_environment() -> None:
    found = environment.environment_secrets(
        {
            "AWS_SECRET_ACCESS_KEY": "key-of-aws",
            "VSPHERE_PASSWORD": "pass",
            "PROXMOX_TOKEN": "abc",  # too short to be masked
            "AWS_PROFILE": "no secret",
            "https_proxy": "http://user:proxypass@proxy:3128/path@x",
            "HTTP_PROXY": "http://nobody@proxy",
            "ALL_PROXY": "socks5://user:p@ss:word@proxy",
            "ftp_proxy": "http://proxy:3128/a:b@c",
        }
    )
    assert sorted(found) == ["key-of-aws", "p@ss:word", "pass", "proxypass"]


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("user:secret@proxy:3128", ["secret"]),
        ("http://user:p%40ss@proxy", ["p%40ss", "p@ss"]),
        ("user:%70%61ss%zz@proxy", ["%70%61ss%zz", "pass%zz"]),
        ("http://user:%ff%fe%fd%fc@proxy", ["%ff%fe%fd%fc", "\udcff\udcfe\udcfd\udcfc"]),
        ("proxy:3128", []),
        ("http://proxy:3128", []),
    ],
)
def test_the_password_of_a_proxy_in_each_way_to_write_it(url: str, found: list[str]) -> None:
    for name in ("https_proxy", "HTTPS_PROXY"):
        assert sorted(environment.environment_secrets({name: url})) == found
        assert {name for name, _ in environment.named_secrets({name: url})} == ({name} if found else set())


def test_the_table_that_people_read_is_the_one_that_holds() -> None:
    assert table_rows("docs/secrets.md", "What passes from your environment") == [
        (one.purpose, code(one.names), code(one.secrets))
        for one in (*environment.passed(), *environment.FUNCTIONS.values())
    ]


def test_every_secret_name_passes() -> None:
    every = dict.fromkeys(environment.secret_names(), "secret")
    assert len(every) > 20
    asked = [name for one in environment.FUNCTIONS.values() for name in one.names]
    assert set(environment.child_environment(base=every, more=asked)) >= environment.secret_names()
    assert "VAULT_TOKEN" not in environment.child_environment(base=every)
