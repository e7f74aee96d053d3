"""`|pattern|update, delete|`: a function that gives a changed copy of its argument."""

from __future__ import annotations

from kaidan.asl.query.jsonata.calls import Native, invoke
from kaidan.asl.query.jsonata.errors import JsonataError, fail
from kaidan.asl.query.jsonata.limits import RUN, Frame, Run
from kaidan.asl.query.jsonata.scope import Evaluate
from kaidan.asl.query.jsonata.signature import Signature
from kaidan.asl.query.jsonata.text import shown
from kaidan.asl.query.jsonata.values import ARRAYS, UNDEFINED, Function, as_list
from kaidan.values import JSON

_SIGNATURE = Signature("<(oa):o>")


def transformer(pattern: Evaluate, update: Evaluate, delete: Evaluate | None, clone: Evaluate) -> Evaluate:
    """The closure that makes the function. `pattern`, `update` and `delete` expect a frame of their own."""

    def evaluate(data: JSON, frame: Frame) -> JSON:
        def transform(run: Run, value: JSON) -> JSON:
            if value is UNDEFINED:
                return value
            copy = clone(data, frame)
            if not isinstance(copy, Function):
                fail("T2013")
            depth = run.depth
            result = invoke(run, copy, [value], depth)
            inner: Frame = [frame[RUN], frame, depth]
            matches = pattern(result, inner)
            for match in [] if matches is UNDEFINED else list(as_list(matches)):
                run.charge(1)
                _update(match, update(match, inner))
                if delete is not None:
                    _delete(match, delete(match, inner))
            return result

        return Native("transform", transform, _SIGNATURE, 1)

    return evaluate


def _update(match: JSON, members: JSON) -> None:
    if members is UNDEFINED:
        return
    if members.__class__ is not dict:
        fail("T2011", value=members)
    if match.__class__ is dict:
        match.update(members)
    elif match.__class__ not in ARRAYS and members:
        raise JsonataError("", message=f"Cannot create property '{next(iter(members))}' on {shown(match)}")


def _delete(match: JSON, names: JSON) -> None:
    if names is UNDEFINED:
        return
    listed = names if names.__class__ in ARRAYS else [names]
    if not all(name.__class__ is str for name in listed):
        fail("T2012", value=names)
    if match.__class__ is dict:
        for name in listed:
            match.pop(name, None)
