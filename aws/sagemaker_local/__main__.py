"""`python -m sagemaker_local` is `sagemaker-local`."""

from __future__ import annotations

from sagemaker_local.main import main

if __name__ == "__main__":
    main()
