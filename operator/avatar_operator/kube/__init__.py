"""All that talks to the API server.

The Kubernetes client asks for the home directory when it is imported, and dies where there is none: in a container that is run by a
number without an entry in /etc/passwd, unless its runtime sets HOME. Such a user is at home in the root directory, as runc has it.
"""

import os
from pathlib import Path

try:
    Path.home()
except RuntimeError:
    os.environ["HOME"] = "/"
