variable "message" {
  type = string
}

source "null" "hello" {
  communicator = "none"
}

build {
  sources = ["source.null.hello"]

  provisioner "shell-local" {
    inline = ["echo message is ${var.message}"]
  }
}
