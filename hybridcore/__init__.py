"""Build machine images with Packer: the core of the collection, standard library only."""

__version__ = "0.1.0"
