"""Settings of where files (recordings of calls) are kept."""

import importlib.util
import re
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, model_validator

_BUCKET = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?P<prefix>(/[A-Za-z0-9._-]+)*)/?")
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html"""


class FilesEnv(BaseModel):
    goassist_files: str = Field(
        "",
        description="Where recordings of calls are kept: `s3://bucket/folder` in a store that speaks S3 (install "
        "`requirements/s3.txt`), or the path of a folder that web and workers share. Empty: `$GOASSIST_DATA/files`.",
    )
    goassist_files_endpoint: str = Field(
        "", description="Address of that store (`https://minio.example.com`). Empty: Amazon's."
    )
    goassist_files_region: str = Field("", description="Its region, where it has several.")
    goassist_files_access_key: SecretStr = Field(
        SecretStr(""), description="Access key. Empty: what the machine itself has (a role, `~/.aws`)."
    )
    goassist_files_secret_key: SecretStr = Field(SecretStr(""), description="And its secret.")

    @property
    def files_bucket(self) -> tuple[str, str] | None:
        """(bucket, folder in it); None: files lie in a folder of the file system."""
        found = _BUCKET.fullmatch(self.goassist_files)
        return (found["bucket"], found["prefix"].strip("/")) if found else None

    @model_validator(mode="after")
    def _files_can_be_kept(self) -> Self:
        if "://" in self.goassist_files and self.files_bucket is None:
            raise ValueError("GOASSIST_FILES must be `s3://bucket/folder`, or the path of a folder.")
        if self.files_bucket and importlib.util.find_spec("boto3") is None:
            raise ValueError("GOASSIST_FILES names an S3 bucket: `pip install -r requirements/s3.txt` first.")
        endpoint = self.goassist_files_endpoint
        if endpoint and urlsplit(endpoint).scheme not in {"http", "https"}:
            raise ValueError("GOASSIST_FILES_ENDPOINT must begin with https://.")
        keys = (self.goassist_files_access_key, self.goassist_files_secret_key)
        if any(key.get_secret_value() for key in keys) and not all(key.get_secret_value() for key in keys):
            raise ValueError("GOASSIST_FILES_ACCESS_KEY and GOASSIST_FILES_SECRET_KEY belong together: set both.")
        return self
