"""The environment that the tests run in; imported before Django reads its settings."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet

DATA = Path(tempfile.mkdtemp(prefix="berth-tests-"))
atexit.register(shutil.rmtree, DATA, ignore_errors=True)
(DATA / "static").mkdir()  # whitenoise warns where there is none yet, and here a warning is an error

# Nothing of the caller's environment decides what a test sees.
for name in [name for name in os.environ if name.startswith("BERTH_") and not name.startswith("BERTH_TEST_")]:
    del os.environ[name]
if "BERTH_TEST_DATABASE_URL" in os.environ:
    os.environ["DATABASE_URL"] = os.environ["BERTH_TEST_DATABASE_URL"]
else:
    os.environ.pop("DATABASE_URL", None)
os.environ.update(
    BERTH_DATA=str(DATA),
    BERTH_SECRET_KEY="tests-only-" + "x" * 40,
    BERTH_CREDENTIALS_KEY=Fernet.generate_key().decode(),
    REDIS_URL="redis://127.0.0.1:1/0",  # nobody listens there: a test that needs a broker starts one
)
