//! Spans as OTLP over HTTP writes them in JSON (opentelemetry-proto 1.x, `ExportTraceServiceRequest`): ids are hexadecimal, 64-bit
//! numbers are text.

use serde_json::{Value, json};

use crate::span::{Recorded, Told};

/// OpenTelemetry's number for a status that is an error.
const FAILED: u8 = 2;

/// The body of a request that hands spans over.
#[must_use]
pub fn request(service: &str, version: &str, instance: &str, spans: &[Recorded]) -> Vec<u8> {
    let about = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let spans: Vec<Value> = spans.iter().map(written).collect();
    json!({"resourceSpans": [{
        "resource": {"attributes": [
            about("service.name", service),
            about("service.version", version),
            about("service.instance.id", instance),
        ]},
        "scopeSpans": [{"scope": {"name": "cidadao", "version": version}, "spans": spans}],
    }]})
    .to_string()
    .into_bytes()
}

fn written(span: &Recorded) -> Value {
    let told: Vec<Value> = span
        .told
        .iter()
        .map(|(key, told)| {
            let value = match told {
                Told::Text(text) => json!({"stringValue": text}),
                Told::Number(number) => json!({"intValue": number.to_string()}),
            };
            json!({"key": key, "value": value})
        })
        .collect();
    let mut written = json!({
        "traceId": format!("{:032x}", span.place.trace),
        "spanId": format!("{:016x}", span.place.span),
        "name": span.name,
        "kind": span.kind as u8,
        "startTimeUnixNano": span.begun_ns.to_string(),
        "endTimeUnixNano": span.ended_ns.to_string(),
        "attributes": told,
    });
    if let Some(parent) = span.parent {
        written["parentSpanId"] = format!("{parent:016x}").into();
    }
    if span.failed {
        written["status"] = json!({"code": FAILED});
    }
    written
}
