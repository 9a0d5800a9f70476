"""The Packer at hand: what it can do, its plugins, and the commands it is given."""
