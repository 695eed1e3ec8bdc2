"""Giving a profile another name without losing what is kept under the old one."""

from __future__ import annotations

import os
from dataclasses import replace

from core.files import private_folder, sync_folder
from core.paths import Paths
from core.profiles.file import ProfileFile


def rename(file: ProfileFile, old: str, new: str, paths: Paths) -> ProfileFile:
    """Rename a profile and save the file. Its data and keys stay where they are; the profile then names their folders.

    Raises as `ProfileFile.renamed` and `ProfileFile.save`; nothing is moved then.
    """
    renamed = file.renamed(old, new)
    profile = renamed.profile(new)
    if profile.engine == "embedded" and paths.embedded_data(old).exists():
        profile = replace(profile, folder=profile.folder or paths.embedded_data(old))
    if paths.key_folder(old).exists():
        key_folder = profile.datalens.key_folder or paths.key_folder(old)
        profile = replace(profile, datalens=replace(profile.datalens, key_folder=key_folder))
    if profile != renamed.profile(new):
        renamed = renamed.with_profile(profile)
    saved = renamed.save()
    before, after = paths.changes(old), paths.changes(new)
    if before.exists() and not after.exists():
        private_folder(after.parent)
        os.rename(before, after)
        sync_folder(after.parent)
    return saved
