"""The regions in which each cloud runs functions, read from `regions.toml` beside this module."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

from core.lakehouse.connections import Provider

_TABLE = "regions.toml"


@dataclass(frozen=True, slots=True)
class Regions:
    """The regions of one cloud's functions. `partitions` maps a region to the partition that its ARNs name."""

    service: str
    partitions: dict[str, str]
    closed: frozenset[str]  # ran functions once and no longer do
    source: str
    read: date


@cache
def regions(provider: Provider) -> Regions:
    """What is known of the regions of a cloud."""
    table = tomllib.loads(files(__package__).joinpath(_TABLE).read_text(encoding="utf-8"))[provider.value]
    partitions = {region: partition for partition, names in table["partitions"].items() for region in names}
    return Regions(table["service"], partitions, frozenset(table["closed"]), table["source"], table["read"])


def partition_of(provider: Provider, region: str) -> str:
    """The partition that a region's ARNs name; for a region of AWS that is not known, as its name tells it."""
    known = regions(provider).partitions
    if provider is Provider.AWS:
        return known.get(region, "aws-cn" if region.startswith("cn-") else "aws")
    return next(iter(known.values()))


def nearest_region(provider: Provider, region: str) -> str:
    """The known region that was probably meant, or the empty string."""
    import difflib  # only a mistake needs it

    found = difflib.get_close_matches(region.strip().lower(), sorted(regions(provider).partitions), n=1, cutoff=0.7)
    return found[0] if found else ""


def clouds_with(region: str) -> tuple[Provider, ...]:
    """The clouds that have a region of this name: it tells a region of the wrong cloud from a misspelt one."""
    return tuple(provider for provider in Provider if region in regions(provider).partitions)
