"""The environment of a child: what passes from ours, and which of it is secret."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# What passes from our environment to a child's; docs/secrets.md shows the same table to people. The plugins
# for Azure log in with MSI_* where a machine has an identity (adal/token.go of go-autorest), the one for
# vSphere finds the supervisor of a cluster with KUBECONFIG (kubeconfig_path in its documentation).
PASSED_NAMES = frozenset(
    """
    PATH HOME USER LOGNAME SHELL TERM TMPDIR TZ LANG LANGUAGE
    SSH_AUTH_SOCK SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE REQUESTS_CA_BUNDLE
    HTTP_PROXY HTTPS_PROXY FTP_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy ftp_proxy all_proxy no_proxy
    XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME XDG_RUNTIME_DIR
    GIT_SSH_COMMAND GIT_SSL_CAINFO GOGC
    MSI_ENDPOINT MSI_SECRET KUBECONFIG
    """.split()
)
PASSED_PREFIXES = (
    "LC_",
    "PACKER_",
    "PKR_VAR_",
    "HCP_",
    "ARM_",
    "AZURE_",
    "AWS_",
    "GOOGLE_",
    "CLOUDSDK_",
    "PROXMOX_",
    "VSPHERE_",
)
# The names among them whose values are secrets, as the cloud and hypervisor plugins document them.
SECRET_NAMES = frozenset(
    """
    ARM_CLIENT_SECRET ARM_CLIENT_CERTIFICATE_PASSWORD ARM_CLIENT_JWT ARM_ACCESS_KEY ARM_SAS_TOKEN
    ARM_OIDC_TOKEN ARM_OIDC_REQUEST_TOKEN AZURE_CLIENT_SECRET AZURE_CLIENT_CERTIFICATE_PASSWORD AZURE_PASSWORD
    MSI_SECRET AWS_SECRET_ACCESS_KEY AWS_SECRET_KEY AWS_SESSION_TOKEN AWS_SECURITY_TOKEN
    AWS_CONTAINER_AUTHORIZATION_TOKEN
    GOOGLE_CREDENTIALS GOOGLE_OAUTH_ACCESS_TOKEN GOOGLE_ACCESS_TOKEN CLOUDSDK_AUTH_ACCESS_TOKEN
    PROXMOX_PASSWORD PROXMOX_TOKEN VSPHERE_PASSWORD
    HCP_CLIENT_SECRET PACKER_GITHUB_API_TOKEN
    """.split()
)
# How the names of secrets end that no table has.
_SECRET_ENDINGS = ("PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "KEY", "CREDENTIALS")
_PROXIES = ("http_proxy", "https_proxy", "ftp_proxy", "all_proxy")


def child_environment(
    extra: Mapping[str, str] | None = None, *, base: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Build the environment of a child from what may pass, and what the caller adds.

    Args:
        extra: names and values that are added, or replace what would pass.
        base: the environment to take from; our own when not given.

    Returns:
        A new mapping; ``CHECKPOINT_DISABLE`` is always set, so that Packer does not call home, and ``GOGC``
        unless it passes: https://pkg.go.dev/runtime#hdr-Environment_Variables.
    """
    source = os.environ if base is None else base
    env = {
        name: value
        for name, value in source.items()
        if name in PASSED_NAMES or name.startswith(PASSED_PREFIXES)
    }
    env["CHECKPOINT_DISABLE"] = "1"
    # A build is three processes of Packer and more. With Go's default of 100 each collects garbage all
    # through its start, a sixth of a short build's time; with 200 its memory grows by less than a fifth.
    env.setdefault("GOGC", "200")
    env.update(extra or {})
    return env


def environment_secrets(env: Mapping[str, str]) -> list[str]:
    """The secret values in a child's environment, to be masked in everything that it prints.

    Args:
        env: what ``child_environment`` built.

    Returns:
        The values of ``named_secrets``; at least 4 characters each, since a shorter value would shred the
        output and protect nothing.
    """
    return [value for _, value in named_secrets(env) if len(value) >= 4]


def named_secrets(env: Mapping[str, str]) -> list[tuple[str, str]]:
    """The secrets in a child's environment, of any length, each with the variable that holds it.

    Args:
        env: what ``child_environment`` built.

    Returns:
        Values of the names in ``SECRET_NAMES``, and passwords in the URLs of proxies: as they are, and as
        they are written there. Empty ones hide nothing.
    """
    found = [(name, env[name]) for name in sorted(SECRET_NAMES) if env.get(name)]
    for name in (*_PROXIES, *map(str.upper, _PROXIES)):
        # Go takes what has no scheme for HTTP: parseProxy in golang.org/x/net/http/httpproxy.
        url = env.get(name, "")
        authority = (url.partition("://")[2] or url).partition("/")[0]
        written = authority.rpartition("@")[0].partition(":")[2]
        password = written
        if "%" in written:
            from urllib.parse import unquote

            password = unquote(written, errors="surrogateescape")
        found += [(name, value) for value in dict.fromkeys((password, written)) if value]
    return found


def may_be_secret(name: str) -> bool:
    """Whether a variable of the environment holds a secret, by the table or by its name.

    Args:
        name: for example ``VAULT_TOKEN``.
    """
    return name in SECRET_NAMES or name.upper().endswith(_SECRET_ENDINGS)
