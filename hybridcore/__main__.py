"""``python -m hybridcore``: the same as ``packer-hybrid``."""

import sys

from .cli import main

sys.exit(main())
