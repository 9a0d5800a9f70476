# For every Linux image, in every environment.
timezone = "Etc/UTC"
locale   = "C.UTF-8"

# Nobody has a password: put the public keys of those who may log in here.
users = [
  {
    name     = "ops"
    ssh_keys = []
    sudo     = true
  },
]

# Maps are merged: an environment adds to these, or sets one to another value.
sysctl = {
  "kernel.dmesg_restrict"                  = "1"
  "kernel.kptr_restrict"                   = "1"
  "net.ipv4.conf.all.accept_redirects"     = "0"
  "net.ipv4.conf.all.send_redirects"       = "0"
  "net.ipv4.conf.default.accept_redirects" = "0"
  "net.ipv6.conf.all.accept_redirects"     = "0"
  "net.ipv6.conf.default.accept_redirects" = "0"
}
