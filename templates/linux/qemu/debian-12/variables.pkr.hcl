# The base disk: told of the parent, which packer-hybrid.toml names. Without a parent a URL does as well.

variable "base_image" {
  type        = string
  description = "Path or URL of the bootable base disk (qcow2)."
}

variable "base_image_checksum" {
  type        = string
  description = "Checksum of the base disk, as in sha256:0123..."

  validation {
    condition     = regex_replace(var.base_image_checksum, "^sha256:[0-9a-f]{64}$", "ok") == "ok"
    error_message = "The base_image_checksum must be sha256: and 64 hexadecimal digits."
  }
}

# The machine that the image is built in.

variable "disk_size" {
  type        = string
  description = "Size of the image's disk; its root file system grows into it."
  default     = "8G"

  validation {
    condition     = regex_replace(var.disk_size, "^[1-9][0-9]*[GM]$", "ok") == "ok"
    error_message = "The disk_size must be a number and a unit, as in 8G or 4096M."
  }
}

variable "memory" {
  type        = number
  description = "Memory of the build machine, in MiB."
  default     = 1024

  validation {
    condition     = var.memory >= 512
    error_message = "The memory must be 512 MiB or more."
  }
}

variable "cpus" {
  type        = number
  description = "Processors of the build machine."
  default     = 2

  validation {
    condition     = var.cpus >= 1
    error_message = "The cpus must be 1 or more."
  }
}

variable "firmware" {
  type        = string
  description = "UEFI firmware that boots the build machine."
  default     = "/usr/share/ovmf/OVMF.fd"
}

variable "ssh_timeout" {
  type        = string
  description = "How long to wait until the build machine answers over SSH."
  default     = "10m"
}

variable "ssh_host_port_min" {
  type        = number
  description = "First port on this host that may be forwarded to the build machine."
  default     = 2222
}

variable "ssh_host_port_max" {
  type        = number
  description = "Last port on this host that may be forwarded to the build machine."
  default     = 4444
}

# What the image is.

variable "hostname" {
  type        = string
  description = "Host name of the image."
  default     = "debian"

  validation {
    condition     = regex_replace(var.hostname, "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", "ok") == "ok"
    error_message = "The hostname must be lower-case letters, digits and hyphens."
  }
}

variable "timezone" {
  type        = string
  description = "Time zone, a name below /usr/share/zoneinfo."
  default     = "Etc/UTC"
}

variable "locale" {
  type        = string
  description = "Locale of the system; other ones than C.UTF-8 are generated."
  default     = "C.UTF-8"

  validation {
    condition     = regex_replace(var.locale, "^[A-Za-z_@.0-9-]+\\.UTF-8$", "ok") == "ok"
    error_message = "The locale must end in .UTF-8, as in en_GB.UTF-8."
  }
}

variable "users" {
  type = list(object({
    name     = string
    ssh_keys = list(string)
    sudo     = bool
  }))
  description = "Accounts of the image. None has a password: a key is the only way in."
  default     = []
}

variable "sysctl" {
  type        = map(string)
  description = "Kernel parameters."
  default     = {}
}

# The provisioners' switches.

variable "enable_ansible" {
  type        = bool
  description = "Run templates/ansible/site.yml in the image."
  default     = true
}

variable "enable_puppet" {
  type        = bool
  description = "Apply templates/puppet/manifests/site.pp in the image; the base image must contain Puppet."
  default     = false
}

# What this one build is: given at run time, in the environment, and not part of the fingerprint.

variable "hybridcore_target" {
  type        = string
  description = "The target that is built."
  default     = "linux/qemu/debian-12"
}

variable "hybridcore_environment" {
  type        = string
  description = "The environment it is built for."
  default     = ""
}

variable "hybridcore_fingerprint" {
  type        = string
  description = "Digest of everything that decides the image's content."
  default     = ""
}

variable "hybridcore_build_time" {
  type        = string
  description = "Time of the build, RFC 3339, UTC."
  default     = ""
}

variable "hybridcore_ssh_private_key_file" {
  type        = string
  description = "Private key of this build only."
  default     = ""
}

variable "hybridcore_ssh_public_key" {
  type        = string
  description = "Its public half, one line."
  default     = ""
}

variable "hybridcore_accelerator" {
  type        = string
  description = "How QEMU runs the build machine: kvm, or tcg where KVM does not work."
  default     = "tcg"
}
