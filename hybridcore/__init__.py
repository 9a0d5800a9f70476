"""Build machine images with Packer: the core of the collection, standard library only.

Where every command and the supervisor pass when they start (``cli``, ``process``, ``workspace``, the tables
that they read), modules set ``TYPE_CHECKING`` themselves: importing ``typing`` for it takes 3 ms of the 20 ms
of a start. Elsewhere it is imported as usual.
"""

__version__ = "1.0.0"
