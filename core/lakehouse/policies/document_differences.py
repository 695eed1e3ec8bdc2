"""How two policy documents differ in what they mean, in words: for finding out whether a document has drifted.

Each allowance of an action on a resource to somebody under conditions is one element of a set, so that neither the
order of statements and actions nor how they are gathered into statements matters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from core.display import one_line
from core.errors import BadInputError
from core.lakehouse.policies.policy_reading import (
    Condition,
    PolicyDocument,
    PolicyStatement,
    read_document,
    wildcard_covers,
)

_EQUALS = frozenset({"stringequals", "string_equal"})


@dataclass(frozen=True, slots=True)
class _Rule:
    """One action on one resource (or by one principal), allowed or denied; actions, operators and keys in lower case.

    The last two are the action and the conditions for people, as they are written.
    """

    allows: bool
    action: str
    resource: str
    principal: tuple[str, str]
    conditions: frozenset[Condition]
    excepted: tuple[str, ...]
    action_words: str = field(compare=False)
    condition_words: str = field(compare=False)


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
    conditions = frozenset(
        replace(each, operator=each.operator.lower(), key=each.key.lower()) for each in statement.conditions
    )
    words = _condition_words(statement.conditions)
    for action in statement.actions or ("",):
        for resource in statement.resources or ("",):
            for principal in statement.principals or (("", ""),):
                yield _Rule(
                    statement.allows, action.lower(), resource, principal, conditions, statement.excepted, action, words
                )


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
                f"{_subject(rule)}: the condition is {other.condition_words}, wanted is {rule.condition_words}."
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
        groups.setdefault(replace(rule, action=""), []).append(rule.action_words)
    return [f"{beginning} {_group_words(rule, actions)}." for rule, actions in groups.items()]


def _group_words(rule: _Rule, actions: list[str]) -> str:
    verb = "allows" if rule.allows else "denies"
    shown = ", ".join(_shown(each) for each in actions if each) or "everything"
    where = f" on {_shown(rule.resource)}" if rule.resource else ""
    by = f" to {_shown(rule.principal[1])}" if rule.principal[1] else ""
    under = f" with the condition {rule.condition_words}" if rule.conditions else ""
    but = f" but {_shown(' and '.join(rule.excepted))}" if rule.excepted else ""
    return f"{verb} {shown}{but}{where}{by}{under}"


def _subject(rule: _Rule) -> str:
    where = f" on {_shown(rule.resource)}" if rule.resource else ""
    by = f" by {_shown(rule.principal[1])}" if rule.principal[1] else ""
    return f"{_shown(rule.action_words)}{where}{by}"


def _condition_words(conditions: Iterable[Condition]) -> str:
    tests = sorted((each.key, each.operator, sorted(each.values)) for each in conditions)
    return " and ".join(_test_words(*test) for test in tests) or "none"


def _test_words(key: str, operator: str, values: list[str]) -> str:
    compared = "=" if operator.lower() in _EQUALS else _shown(operator)
    return f"{_shown(key)} {compared} {' or '.join(map(_shown, values))}"


def _sort_key(rule: _Rule) -> tuple[str, str, tuple[str, str], bool, str]:
    return rule.resource, rule.action, rule.principal, rule.allows, rule.condition_words


def _shown(text: str) -> str:
    return one_line(text, 120)
