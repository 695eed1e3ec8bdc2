"""Giving a profile another name without losing what is kept under the old one."""

from __future__ import annotations

from dataclasses import replace

from core.paths import Paths
from core.profiles.file import ProfileFile


def renamed(file: ProfileFile, old: str, new: str, paths: Paths) -> ProfileFile:
    """With a profile under another name; its data and keys stay where they are, and it names their folders from now on.

    Raises as `ProfileFile.renamed`.
    """
    edited = file.renamed(old, new)
    profile = edited.profile(new)
    if profile.engine == "embedded" and paths.embedded_data(old).exists():
        profile = replace(profile, folder=profile.folder or paths.embedded_data(old))
    if paths.key_folder(old).exists():
        key_folder = profile.datalens.key_folder or paths.key_folder(old)
        profile = replace(profile, datalens=replace(profile.datalens, key_folder=key_folder))
    return edited if profile == edited.profile(new) else edited.with_profile(profile)
