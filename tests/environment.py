"""Loaded before Django (`-p tests.environment` in pyproject.toml): each test run has a data folder of its own."""

import atexit
import os
import shutil
import tempfile

DATA = tempfile.mkdtemp(prefix="goassist-tests-")
os.environ["GOASSIST_DATA"] = DATA
os.environ.setdefault("GOASSIST_LOG_LEVEL", "WARNING")
atexit.register(shutil.rmtree, DATA, ignore_errors=True)
