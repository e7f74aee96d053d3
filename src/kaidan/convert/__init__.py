"""JSONPath definitions to JSONata: `convert(definition)` gives the definition and a report.

    paths.py, filters.py       a path             → a node: what it leads to
    intrinsics.py              a call             → a node
    templates.py, choices.py   templates, rules   → nodes, conditions
    states.py                  a state's fields   → the fields of JSONata
    machine.py                 a definition       → a definition

Nodes are in `expressions.py`; what is known of variables before anything runs, in `variables.py`. The law: on the same
input, both definitions end with the same status and output. Where that would cost too much to be readable, the file
says at its top what is not the same. Pure: reads no files, runs nothing.
"""

from kaidan.convert.machine import DIFFERENT, NOT_CONVERTED, Conversion, convert

__all__ = ["DIFFERENT", "NOT_CONVERTED", "Conversion", "convert"]
