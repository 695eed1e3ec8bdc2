"""The screens of the console: one module per screen, imported when it is first opened.

How to add one
==============
1. A module here with a subclass of `tui.screens.entity.EntityScreen[Row]`; 2. an `Entry` in `tui.screens.registry`.

    class TenantsScreen(EntityScreen[Tenant]):
        SCREEN_ID = "tenants"                        # as in the registry
        TITLE_WORDS = "Tenants"                      # breadcrumb
        NOUN = ("tenant", "tenants")                 # for messages: "3 tenants marked"
        TABS = ("Summary", "SQL", "History")         # of the detail; "Summary" comes first
        SUBJECT_KIND = "tenant"                      # the journal's, which gives the "History" tab
        COLUMNS = (
            Column("name", "NAME", lambda t: t.name, flexible=True, letter="N"),
            Column("rows", "ROWS", lambda t: count(t.rows), sort=lambda t: t.rows or 0, numeric=True, minor=2),
        )
        ACTIONS = (Command("tenants.new", "new", "n", "new", "Create a tenant.", modifies=True), ...)

        def key(self, row: Tenant) -> str: return row.name       # what a row is known by, refresh after refresh
        async def load(self, session: Session) -> Sequence[Tenant]: ...          # in a worker: touch no widget
        def summary(self, row: Tenant) -> Sequence[Line]: return [fact("owner", row.owner), ...]
        async def tab(self, session, row, name) -> Sequence[Line]: ...           # in a worker; not for Summary, History
        def empty(self) -> tuple[str, str]: return "No tenants yet.", "Press n to create the first one."

`EntityScreen` brings: states (connecting, loading, empty with advice, error with `r`, stale), filter, sort, marks,
detail beside or over the table, copy, refresh. Override `missing(session) -> str` to say which right is missing.
Relative times: `self.now()`. Textual calls the `on_…` handlers of every class in turn: they never call `super()`.

A modification takes the one road:

    def suspend(self) -> None:                       # the `call` of a Command
        self.propose(lambda session, rows: plan_suspend(session.engine, rows), self.chosen)

`propose(plan, rows)` reads the rows again, awaits `plan(session, fresh rows) -> Change` in a worker, shows the preview
(`tui.screens.change`), runs it, and refreshes. With nothing to re-read give no rows. `then=` is called with the Report.
Have a Change already: `self.carry_out(change, then)`. Something is typed first:

    def new(self) -> None:
        form = Form("New tenant", (Field("name", "Name", check=name_problem, required=True), ...),
                    submit=self.plan_new, preview=...)   # async def plan_new(values: Values) -> Change
        self.ask(form, self.carry_out)                   # the form stays open, with the error, until submit succeeds

`check` says what is wrong with a value (or returns ""), at every key; `judge` does so with all values at hand, and may
only warn. `submit` and `preview` are awaited in workers; a HousekeysError they raise is shown in the form. Field kinds:
text, secret, choice, flag, lines (`tui.widgets.fields`).

Anything else that waits: `self.work("group", job, then, failed)`: `job` runs in a worker of that group (exclusive),
`then(result)` on the message loop. Pages that open over a screen: subclass `tui.screens.base.ConsoleScreen[Result]`,
`self.app.push_screen(page, callback)`, `self.dismiss(result)`. Asking for a secret in a worker:
`self.console.prompt_secret(label)`. The private keys: `self.console.key_ring()`. Handing tokens over:
`tui.screens.delivery`. Copy: `self.console.copy(text, what)`. Server text goes into `Line`,
`Piece` or a `Column` as it is: these show control characters and never read markup.
"""
