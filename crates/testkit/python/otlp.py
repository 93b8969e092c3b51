"""Reads OTLP's JSON with OpenTelemetry's own messages, one request a line; an unknown field or a value of another kind ends it.

OTLP writes ids in base 16 where protobuf's JSON has base 64: that alone is changed before it is read.
"""

import base64
import json
import sys

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

spans = 0
for line in sys.stdin:
    request = json.loads(line)
    for of_resource in request["resourceSpans"]:
        for of_scope in of_resource["scopeSpans"]:
            for span in of_scope["spans"]:
                for name, length in [("traceId", 16), ("spanId", 8), ("parentSpanId", 8)]:
                    if name in span:
                        raw = bytes.fromhex(span[name])
                        assert len(raw) == length, (name, span[name])
                        span[name] = base64.b64encode(raw).decode()
    message = json_format.ParseDict(request, ExportTraceServiceRequest())
    for of_resource in message.resource_spans:
        named = {a.key: a.value.string_value for a in of_resource.resource.attributes}
        assert named["service.name"], named
        for of_scope in of_resource.scope_spans:
            for span in of_scope.spans:
                assert 0 < span.start_time_unix_nano <= span.end_time_unix_nano, span
                assert span.name and span.kind, span
                spans += 1
print(spans)
