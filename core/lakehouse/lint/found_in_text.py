"""Statements, JSON documents and external ids in a text that is mostly prose: a page of documentation, a runbook."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.access.tokenizer import Kind, Token
from core.lakehouse.documents import PLACEHOLDER_EXTERNAL_ID
from core.lakehouse.findings import Finding, Severity
from core.lakehouse.sql.places import LakehouseSyntaxError, Lines
from core.lakehouse.sql.statement_parsing import ParsedScript, ParsedStatement, read_run, unreadable
from core.lakehouse.sql.statements import OtherStatement
from core.lakehouse.sql.tokens import tokens_from

_BEGINNING = re.compile(
    r"\b(?:(?P<create>CREATE\s+(?:API\s+CONN\w*|EXTERNAL\s+FUNCTION))"
    r"|(?:DESC|DESCRIBE|DROP)\s+(?:CONN\w*|FUNCTION)|SHOW\s+(?:CONNECTIONS|EXTERNAL\s+FUNCTIONS))\b",
    re.IGNORECASE,
)
_END = re.compile(r"\n[^\S\n]*\n|```")  # a blank line, or the end of a block of code
_LIST_OR_PROMPT = re.compile(r"\s*(?:[-*\u2022>]|\d+[.)]|\w*[>#$])?\s*`?")
_MAX_STATEMENT = 20_000  # characters
_MAX_LINE = 1_000  # characters of it that are looked at for what stands before a statement
_WORDS_BEFORE_A_CLAUSE = 16  # at most: the head, IF NOT EXISTS, a qualified name, and the clause; more than SHOW has
_CLAUSES = frozenset({"TYPE", "PROVIDER", "REGION", "ROLE_ARN", "NAMESPACE", "NAMESPCE", "CODE_BUCKET", "AS", "USING"})
_SAID_ID = re.compile(
    r"\bexternal[\s_-]?id['\"`]?(?: is\b)?(?:\s{0,40}[:=|]|\s{1,40}is\b|\t|[^\S\n]{2,40})"
    r"\s{0,40}['\"`]?([\w+=,.@:/-]{8,})",
    re.IGNORECASE,
)
_OBJECT = re.compile(r"\{\s*[\"}]")
_MAX_BROKEN = 1_000  # objects; a text with more has no documents to look for
_LOOKS_LIKE_POLICY = re.compile(r"\{\s*\"(?:Version|Statement|Id)\"", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FoundDocument:
    """A JSON object in a text: where it begins and ends, and the line it begins on."""

    document: Mapping[str, Any]
    line: int
    begin: int
    end: int


def documents_in(text: str) -> tuple[FoundDocument, ...]:
    """Each JSON object in a text that is not inside of another."""
    return tuple(found for found in _objects(text) if isinstance(found, FoundDocument))


def broken_documents_in(text: str) -> tuple[Finding, ...]:
    """Each policy document in a text that is no JSON, with where it stops to be."""
    return tuple(found for found in _objects(text) if isinstance(found, Finding))


def _objects(text: str) -> Iterator[FoundDocument | Finding]:
    decoder, lines = json.JSONDecoder(), Lines(text)
    position, broken = 0, 0
    while broken < _MAX_BROKEN and (match := _OBJECT.search(text, position)):
        begin, position = match.start(), match.start() + 1
        try:
            document, position = decoder.raw_decode(text, begin)
        except json.JSONDecodeError as error:
            broken += 1
            if _LOOKS_LIKE_POLICY.match(text, begin):
                position = max(_closing_brace(text, begin), error.pos, position)
                line, column = lines.place(min(error.pos, len(text)))
                message = f"The document cannot be read as JSON: {error.msg}."
                yield Finding(Severity.ERROR, "document-unreadable", message, "", line, column)
        except RecursionError:  # no policy is nested so deep
            return
        else:
            yield FoundDocument(document, lines.place(begin)[0], begin, position)


def _closing_brace(text: str, begin: int) -> int:
    """Behind the brace that closes the one at `begin`, as far as strings and braces tell; -1 when none does."""
    depth = 0
    for match in re.compile(r'"(?:[^"\\\n]|\\.)*"|[{}]').finditer(text, begin):
        depth += {"{": 1, "}": -1}.get(match.group(), 0)
        if depth == 0:
            return match.end()
    return -1


def external_ids_in(text: str) -> tuple[tuple[str, int], ...]:
    """The external ids that a text tells, each with its offset; no placeholder is one, and no word of prose."""
    return tuple(
        (match[1].rstrip(".,:"), match.start(1))
        for match in _SAID_ID.finditer(text)
        if re.search(r"[0-9A-Z]", match[1][1:]) and match[1] != PLACEHOLDER_EXTERNAL_ID
    )


def statements_in(text: str) -> ParsedScript:
    """The statements in a text, as `parse_script` gives them. What only begins like one is passed over."""
    statements: list[ParsedStatement] = []
    findings: list[Finding] = []
    lines = Lines(text)
    position = 0
    while match := _BEGINNING.search(text, position):
        position = match.end()
        line_begin = text.rfind("\n", max(0, match.start() - _MAX_LINE), match.start()) + 1
        if text.rfind("--", max(line_begin, match.start() - _MAX_LINE), match.start()) >= 0:
            continue  # a comment
        begin, end = _reach(text, match)
        run, error = _run(text[begin:end], match)
        if error is not None:
            line, column = lines.place(begin + error.position)
            findings.append(replace(unreadable(error), line=line, column=column))
        if not run:
            continue
        run = [token._replace(position=token.position + begin, end=token.end + begin) for token in run]
        parsed, found = read_run(text, run, lines)
        if parsed is None and not match["create"]:
            continue
        if parsed is None or not isinstance(parsed.statement, OtherStatement):
            statements += [parsed] if parsed else []
            findings += found
            position = max(position, run[-1].end)
    return ParsedScript(tuple(statements), tuple(findings))


def _reach(text: str, match: re.Match[str]) -> tuple[int, int]:
    """From where to where a statement that begins here can reach at most."""
    begin, furthest = match.start(), match.start() + _MAX_STATEMENT
    if not match["create"]:
        line_end = text.find("\n", match.end(), furthest)
        return begin, line_end if line_end >= 0 else furthest
    closing = _END.search(text, match.end(), furthest)
    return begin, closing.start() if closing else furthest


def _run(part: str, match: re.Match[str]) -> tuple[list[Token], LakehouseSyntaxError | None]:
    """The tokens of the statement that `part` begins with, none when it is none, and why it cannot be read."""
    run: list[Token] = []
    ended = False
    try:
        for token in tokens_from(part):
            if ended := token.kind is Kind.SYMBOL and token.text == ";":
                break
            if token.kind is Kind.SYMBOL and len(run) == len(match.group().split()):
                return [], None  # a description of the syntax: `[ IF NOT EXISTS ]`, `<name>`
            run.append(token)
            if len(run) == _WORDS_BEFORE_A_CLAUSE and not (match["create"] and _has_clause(run)):
                return [], None
    except LakehouseSyntaxError as error:
        return [], error if match["create"] and _has_clause(run) else None
    if match["create"]:
        return run if _has_clause(run) else [], None
    line_begin = match.string.rfind("\n", 0, match.start()) + 1
    is_alone = ended or _LIST_OR_PROMPT.fullmatch(match.string, line_begin, match.start())
    return run if is_alone else [], None


def _has_clause(run: list[Token]) -> bool:
    """Whether a clause follows the name somewhere: its word with a value, as prose does not have it."""
    for token, following in zip(run[3:], [*run[4:], None], strict=False):
        if token.kind is Kind.WORD and token.text.upper() in _CLAUSES and following:
            if following.text == "=" or following.kind is Kind.STRING:
                return True
            if token.text.upper() == "TYPE" and following.text.upper().endswith("_FUNCTION"):
                return True
        if token.text.upper() == "PROPERTIES" and following and following.text == "(":
            return True
    return False
