"""Whatever is edited into whatever: read again, the file says what it should, and what was not edited is as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.access.access_model import AccessModel
from core.access.difference import compare, keys_of
from core.access.model_changes import without_entities
from core.access.script import model_of_script
from core.access.xml.reading import XmlFile, read_files
from core.access.xml.writing import write
from core.access_changes.sql_edits import edited_sql
from core.access_changes.xml_edits import edited_xml
from core.access_reports.converting import sql_text
from core.access_reports.sources import Source
from tests.examples import examples
from tests.unit.access import plan_models, xml_models

QUICK = settings(
    max_examples=examples(15), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@QUICK
@given(plan_models.whole_models(), plan_models.whole_models())
def test_an_edited_script_says_what_is_desired(before: AccessModel, desired: AccessModel) -> None:
    text, _ = edited_sql(f"-- kept\n{sql_text(before)}", before, desired)
    found, problems = model_of_script(text)
    assert not problems
    assert compare(found, desired).nothing


@QUICK
@given(xml_models.expressible_models(), xml_models.expressible_models())
def test_an_edited_configuration_says_what_is_desired(before: AccessModel, desired: AccessModel) -> None:
    (text,) = write(before).files.values()
    source = Source(Path("users.xml"), text.replace("<clickhouse>", "<clickhouse><!-- kept -->").encode())
    changed, losses, _ = edited_xml([source], before, desired)
    assert losses == ()
    content = changed.get(source.path, source.content)
    assert b"<!-- kept -->" in content
    found = read_files([XmlFile("users.xml", content)])
    assert found.loads, found.problems
    assert compare(replace(found.model, storages={}), desired).nothing


@QUICK
@given(xml_models.expressible_models(), st.data())
def test_what_is_dropped_goes_and_all_other_lines_stay(before: AccessModel, data: st.DataObject) -> None:
    keys = list(keys_of(before))
    if not keys:
        return
    key = data.draw(st.sampled_from(keys))
    text = sql_text(before)
    after, anew = edited_sql(text, before, without_entities(before, [key]))
    if not anew:
        unnamed = [line for line in text.splitlines() if str(getattr(key.name, "short", key.name)) not in line]
        assert set(unnamed) <= set(after.splitlines()) | {""}
