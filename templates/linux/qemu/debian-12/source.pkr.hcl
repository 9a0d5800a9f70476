source "qemu" "debian-12" {
  # The base disk is copied and enlarged; the copy becomes the image.
  disk_image       = true
  iso_url          = var.base_image
  iso_checksum     = var.base_image_checksum
  disk_size        = var.disk_size
  disk_discard     = "unmap"
  disk_interface   = "virtio"
  format           = "qcow2"
  output_directory = "output"
  vm_name          = "debian-12.qcow2"

  accelerator  = var.hybridcore_accelerator
  machine_type = "q35"
  memory       = var.memory
  cpus         = var.cpus
  net_device   = "virtio-net"
  headless     = true
  disable_vnc  = true
  boot_wait    = "1s"

  # No password anywhere: systemd in the guest takes the public key of this build from SMBIOS.
  qemuargs = [
    ["-bios", var.firmware],
    ["-cpu", "max"],
    ["-device", "virtio-rng-pci"],
    ["-serial", "null"],
    ["-smbios", "type=11,value=io.systemd.credential.binary:ssh.authorized_keys.root=${base64encode("${var.hybridcore_ssh_public_key}\n")}"],
  ]

  communicator           = "ssh"
  ssh_username           = "root"
  ssh_private_key_file   = var.hybridcore_ssh_private_key_file
  ssh_timeout            = var.ssh_timeout
  ssh_handshake_attempts = 1000
  host_port_min          = var.ssh_host_port_min
  host_port_max          = var.ssh_host_port_max
  shutdown_command       = "systemctl poweroff"
  shutdown_timeout       = "5m"
}
