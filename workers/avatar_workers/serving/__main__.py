"""`python -m avatar_workers.serving` runs the serving container."""

import sys

from avatar_workers.serving.main import main

sys.exit(main())
