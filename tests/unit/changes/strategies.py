"""Changes made up by hypothesis."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hypothesis import strategies as st

from core.changes import (
    Change,
    Danger,
    Event,
    FileStep,
    Guard,
    MoveStep,
    OnFailure,
    PermissionsStep,
    RecordStep,
    StatementStep,
    Step,
)

texts = st.text(max_size=20)
details = st.dictionaries(
    texts, st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts | st.lists(texts, max_size=2), max_size=3
)
events = st.lists(st.builds(Event, texts, texts, texts, details), max_size=3).map(tuple)
letters = "abcdefghijklmnopqrstuvwxyz"
parts = st.lists(st.text(f"{letters}.", min_size=1, max_size=8), max_size=2)
# Not by regular expressions, which are drawn letter by letter.
paths = st.builds(Path, st.text(letters, min_size=1, max_size=8).map("/{}".format), parts.map("/".join))
hashes = st.binary(min_size=32, max_size=32).map(bytes.hex)

statements = st.builds(
    StatementStep,
    texts,
    texts,
    masked=st.none() | texts,
    no_undo=texts,
    done_when=st.none() | texts,
    repeatable=st.booleans(),
    as_user=texts,
    guard=st.none() | st.builds(Guard, texts, texts),
    events=events,
)
plain_files = st.builds(
    FileStep,
    texts,
    paths,
    st.none() | st.binary(max_size=30),
    replace_existing=st.booleans(),
    expects=st.none() | st.just("") | hashes,
    keep_mode=st.booleans(),
    shown=texts,
    events=events,
)
moves = st.builds(MoveStep, texts, paths, paths, no_undo=texts, events=events)
copies = st.builds(FileStep, texts, paths, st.none(), sha256=hashes, copy_of=paths)
secret_files = st.builds(FileStep, texts, paths, st.binary(min_size=1, max_size=30), secret=st.just(True))
permissions = st.builds(PermissionsStep, texts, paths, st.sampled_from([0o600, 0o700]), no_undo=texts, events=events)
notes = st.builds(RecordStep, texts, events)
kept_steps: st.SearchStrategy[Step] = statements | plain_files | copies | moves | permissions | notes


@st.composite
def changes(draw: st.DrawFn, steps: st.SearchStrategy[Step] = kept_steps, max_steps: int = 8) -> Change:
    """A change whose steps may need earlier ones and may have an inverse."""
    made: list[Step] = []
    for index in range(draw(st.integers(0, max_steps))):
        needs = draw(st.none() | st.integers(0, index - 1)) if index else None
        undo = draw(st.none() | kept_steps)
        step = replace(draw(steps), needs=needs, undo=undo)
        if undo is not None and isinstance(step, StatementStep):
            step = replace(step, undo_more=draw(st.lists(statements, max_size=2).map(tuple)))
        made.append(step)
    return Change(
        draw(texts),
        tuple(made),
        draw(st.sampled_from(Danger)),
        draw(st.sampled_from(OnFailure)),
        draw(st.lists(texts, max_size=2).map(tuple)),
        draw(texts),
        draw(texts),
    )
