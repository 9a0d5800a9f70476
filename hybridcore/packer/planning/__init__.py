"""What has to be built, and why: inputs, fingerprint, and what must be there before Packer starts."""
