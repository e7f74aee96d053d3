"""The conformance runner: replays recordings of the real AWS Step Functions service and compares the answers.

    python -m conformance FOLDER [--kinds K,K] [--needs none|any|S,S] [--language jsonpath|jsonata|any]
                                 [--only REGEX] [--minimum PERCENT] [-j N] [-v]

`cases` reads the recordings, `replay` does their calls against a `target`, `checks` picks what was observed,
`normalise` brings it into the recorded form, `compare` says where the two differ, `report` prints the result.
The folder's own FORMAT.md is the law for all of them; sections named in the code are its sections.

Not part of the wheel. Knows the engine only through `targets.Target`.
"""
