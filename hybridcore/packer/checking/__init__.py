"""What can be said of templates without a build: format, validity, parts, and our own look at them."""
