hostname  = "prod"
disk_size = "20G"

sysctl = {
  "kernel.kptr_restrict"             = "2"
  "kernel.unprivileged_bpf_disabled" = "1"
}
