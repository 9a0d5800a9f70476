locals {
  release = [
    "TARGET=${var.hybridcore_target}",
    "ENVIRONMENT=${var.hybridcore_environment}",
    "FINGERPRINT=${var.hybridcore_fingerprint}",
    "BUILD_TIME=${var.hybridcore_build_time}",
    # Not the key itself: enough to prove that it is nowhere in the image.
    "BUILD_KEY_SHA256=${sha256(regex_replace(var.hybridcore_ssh_public_key, "^[^ ]+ +([^ ]+).*$", "$1"))}",
    "",
  ]
  settings = {
    image_hostname = var.hostname
    image_timezone = var.timezone
    image_locale   = var.locale
    image_users    = var.users
    image_sysctl   = var.sysctl
  }
  # Empty where Puppet is off, since its assets are not there then.
  manifest = var.enable_puppet ? try(file("${path.root}/../../../puppet/manifests/site.pp"), "") : ""
}

build {
  sources = ["source.qemu.debian-12"]

  provisioner "ansible" {
    # A provisioner cannot be switched off by a variable, but the program that it runs can.
    command            = var.enable_ansible ? "ansible-playbook" : "true"
    skip_version_check = true
    playbook_file      = "${path.root}/../../../ansible/site.yml"
    user               = "root"
    use_proxy          = false
    ansible_env_vars   = ["ANSIBLE_CONFIG=${path.root}/../../../ansible/ansible.cfg"]
    extra_arguments    = ["--extra-vars", jsonencode(local.settings)]
  }

  provisioner "shell" {
    # Puppet says 2 where it changed something and nothing failed.
    inline = [
      var.enable_puppet ? "echo ${base64encode(local.manifest)} | base64 --decode >/tmp/site.pp" : "true",
      var.enable_puppet ? "puppet apply --detailed-exitcodes /tmp/site.pp || test $? -eq 2" : "true",
    ]
  }

  # What is installed, for the record of the version: docs/images.md.
  provisioner "file" {
    direction   = "download"
    source      = "/var/lib/dpkg/status"
    destination = "contents/status"
  }

  provisioner "file" {
    direction   = "download"
    source      = "/etc/os-release"
    destination = "contents/os-release"
  }

  provisioner "file" {
    direction   = "download"
    source      = "/etc/apt/sources.list"
    destination = "contents/sources.list"
  }

  # Last, whatever stack made the image: nothing that belongs to this build or to one machine stays in it.
  provisioner "shell" {
    inline = [
      "echo ${base64encode(join("\n", local.release))} | base64 --decode >/etc/image-release",
      local.seal,
    ]
  }

  post-processor "manifest" {
    output = "manifest.json"
  }
}
