"""The fields of the form of a profile about a Lakehouse and the clouds of its API connections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from core.profiles import CloudSettings, LakehouseSettings, Profile
from core.profiles.lakehouse_reading import USUAL, service_problem
from core.profiles.model import CLOUDS
from core.secrets import SecretReference
from tui.widgets.fields import YES, Field, Values

_CLOUD_NAMES = {"aws": "AWS", "aliyun": "Alibaba Cloud", "tencent": "Tencent Cloud"}


def lakehouse_fields(
    profile: Profile, reference: Callable[[SecretReference | None], str], reference_problem: Callable[[str], str]
) -> Sequence[Field]:
    """The questions, answered as `profile` has it; all but the first only when there is a Lakehouse."""

    def there(values: Values) -> bool:
        return bool(values.get("lake_service", "").strip())

    lake = profile.lakehouse or USUAL
    password = reference(profile.lakehouse.password if profile.lakehouse else None)
    clouds = [
        Field(f"cloud_{name}", f"Change {label}", YES if _provisions(profile, name) else "", "flag", shown_if=there,
              hint="Housekeys makes roles and policies there, by the credentials of its SDK")
        for name, label in _CLOUD_NAMES.items()
    ]  # fmt: skip
    return [
        Field("lake_service", "Lakehouse", lake.service, check=_service_problem,
              hint="host of its service, for API connections; empty: none"),
        Field("lake_instance", "Instance", lake.instance, required=True, shown_if=there),
        Field("lake_workspace", "Workspace", lake.workspace, required=True, shown_if=there),
        Field("lake_username", "Lakehouse user", lake.username, required=True, shown_if=there),
        Field("lake_password", "Lakehouse password", password, check=reference_problem, required=True,
              shown_if=there, hint="where it is kept: prompt, env:NAME, file:/path and the like"),
        Field("lake_vcluster", "Virtual cluster", lake.vcluster, required=True, shown_if=there),
        Field("lake_schema", "Schema", lake.schema, required=True, shown_if=there, hint="of external functions"),
        *clouds,
    ]  # fmt: skip


def lakehouse_from(values: Values, before: Profile) -> LakehouseSettings | None:
    """The Lakehouse that `values` say; what the form does not ask stays as it was. Raises BadInputError."""
    service = values["lake_service"].strip()
    if not service:
        return None
    return replace(
        before.lakehouse or USUAL,
        service=service,
        instance=values["lake_instance"].strip(),
        workspace=values["lake_workspace"].strip(),
        username=values["lake_username"].strip(),
        password=SecretReference.parse(values["lake_password"].strip()),
        vcluster=values["lake_vcluster"].strip(),
        schema=values["lake_schema"].strip(),
    )


def clouds_from(values: Values, before: Profile) -> dict[str, CloudSettings]:
    """The clouds that `values` say; what the form does not ask stays as it was."""
    clouds = dict(before.clouds)
    for name in CLOUDS:
        asked = values.get(f"cloud_{name}")
        if asked == YES or (asked is not None and name in clouds):
            clouds[name] = replace(clouds.get(name, CloudSettings()), provision=asked == YES)
    return clouds


def _provisions(profile: Profile, name: str) -> bool:
    return name in profile.clouds and profile.clouds[name].provision


def _service_problem(service: str) -> str:
    problem = service_problem(service.strip())
    return f"It {problem}." if problem else ""
