"""Reading CREATE API CONNECTION, both of its forms, the clauses in any order.

What is wrong but can be read past becomes a finding, so that one reading tells all of it. Nothing is made of a
statement with an error in it.
"""

from __future__ import annotations

from difflib import get_close_matches

from core.access.tokenizer import Kind, Token
from core.display import one_line
from core.lakehouse.connections import ApiConnection, Provider
from core.lakehouse.findings import Fix, Severity
from core.lakehouse.quoting import quote_string
from core.lakehouse.rules.validation import DEFAULT_NAMESPACE, namespace_finding, parse_provider, provider_finding
from core.lakehouse.sql.statement_cursor import StatementCursor
from core.lakehouse.sql.statement_rendering import CLOUD_FUNCTION, PROPERTY_PREFIX
from core.lakehouse.sql.statements import CreateApiConnection, Syntax

_FIELDS = ("provider", "region", "role_arn", "namespace", "code_bucket")
_NEEDED = ("provider", "region", "role_arn", "code_bucket")
_MISSPELLED_NAMESPACE = "NAMESPCE"  # as the vendor's documentation long wrote it


def is_cloud_function(cursor: StatementCursor) -> bool:
    """Whether the statement is about a connection of TYPE CLOUD_FUNCTION: it says so, nearly so, or says no type."""
    tokens = cursor.tokens
    for index in range(cursor.index, len(tokens) - 1):
        if tokens[index].kind is Kind.WORD and tokens[index].text.upper() == "TYPE":
            said = tokens[index + 2] if tokens[index + 1].text == "=" else tokens[index + 1]
            return bool(get_close_matches(said.text.upper(), [CLOUD_FUNCTION], cutoff=0.8))
    return True


def read_create_connection(cursor: StatementCursor) -> CreateApiConnection | None:
    """The statement behind CREATE API CONNECTION; None when an error was reported. Raises LakehouseSyntaxError."""
    if_not_exists = cursor.words("IF NOT EXISTS")
    name = cursor.qualified_name("the name of the connection")
    clauses = _Clauses(cursor)
    clauses.read()
    clauses.check(cursor.tokens[0])
    if any(finding.severity is Severity.ERROR for finding in cursor.findings):
        return None
    values = clauses.values
    connection = ApiConnection(
        name=name,
        provider=parse_provider(values["provider"]),
        region=values["region"],
        role_arn=values["role_arn"],
        code_bucket=values["code_bucket"],
        namespace=values.get("namespace", ""),
        comment=values.get("comment", ""),
    )
    if connection.provider is Provider.TENCENT and not connection.namespace:
        clauses.report_no_namespace()
    return CreateApiConnection(connection, if_not_exists, clauses.syntax)


class _Clauses:
    """The clauses as they are read: `values` by field, `tokens` where each value stands."""

    def __init__(self, cursor: StatementCursor) -> None:
        self.cursor = cursor
        self.values: dict[str, str] = {}
        self.tokens: dict[str, Token] = {}
        self.syntax = Syntax.CLAUSES
        self.last_gap = "\n"  # what stands between the last two clauses, for one that is put behind them
        self.end_of_values = cursor.token.position

    def read(self) -> None:
        cursor = self.cursor
        while (token := cursor.token).kind is not Kind.END:
            before = cursor.peek(-1)
            self._clause(token)
            gap = cursor.sql[before.end : token.position]
            self.last_gap = gap if gap and gap.isspace() else "\n"

    def check(self, statement: Token) -> None:
        """Report what is missing, and what of the values is known to be wrong by the statement alone."""
        if "type" not in self.values:
            self._missing("type", f"TYPE {CLOUD_FUNCTION}", statement)
        for name in _NEEDED:
            if name not in self.values:
                self._missing(name, self._written(name), statement)
        if "provider" in self.values:
            self._check_provider(self.values["provider"], self.tokens["provider"])
        if "comment" in self.values and self.syntax is Syntax.CLAUSES:
            self.cursor.report(
                Severity.WARNING,
                "comment-with-clauses",
                "COMMENT is documented for the properties form of the statement only.",
                self.tokens["comment"],
                advice="Use WITH PROPERTIES(…), or leave the comment out.",
                field="comment",
            )

    def _clause(self, token: Token) -> None:
        cursor = self.cursor
        if cursor.symbol(","):
            fix = Fix(token.position, token.end, "")
            cursor.report(Severity.WARNING, "comma", "No comma stands between clauses.", token, fix=fix)
        elif cursor.words("WITH PROPERTIES"):
            self.syntax = Syntax.PROPERTIES
            cursor.report(
                Severity.INFORMATION,
                "properties-form",
                "WITH PROPERTIES is the older form of the statement, no longer in the vendor's reference.",
                token,
                advice="Write clauses (PROVIDER='…' REGION='…' …), unless there is a comment to keep.",
            )
            self._properties()
        elif token.kind is Kind.WORD:
            cursor.take()
            self._named_clause(token)
        else:
            cursor.fail("a clause such as PROVIDER='…'")

    def _named_clause(self, token: Token) -> None:
        cursor, word = self.cursor, token.text.upper()
        equals = cursor.token
        has_equals = cursor.symbol("=")
        if word == "TYPE":
            self._type(token, equals if has_equals else None)
        elif word == "COMMENT":
            self._keep("comment", token)
        elif name := self._field(token, word, word):
            self._keep(name, token)
        else:
            self._unknown(token, word, [known.upper() for known in _FIELDS])
            if has_equals or cursor.token.kind is Kind.STRING:
                cursor.take()
            elif cursor.token.kind is Kind.END:
                cursor.fail("a value")

    def _type(self, token: Token, equals: Token | None) -> None:
        cursor = self.cursor
        if equals is not None:
            blanks = cursor.sql[token.end : equals.position] + cursor.sql[equals.end : cursor.token.position]
            # A comment beside it is kept.
            between = (token.end, cursor.token.position) if not blanks.strip() else (equals.position, equals.end)
            fix = Fix(*between, " ")
            message = "TYPE is written without `=`."
            cursor.report(Severity.INFORMATION, "type-equals", message, equals, advice="Leave it out.", fix=fix)
        value = cursor.token
        if value.kind not in (Kind.WORD, Kind.STRING):
            cursor.fail(CLOUD_FUNCTION)
        cursor.take()
        if value.text.upper() != CLOUD_FUNCTION:
            cursor.report_misspelling(value, CLOUD_FUNCTION)
        elif value.kind is Kind.STRING:
            fix = Fix(value.position, value.end, CLOUD_FUNCTION)
            cursor.report(Severity.WARNING, "type-quoted", "The type is written without quotes.", value, fix=fix)
        self._set("type", value.text, token, value)

    def _keep(self, name: str, token: Token) -> None:
        value = self.cursor.token
        text = self.cursor.text_value(f"the value of {one_line(token.text, 40).upper()}")
        self._set(name, text, token, value)

    def _properties(self) -> None:
        known = [f"{PROPERTY_PREFIX}{name}" for name in _FIELDS]
        for token, value, text in self.cursor.properties():
            word = token.text.lower()
            name = self._field(token, word, word.removeprefix(PROPERTY_PREFIX)) if word in known else ""
            if word == f"{PROPERTY_PREFIX}{_MISSPELLED_NAMESPACE}".lower():
                name = self._field(token, word, _MISSPELLED_NAMESPACE)
            if name:
                self._set(name, text, token, value)
            else:
                self._unknown(token, word, known)

    def _field(self, token: Token, written: str, word: str) -> str:
        """The field that a clause or property is about, empty when there is none."""
        if word.upper() == _MISSPELLED_NAMESPACE:
            right = self._written("namespace")
            quoted = quote_string(right) if token.kind is Kind.STRING else right
            self.cursor.report_misspelling(token, right, quoted)
            return "namespace"
        return word.lower() if word.lower() in _FIELDS else ""

    def _set(self, name: str, text: str, token: Token, value: Token) -> None:
        if name in self.values:
            self.cursor.report_twice(token, self._written(name) if name in _FIELDS else name.upper())
            return
        self.values[name] = text
        self.tokens[name] = value
        self.cursor.places[name] = value.position
        self.end_of_values = value.end

    def _written(self, name: str) -> str:
        return f"{PROPERTY_PREFIX}{name}" if self.syntax is Syntax.PROPERTIES else name.upper()

    def _missing(self, name: str, written: str, statement: Token) -> None:
        advice = f"Add {written}." if name == "type" else f"Add {written}='…'."
        message = f"{written} is missing."
        self.cursor.report(Severity.ERROR, "clause-missing", message, statement, advice=advice, field=name)

    def _unknown(self, token: Token, word: str, known: list[str]) -> None:
        near = get_close_matches(word, known, 1, cutoff=0.7)
        advice = f"Did you mean {near[0]}?" if near else f"There are {', '.join(known)}."
        message = f"{one_line(token.text, 40)} is no {'property' if token.kind is Kind.STRING else 'clause'} of it."
        self.cursor.report(Severity.ERROR, "clause-unknown", message, token, advice=advice)

    def _check_provider(self, written: str, token: Token) -> None:
        if finding := provider_finding(written):
            self.cursor.keep(finding, token)
        elif written not in set(Provider):
            right = parse_provider(written).value
            self.cursor.report(
                Severity.INFORMATION,
                "provider-case",
                "Providers are written in lower case.",
                token,
                advice=f"Write {right!r}.",
                field="provider",
                fix=Fix(token.position, token.end, quote_string(right)),
            )

    def report_no_namespace(self) -> None:
        """Tencent Cloud has no functions outside a namespace; `default` is what its accounts begin with."""
        written, value = self._written("namespace"), quote_string(DEFAULT_NAMESPACE)
        if token := self.tokens.get("namespace"):
            fix = Fix(token.position, token.end, value)
        elif self.syntax is Syntax.PROPERTIES:
            fix = Fix(self.end_of_values, self.end_of_values, f", {quote_string(written)}={value}")
        else:
            fix = Fix(self.end_of_values, self.end_of_values, f"{self.last_gap}{written}={value}")
        if finding := namespace_finding(Provider.TENCENT, ""):
            self.cursor.keep(finding, token or self.tokens["provider"], fix)
