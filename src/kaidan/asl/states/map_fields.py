"""The fields of Map, both modes. Source: States Language spec, "Map State"; AWS guide, "Map state in Inline mode",
"Map state in Distributed mode", "ItemReader (Map)", "ItemBatcher (Map)", "ResultWriter (Map)".

Observed: AWS accepts what only the Distributed mode uses (ItemReader, ItemBatcher, ResultWriter) in any Map.
"""

from __future__ import annotations

import re
from dataclasses import replace

from kaidan.asl.states.fields import (
    COMMON,
    INPUT_OUTPUT,
    RECOVERY,
    RESULT,
    SCOPE,
    TRANSITION,
    Field,
    Integer,
    Items,
    Number,
    OneOf,
    Payload,
    Record,
    Reference,
    Site,
    Text,
    with_path,
)
from kaidan.limits import AWS
from kaidan.values import JSON

_COUNT = Reference(context=False)
"""Observed: of a Map's paths only ItemsPath may lead into the Context object."""


# ItemReader


def _resource(actions: tuple[str, ...], *, required: bool) -> Field:
    """The Resource of a reader or writer: one of a few."""
    allowed = re.compile(rf"arn:[^:]+:states:::({'|'.join(actions)})")
    hint = "allowed: " + ", ".join(f"arn:aws:states:::{action}" for action in actions)

    def check(arn: JSON, site: Site) -> None:
        if not allowed.fullmatch(arn):
            site.error("The field 'Resource' does not match any of the allowed values", hint=hint)

    return Field("Resource", Text(), required=required, check=check)


_S3_OBJECT = (
    Field("Parameters", Payload(("object",)), language="JSONPath"),
    Field("Arguments", Payload(), language="JSONata"),
)


_IN_OBJECTS = ("CSV", "JSON", "JSONL", "PARQUET")
_IN_ATHENA_DATA = ("CSV", "JSONL", "PARQUET")


def _reader_config(config: JSON, site: Site) -> None:
    """Which field goes with which InputType, and which InputType with what is read."""
    input_type = config.get("InputType")
    if input_type == "CSV" and "CSVHeaderLocation" not in config:
        site.error("The field 'CSVHeaderLocation' is required", hint="allowed: FIRST_ROW, GIVEN")
    if input_type in ("JSON", "JSONL", "PARQUET"):
        for name in config:
            if name.startswith("CSV"):
                site.error(f"Field '{name}' is not supported", hint="it goes with InputType CSV or MANIFEST")
    if config.get("CSVHeaderLocation") == "GIVEN" and "CSVHeaders" not in config:
        site.error("These fields are required: [CSVHeaders]")
    if config.get("Transformation") == "LOAD_AND_FLATTEN":
        _input_type(input_type, _IN_OBJECTS, site)
    if config.get("ManifestType") == "ATHENA_DATA":
        _input_type(input_type, _IN_ATHENA_DATA, site)
    if config.get("ManifestType") == "S3_INVENTORY" and input_type is not None:
        site.error("Field 'InputType' is not supported", hint="the files of an S3 inventory are CSV")


def _input_type(input_type: JSON, allowed: tuple[str, ...], site: Site) -> None:
    if input_type is None:
        site.error("These fields are required: [InputType]", hint="allowed: " + ", ".join(allowed))
    elif input_type not in allowed:
        message = f"The field 'InputType' should have one of these values: [{', '.join(allowed)}]"
        site.error(message, "/InputType")


_READER_CONFIG = Record(
    (
        Field("InputType", Text(("MANIFEST", "JSON", "CSV", "JSONL", "PARQUET"), selects=True)),
        Field("Transformation", Text(("NONE", "LOAD_AND_FLATTEN"))),
        Field("ManifestType", Text(("ATHENA_DATA", "S3_INVENTORY"))),
        Field("CSVHeaderLocation", Text(("FIRST_ROW", "GIVEN"))),
        Field("CSVHeaders", Items(Text())),
        Field("CSVDelimiter", Text(("COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB"))),
        Field("ItemsPointer", Text()),
        *with_path("MaxItems", Integer(0, 100_000_000), _COUNT),
    ),
    _reader_config,
)

_READER = Record(
    (
        _resource(("s3:getObject", "s3:listObjectsV2"), required=True),
        Field("ReaderConfig", _READER_CONFIG),
        *_S3_OBJECT,
    )
)

_BATCH_LIMITS = (
    *with_path("MaxItemsPerBatch", Integer(0), _COUNT),
    *with_path("MaxInputBytesPerBatch", Integer(0, AWS.payload_bytes_max), _COUNT),
)


def _batcher(batcher: JSON, site: Site) -> None:
    """One limit at least: States Language spec, "Batching Items"."""
    names = [field.name for field in _BATCH_LIMITS if field.language in (None, site.language)]
    if not any(name in batcher for name in names):
        site.error(f"This object should have at least one of the following fields: [{', '.join(names)}]")


_BATCHER = Record((*_BATCH_LIMITS, Field("BatchInput", Payload())), _batcher)


# ResultWriter


def _writer(writer: JSON, site: Site) -> None:
    """WriterConfig alone, Resource with its parameters, or all three."""
    destination = "Arguments" if site.language == "JSONata" else "Parameters"
    if not writer:
        site.error("Value cannot be empty", hint=f"allowed: WriterConfig, Resource with {destination}, or all three")
    for name, other in (("Resource", destination), (destination, "Resource")):
        if name in writer and other not in writer:
            site.error(f"These fields are required: [{other}]")


_WRITER = Record(
    (
        _resource(("s3:putObject",), required=False),
        *_S3_OBJECT,
        Field(
            "WriterConfig",
            Record(
                (
                    Field("Transformation", Text(("NONE", "COMPACT", "FLATTEN")), required=True),
                    Field("OutputType", Text(("JSON", "JSONL")), required=True),
                )
            ),
        ),
    ),
    _writer,
)


# ItemProcessor


def _processor_config(config: JSON, site: Site) -> None:
    distributed = config.get("Mode") == "DISTRIBUTED"
    if distributed and "ExecutionType" not in config:
        site.error("These fields are required: [ExecutionType]")
    if not distributed and "ExecutionType" in config:
        site.error("Field 'ExecutionType' is not supported", hint="it goes with Mode DISTRIBUTED")
    if distributed and site.workflow_type == "EXPRESS":
        message = "The field 'Mode' with value 'DISTRIBUTED' is not supported inside 'EXPRESS' state machines"
        site.error(message, "/Mode")


def _inside(processor: JSON, site: Site) -> Site:
    """Children of a Distributed Map are executions of a type of their own."""
    config = processor.get("ProcessorConfig")
    if not isinstance(config, dict) or config.get("Mode") != "DISTRIBUTED":
        return site
    return replace(site, workflow_type="EXPRESS" if config.get("ExecutionType") == "EXPRESS" else "STANDARD")


_PROCESSOR_CONFIG = Record(
    (
        Field("Mode", Text(("INLINE", "DISTRIBUTED"), selects=True)),
        Field("ExecutionType", Text(("STANDARD", "EXPRESS"))),
    ),
    _processor_config,
)

_PROCESSOR = Record((Field("ProcessorConfig", _PROCESSOR_CONFIG), *SCOPE), scope=True, inside=_inside)

_LABEL = re.compile(r"[^\s?*<>{}\[\]:;,\\|^~$#%&`\"\x00-\x1f\x7f-\x9f]*")
LABEL_CHARS_MAX = 40


def _label(label: JSON, site: Site) -> None:
    if len(label) > LABEL_CHARS_MAX:
        problem = f"exceeds the {LABEL_CHARS_MAX}-character limit allowed by the service"
    elif not _LABEL.fullmatch(label):
        problem = "contains invalid characters"
    else:
        return
    hint = 'not allowed: blanks, ? * < > { } [ ] : ; , \\ | ^ ~ $ # % & ` " and control characters'
    site.error(f"Invalid Label name: Label '{label}' {problem}", code="INVALID_LABEL_NAME", hint=hint)


# The state

_PROCESSORS = OneOf(("ItemProcessor", "Iterator"), required=True)
_SELECTORS = OneOf(("ItemSelector", "Parameters"))

FIELDS = (
    *COMMON,
    *TRANSITION,
    *INPUT_OUTPUT,
    Field("ItemProcessor", _PROCESSOR, one_of=_PROCESSORS),
    Field("Iterator", _PROCESSOR, one_of=_PROCESSORS),
    Field("ItemsPath", Reference(), language="JSONPath"),
    Field("Items", Payload(("array", "object")), language="JSONata", dynamic=True),
    Field("ItemSelector", Payload(), one_of=_SELECTORS, dynamic=True),
    Field("Parameters", Payload(), language="JSONPath", one_of=_SELECTORS),
    Field("ItemReader", _READER),
    Field("ItemBatcher", _BATCHER),
    Field("ResultWriter", _WRITER),
    *with_path("MaxConcurrency", Integer(0), _COUNT),
    *with_path("ToleratedFailureCount", Integer(0), _COUNT),
    *with_path("ToleratedFailurePercentage", Number(0.0, 100.0), _COUNT),
    Field("Label", Text(), check=_label, unique=True),
    *RESULT,
    *RECOVERY,
)
