//! OpenMetrics 1.0: what the text 0.0.4 says, in the stricter form that has room for exemplars.

use std::io::Write as _;

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use prometheus::proto::{LabelPair, Metric, MetricFamily, MetricType};

use super::exemplars::{Exemplar, Taken};
use super::type_name;

/// Whether `Accept` prefers it to plain text.
pub fn is_asked_for(headers: &HeaderMap) -> bool {
    let (mut open, mut plain) = (0.0_f32, 0.0_f32);
    for part in headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(',')) {
        let mut words = part.split(';').map(str::trim);
        let kind = words.next().unwrap_or_default().to_ascii_lowercase();
        let (mut quality, mut known) = (1.0_f32, true);
        for word in words {
            match word.split_once('=') {
                Some(("q", text)) => quality = text.parse().unwrap_or(0.0),
                Some(("version", text)) if kind == "application/openmetrics-text" => {
                    known = ["1.0.0", "0.0.1"].contains(&text.trim_matches('"'));
                }
                _ => {}
            }
        }
        match kind.as_str() {
            "application/openmetrics-text" if known => open = quality.max(open),
            "text/plain" | "text/*" | "*/*" => plain = quality.max(plain),
            _ => {}
        }
    }
    open > 0.0 && open >= plain
}

/// Writes all families, with the examples that were taken.
pub fn write(families: &[MetricFamily], taken: &Taken, out: &mut Vec<u8>) {
    for family in families {
        let kind = family.get_field_type();
        let name = if kind == MetricType::COUNTER {
            family.name().strip_suffix("_total").unwrap_or(family.name())
        } else {
            family.name()
        };
        let _ = writeln!(out, "# TYPE {name} {}", type_name(kind));
        let _ = writeln!(out, "# HELP {name} {}", escaped(family.help()));
        for metric in family.get_metric() {
            write_metric(name, kind, metric, taken, out);
        }
    }
    out.extend_from_slice(b"# EOF\n");
}

fn write_metric(name: &str, kind: MetricType, metric: &Metric, taken: &Taken, out: &mut Vec<u8>) {
    let labels = metric.get_label();
    match kind {
        MetricType::COUNTER => sample(out, name, "_total", labels, None, metric.get_counter().get_value(), None),
        MetricType::HISTOGRAM => write_histogram(name, metric, taken, out),
        _ => sample(out, name, "", labels, None, metric.get_gauge().get_value(), None),
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts are shown as they are up to 2^53")]
fn write_histogram(name: &str, metric: &Metric, taken: &Taken, out: &mut Vec<u8>) {
    let (labels, histogram) = (metric.get_label(), metric.get_histogram());
    let value = |wanted: &str| labels.iter().find(|l| l.name() == wanted).map_or("", LabelPair::value);
    let examples =
        (taken.family == name).then(|| taken.of([value("method"), value("route"), value("status")])).flatten();
    let example = |at: usize| examples.and_then(|of| of.get(at)).and_then(Option::as_ref);
    let buckets = histogram.get_bucket();
    for (at, bucket) in buckets.iter().enumerate() {
        let count = bucket.cumulative_count() as f64;
        sample(out, name, "_bucket", labels, Some(&number(bucket.upper_bound())), count, example(at));
    }
    let count = histogram.get_sample_count() as f64;
    sample(out, name, "_bucket", labels, Some("+Inf"), count, example(buckets.len()));
    sample(out, name, "_sum", labels, None, histogram.get_sample_sum(), None);
    sample(out, name, "_count", labels, None, count, None);
}

fn sample(
    out: &mut Vec<u8>,
    name: &str,
    suffix: &str,
    labels: &[LabelPair],
    le: Option<&str>,
    value: f64,
    example: Option<&Exemplar>,
) {
    let _ = write!(out, "{name}{suffix}");
    let pairs = labels.iter().map(|label| (label.name(), label.value())).chain(le.map(|le| ("le", le)));
    for (at, (label, value)) in pairs.enumerate() {
        let _ = write!(out, "{}{label}=\"{}\"", if at == 0 { '{' } else { ',' }, escaped(value));
    }
    if !labels.is_empty() || le.is_some() {
        out.push(b'}');
    }
    let _ = write!(out, " {}", number(value));
    if let Some(Exemplar { trace, seconds, at }) = example {
        let _ = write!(out, " # {{trace_id=\"{trace:032x}\"}} {} {at:.3}", number(*seconds));
    }
    out.push(b'\n');
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('"', "\\\"")
}

/// A number as the format wants it: with a point, or with an exponent of two digits.
fn number(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let plain = format!("{value:?}");
    match plain.split_once("e-") {
        Some((digits, exponent)) if exponent.len() == 1 => format!("{digits}e-0{exponent}"),
        _ => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_given_to_who_prefers_it() {
        let asked = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            is_asked_for(&headers)
        };
        assert!(!is_asked_for(&HeaderMap::new()));
        // What Prometheus sends.
        assert!(asked(
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
        ));
        assert!(asked("application/openmetrics-text; version=1.0.0; charset=utf-8"));
        for other in [
            "*/*",
            "text/plain",
            "application/openmetrics-text;q=0",
            "application/openmetrics-text;q=0.2,text/plain",
            "application/openmetrics-text;version=2.0.0",
            "text/html,application/xhtml+xml,*/*;q=0.8",
        ] {
            assert!(!asked(other), "{other}");
        }
    }

    #[test]
    fn numbers_have_a_point_or_an_exponent() {
        for (value, text) in
            [(1.0, "1.0"), (0.005, "0.005"), (0.000_001, "1e-06"), (17.0, "17.0"), (f64::INFINITY, "+Inf")]
        {
            assert_eq!(number(value), text);
        }
    }
}
