# The disk that the target linux/qemu/debian-12 starts from: made here, out of Debian's packages.
source "null" "debian-12-base" {
  communicator = "none"
}

build {
  sources = ["source.null.debian-12-base"]

  provisioner "shell-local" {
    environment_vars = [
      "SIZE_MIB=${var.size_mib}",
      "PACKAGES=${join(",", var.packages)}",
      "MIRRORS=${join("\n", var.mirrors)}",
    ]
    inline = ["exec sh '${path.root}/make-image.sh' output/debian-12-base.qcow2"]
  }

  post-processor "artifice" {
    files = ["output/debian-12-base.qcow2"]
  }
}
