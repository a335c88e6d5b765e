"""`python -m avatar_workers` is `avatar-workers`."""

import sys

from avatar_workers.main import main

sys.exit(main())
