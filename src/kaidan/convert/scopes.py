"""The machines inside a state: the branches of a Parallel, the item processor of a Map. Names no state type."""

from __future__ import annotations

from collections.abc import Iterator

from kaidan.values import JSON

PROCESSORS = ("ItemProcessor", "Iterator")


def scopes_in(state: dict[str, JSON]) -> Iterator[tuple[str, dict[str, JSON]]]:
    """The pointer inside the state and the machine: `/Branches[0]`, `/ItemProcessor`."""
    for index, branch in enumerate(state.get("Branches", ())):
        yield f"/Branches[{index}]", branch
    for name in PROCESSORS:
        if name in state:
            yield f"/{name}", state[name]
