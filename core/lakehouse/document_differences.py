"""How two policy documents differ in what they mean, in words: for finding out whether a document has drifted.

Each allowance of an action on a resource to somebody under conditions is one element of a set, so that neither the
order of statements and actions nor how they are gathered into statements matters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.display import one_line
from core.errors import BadInputError
from core.lakehouse.policy_reading import Condition, PolicyDocument, PolicyStatement, read_document, wildcard_covers


@dataclass(frozen=True, slots=True)
class _Rule:
    """One action on one resource (or by one principal), allowed or denied."""

    allows: bool
    action: str
    resource: str
    principal: tuple[str, str]
    conditions: frozenset[Condition]
    excepted: tuple[str, ...]


def documents_differ(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """What `found` says otherwise than `wanted`, one sentence each; empty when both mean the same."""
    if wanted == found:
        return []
    try:
        first, read = read_document(wanted), read_document(found)
    except BadInputError as error:
        return [error.message]
    words = []
    if first.version != read.version:
        words.append(f"Its version is {_shown(read.version) or 'not said'}, wanted is {first.version}.")
    there, should = _rules(read), _rules(first)
    missing, excess = should - there, there - should
    words += _changed_conditions(missing, excess)
    words += _sentences("It no longer", {each for each in missing if not _covered(each, excess)})
    words += _sentences("It also", excess)
    return words


def _rules(document: PolicyDocument) -> set[_Rule]:
    return {rule for statement in document.statements for rule in _statement_rules(statement)}


def _statement_rules(statement: PolicyStatement) -> Iterable[_Rule]:
    # Actions, and the keys of conditions, are the same in any case of letters.
    conditions = frozenset(replace(each, key=each.key.lower()) for each in statement.conditions)
    for action in statement.actions or ("",):
        for resource in statement.resources or ("",):
            for principal in statement.principals or (("", ""),):
                yield _Rule(statement.allows, action.lower(), resource, principal, conditions, statement.excepted)


def _changed_conditions(missing: set[_Rule], excess: set[_Rule]) -> list[str]:
    """What differs in its conditions only; taken out of both sets."""
    words = []
    others: dict[_Rule, list[_Rule]] = {}
    for rule in sorted(excess, key=_sort_key, reverse=True):
        others.setdefault(replace(rule, conditions=frozenset()), []).append(rule)
    for rule in sorted(missing, key=_sort_key):
        if same := others.get(replace(rule, conditions=frozenset())):
            other = same.pop()
            missing.discard(rule)
            excess.discard(other)
            words.append(
                f"{_subject(rule)}: the condition is {_condition_words(other)}, wanted is {_condition_words(rule)}."
            )
    return words


def _covered(rule: _Rule, excess: set[_Rule]) -> bool:
    """Whether something wider that is there allows it as well: then only the wider one is worth a word."""
    return any(
        each.allows == rule.allows
        and not each.excepted
        and each.principal == rule.principal
        and each.conditions <= rule.conditions
        and wildcard_covers(each.action, rule.action)
        and wildcard_covers(each.resource, rule.resource)
        for each in excess
    )


def _sentences(beginning: str, rules: set[_Rule]) -> list[str]:
    """One sentence for all actions of the same kind on the same resource."""
    groups: dict[_Rule, list[str]] = {}
    for rule in sorted(rules, key=_sort_key):
        groups.setdefault(replace(rule, action=""), []).append(rule.action)
    return [f"{beginning} {_group_words(rule, actions)}." for rule, actions in groups.items()]


def _group_words(rule: _Rule, actions: list[str]) -> str:
    verb = "allows" if rule.allows else "denies"
    if beginning_lost := rule.excepted:
        verb += f" all but what {' and '.join(beginning_lost)} lists:"
    shown = ", ".join(_shown(each) for each in actions if each) or "everything"
    where = f" on {_shown(rule.resource)}" if rule.resource else ""
    by = f" to {_shown(rule.principal[1])}" if rule.principal[1] else ""
    under = f" with the condition {_condition_words(rule)}" if rule.conditions else ""
    return f"{verb} {shown}{where}{by}{under}"


def _subject(rule: _Rule) -> str:
    where = f" on {_shown(rule.resource)}" if rule.resource else ""
    by = f" by {_shown(rule.principal[1])}" if rule.principal[1] else ""
    return f"{_shown(rule.action)}{where}{by}"


def _condition_words(rule: _Rule) -> str:
    tests = sorted((each.operator, each.key, sorted(each.values)) for each in rule.conditions)
    return (
        " and ".join(
            f"{_shown(key)} {_shown(operator)} {' or '.join(map(_shown, values))}" for operator, key, values in tests
        )
        or "none"
    )


def _sort_key(rule: _Rule) -> tuple[str, str, tuple[str, str], bool, str]:
    return rule.resource, rule.action, rule.principal, rule.allows, _condition_words(rule)


def _shown(text: str) -> str:
    return one_line(text, 120)
