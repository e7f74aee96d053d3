"""The built-in functions: one visible table. To add one, write it in the file of its theme and add its line here.

The last figure of a line is how many arguments a higher-order function may pass it: with 1, `$map(x, $f)` gives it the
value; with 2 the index, and with 3 the array as well. The figures are those of JSONata 2.0.6.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from kaidan.asl.query.jsonata.calls import Native
from kaidan.asl.query.jsonata.functions import (
    arrays,
    aws,
    datetime,
    higher_order,
    matching,
    numbers,
    objects,
    pictures,
    strings,
)
from kaidan.asl.query.jsonata.signature import Signature
from kaidan.values import JSON

_TABLE: Final[list[tuple[str, str, Callable[..., JSON], int]]] = [
    ("sum", "<a<n>:n>", numbers.total, 1),
    ("count", "<a:n>", arrays.count, 1),
    ("max", "<a<n>:n>", numbers.maximum, 1),
    ("min", "<a<n>:n>", numbers.minimum, 1),
    ("average", "<a<n>:n>", numbers.average, 1),
    ("string", "<x-b?:s>", strings.string, 1),
    ("substring", "<s-nn?:s>", strings.substring, 3),
    ("substringBefore", "<s-s:s>", strings.substring_before, 2),
    ("substringAfter", "<s-s:s>", strings.substring_after, 2),
    ("lowercase", "<s-:s>", strings.lowercase, 1),
    ("uppercase", "<s-:s>", strings.uppercase, 1),
    ("length", "<s-:n>", strings.length, 1),
    ("trim", "<s-:s>", strings.trim, 1),
    ("pad", "<s-ns?:s>", strings.pad, 3),
    ("match", "<s-f<s:o>n?:a<o>>", matching.match, 3),
    ("contains", "<s-(sf):b>", matching.contains, 2),
    ("replace", "<s-(sf)(sf)n?:s>", matching.replace, 4),
    ("split", "<s-(sf)n?:a<s>>", matching.split, 3),
    ("join", "<a<s>s?:s>", strings.join, 2),
    ("formatNumber", "<n-so?:s>", pictures.format_number, 3),
    ("formatBase", "<n-n?:s>", pictures.format_base, 2),
    ("formatInteger", "<n-s:s>", pictures.format_integer, 2),
    ("parseInteger", "<s-s:n>", pictures.parse_integer, 2),
    ("number", "<(nsb)-:n>", numbers.number, 1),
    ("floor", "<n-:n>", numbers.floor, 1),
    ("ceil", "<n-:n>", numbers.ceil, 1),
    ("round", "<n-n?:n>", numbers.round_half_even, 2),
    ("abs", "<n-:n>", numbers.absolute, 1),
    ("sqrt", "<n-:n>", numbers.square_root, 1),
    ("power", "<n-n:n>", numbers.power, 2),
    ("boolean", "<x-:b>", numbers.boolean, 1),
    ("not", "<x-:b>", numbers.negation, 1),
    ("map", "<af>", higher_order.map_values, 2),
    ("zip", "<a+>", arrays.zip_arrays, 0),
    ("filter", "<af>", higher_order.filter_values, 2),
    ("single", "<af?>", higher_order.single, 2),
    ("reduce", "<afj?:j>", higher_order.reduce, 3),
    ("sift", "<o-f?:o>", higher_order.sift, 2),
    ("keys", "<x-:a<s>>", objects.keys, 1),
    ("lookup", "<x-s:x>", objects.lookup, 2),
    ("append", "<xx:a>", arrays.append, 2),
    ("exists", "<x:b>", objects.exists, 1),
    ("spread", "<x-:a<o>>", objects.spread, 1),
    ("merge", "<a<o>:o>", objects.merge, 1),
    ("reverse", "<a:a>", arrays.reverse, 1),
    ("each", "<o-f:a>", higher_order.each, 2),
    ("error", "<s?:x>", objects.error, 1),
    ("assert", "<bs?:x>", objects.assertion, 2),
    ("type", "<x:s>", objects.kind, 1),
    ("sort", "<af?:a>", higher_order.sort, 2),
    ("shuffle", "<a:a>", arrays.shuffle, 1),
    ("distinct", "<x:x>", arrays.distinct, 1),
    ("base64encode", "<s-:s>", strings.base64_encode, 1),
    ("base64decode", "<s-:s>", strings.base64_decode, 1),
    ("encodeUrlComponent", "<s-:s>", strings.encode_url_component, 1),
    ("encodeUrl", "<s-:s>", strings.encode_url, 1),
    ("decodeUrlComponent", "<s-:s>", strings.decode_url_component, 1),
    ("decodeUrl", "<s-:s>", strings.decode_url, 1),
    ("toMillis", "<s-s?:n>", datetime.to_millis, 2),
    ("fromMillis", "<n-s?s?:s>", datetime.from_millis, 3),
    ("now", "<s?s?:s>", datetime.now, 2),
    ("millis", "<:n>", datetime.millis, 0),
    ("clone", "<(oa)-:o>", objects.clone, 1),
    # Step Functions' own
    ("partition", "<x?x?:a>", aws.partition, 2),
    ("range", "<x?x?x?:a>", aws.number_range, 3),
    ("hash", "<x?x?:s>", aws.digest, 2),
    ("random", "<x?:n>", aws.random, 1),
    ("uuid", "<:s>", aws.uuid, 0),
    ("parse", "<s:x>", aws.parse, 1),
]

BUILTINS: Final[dict[str, Native]] = {
    name: Native(name, implementation, Signature(signature), arity) for name, signature, implementation, arity in _TABLE
}
"""The built-in functions by name, without `$`."""
