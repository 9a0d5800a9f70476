"""The platforms that images are built on: one row each, and everything that is known about it stands there.

What passes to Packer and is masked, how a target's source may be called, what a build that was cut off may
leave and how long Packer has to prevent it, which programs it needs here: all of it is read from these rows.
A platform without a row can be used as well; of it only what holds for any plugin is known.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Program:
    """A program that builds of a platform run on this machine.

    Attributes:
        name: what is looked for on ``PATH``.
        package: the package of Debian that has it.
        attribute: of the source, which can name another program; empty when none can.
    """

    name: str
    package: str
    attribute: str = ""


@dataclass(frozen=True)
class Platform:
    """What is known about one platform.

    Attributes:
        name: the second folder of its targets, ``templates/<os>/<name>/``.
        title: what people call it.
        plugin: the plugin of Packer that builds on it.
        source_types: the types of source that the plugin has; any that fits its name when there are none.
        local: whether a build leaves nothing outside of this machine, where the supervisor removes it.
        leaves: the attributes of a source that name what a killed build may leave on the platform.
        grace_s: seconds that Packer has to remove it when a build is cut off, unless the platform is local.
            To delete a machine, and to wait until it is gone, takes from tens of seconds to minutes.
        passes: the environment variables that its plugin reads; ``NAME_*`` stands for all that begin so.
        secrets: those among them whose values are masked.
        programs: what it needs on this machine.
        disks: the attributes that name a file of this machine to start from, wherever it lies; the default
            are those that each plugin has from Packer's SDK (multistep/commonsteps/iso_config.go).
    """

    name: str
    title: str
    plugin: str
    source_types: tuple[str, ...] = ()
    local: bool = False
    leaves: tuple[str, ...] = ()
    grace_s: float = 300.0
    passes: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    programs: tuple[Program, ...] = ()
    disks: tuple[str, ...] = ("iso_url", "iso_urls")

    def has(self, source_type: str) -> bool:
        """Whether a source of this type belongs to the platform."""
        if self.source_types:
            return source_type in self.source_types
        return source_type == self.plugin or source_type.startswith(f"{self.plugin}-")


# Source types as the plugins register them (main.go of each); names of variables and of attributes from their
# documentation. Where more is known, its source stands beside it.
PLATFORMS = (
    Platform(name="null", title="Null", plugin="null", source_types=("null",), local=True),
    Platform(name="file", title="File", plugin="file", source_types=("file",), local=True, disks=("source",)),
    Platform(
        name="qemu",
        title="QEMU",
        plugin="qemu",
        source_types=("qemu",),
        local=True,
        programs=(
            Program("qemu-system-x86_64", package="qemu-system-x86", attribute="qemu_binary"),
            Program("qemu-img", package="qemu-utils"),
        ),
    ),
    Platform(
        name="proxmox",
        title="Proxmox",
        plugin="proxmox",
        source_types=("proxmox", "proxmox-clone", "proxmox-iso"),  # the first one up to Packer 1.6 only
        leaves=("vm_name", "template_name"),
        passes=("PROXMOX_*",),
        secrets=("PROXMOX_PASSWORD", "PROXMOX_TOKEN"),
    ),
    Platform(
        name="vsphere",
        title="vSphere",
        plugin="vsphere",
        source_types=("vsphere-clone", "vsphere-iso", "vsphere-supervisor"),
        leaves=("vm_name", "source_name"),
        # The plugin finds the supervisor of a cluster with KUBECONFIG (kubeconfig_path in its documentation).
        passes=("VSPHERE_*", "KUBECONFIG"),
        secrets=("VSPHERE_PASSWORD",),
    ),
    Platform(
        name="azure",
        title="Azure",
        plugin="azure",
        source_types=("azure-arm", "azure-chroot", "azure-dtl"),
        leaves=(
            "temp_resource_group_name",
            "build_resource_group_name",
            "temp_compute_name",
            "vm_name",
            "managed_image_name",
            "custom_managed_image_name",
        ),
        # The plugin logs in with MSI_* where a machine has an identity (adal/token.go of go-autorest).
        passes=("ARM_*", "AZURE_*", "MSI_ENDPOINT", "MSI_SECRET"),
        secrets=(
            "ARM_CLIENT_SECRET",
            "ARM_CLIENT_CERTIFICATE_PASSWORD",
            "ARM_CLIENT_JWT",
            "ARM_ACCESS_KEY",
            "ARM_SAS_TOKEN",
            "ARM_OIDC_TOKEN",
            "ARM_OIDC_REQUEST_TOKEN",
            "AZURE_CLIENT_SECRET",
            "AZURE_CLIENT_CERTIFICATE_PASSWORD",
            "AZURE_PASSWORD",
            "MSI_SECRET",
        ),
    ),
    Platform(
        name="aws",
        title="AWS",
        plugin="amazon",
        source_types=(
            "amazon-chroot",
            "amazon-ebs",
            "amazon-ebssurrogate",
            "amazon-ebsvolume",
            "amazon-instance",
        ),
        leaves=("ami_name",),
        passes=("AWS_*",),
        secrets=(
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SECRET_KEY",
            "AWS_SESSION_TOKEN",
            "AWS_SECURITY_TOKEN",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        ),
    ),
    Platform(
        name="gcp",
        title="Google Cloud",
        plugin="googlecompute",
        source_types=("googlecompute",),
        leaves=("instance_name", "disk_name", "image_name"),
        passes=("GOOGLE_*", "CLOUDSDK_*"),
        secrets=(
            "GOOGLE_CREDENTIALS",
            "GOOGLE_OAUTH_ACCESS_TOKEN",
            "GOOGLE_ACCESS_TOKEN",
            "CLOUDSDK_AUTH_ACCESS_TOKEN",
        ),
    ),
)
# How plugins that have no row commonly name what they make.
_COMMON_NAMES = ("vm_name", "template_name", "instance_name", "image_name", "name")


def by_name(name: str) -> Platform:
    """The platform of a target.

    Args:
        name: the second part of the target's name.

    Returns:
        Its row; for a platform without one what holds for any plugin that has the platform's name.
    """
    found = next((one for one in PLATFORMS if one.name == name), None)
    return found or Platform(name=name, title=name, plugin=name, leaves=_COMMON_NAMES)


def by_source_type(source_type: str) -> Platform:
    """The platform that sources of a type build on.

    Args:
        source_type: the first label of a source block, ``proxmox-iso``.

    Returns:
        Its row; what holds for any plugin where no row has the type.
    """
    found = next((one for one in PLATFORMS if source_type in one.source_types), None)
    return found or by_name(source_type.partition("-")[0])
