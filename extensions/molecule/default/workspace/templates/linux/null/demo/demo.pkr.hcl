variable "message" {
  type    = string
  default = "from the template"
}

source "null" "demo" {
  communicator = "none"
}

build {
  sources = ["source.null.demo"]

  provisioner "shell-local" {
    inline = ["echo message is ${var.message}"]
  }
}
