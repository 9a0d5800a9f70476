variable "size_mib" {
  type        = number
  description = "Size of the disk, in MiB. Images that start from it may be larger, never smaller."
  default     = 2048

  validation {
    condition     = var.size_mib >= 1536
    error_message = "The size_mib must be 1536 or more."
  }
}

variable "packages" {
  type        = list(string)
  description = "Debian packages on top of what every image needs."
  default     = []
}

variable "mirrors" {
  type        = list(string)
  description = "Lines of sources.list, or URLs of mirrors; mmdebstrap's own choice when empty."
  default     = []
}
