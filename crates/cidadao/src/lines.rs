//! Lines of the log: for people, or as JSON for machines. Within a request or a task each says which, and none holds personal data.

use std::fmt::Debug;

use app::Settings;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Libraries that tell values of statements, or headers, below these levels.
const KEPT_QUIET: [&str; 4] = ["tokio_postgres=info", "hyper=info", "h2=info", "hyper_util=info"];

/// Starts the log, as the settings say.
pub fn start(settings: &Settings) {
    let mut filter = EnvFilter::try_new(&settings.log.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    for directive in KEPT_QUIET {
        filter = filter.add_directive(directive.parse().expect("a directive of ours is well formed"));
    }
    let lines = Lines { json: settings.log.format == "json" };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start in one process (in tests) keeps the first.
    let _ = builder.with_ansi(false).event_format(lines).try_init();
}

struct Lines {
    json: bool,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> std::fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let (level, target) = (event.metadata().level(), fields.target.as_deref().unwrap_or(event.metadata().target()));
        let within = trace::current();
        let ids = within.as_ref().map(|current| {
            let place = current.place();
            (current.name(), format!("{:032x}", place.trace), format!("{:016x}", place.span))
        });
        if !self.json {
            write!(out, "{time} {level:>5} {target}: {}", fields.message.replace('\n', "\\n"))?;
            for (name, value) in &fields.others {
                write!(out, " {name}={value}")?;
            }
            if let Some((request, trace, _)) = &ids {
                write!(out, " trace_id={trace}")?;
                request.map_or(Ok(()), |request| write!(out, " request_id={request}"))?;
            }
            return writeln!(out);
        }
        let mut line = Map::new();
        line.insert("timestamp".to_owned(), time.into());
        line.insert("level".to_owned(), level.as_str().into());
        if let Some((request, trace, span)) = ids {
            line.insert("trace_id".to_owned(), trace.into());
            line.insert("span_id".to_owned(), span.into());
            request.and_then(|request| line.insert("request_id".to_owned(), request.into()));
        }
        fields.others.insert("message".to_owned(), fields.message.into());
        line.insert("fields".to_owned(), Value::Object(fields.others));
        line.insert("target".to_owned(), target.into());
        writeln!(out, "{}", Value::Object(line))
    }
}

/// What an event says, without personal data.
#[derive(Default)]
struct Fields {
    message: String,
    /// Where it comes from, of what libraries say by other means.
    target: Option<String>,
    others: Map<String, Value>,
}

impl Fields {
    fn add(&mut self, field: &Field, value: impl Into<Value>) {
        self.others.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = app::without_personal_data(&format!("{value:?}"));
        match field.name() {
            "message" => self.message = text,
            _ => self.add(field, text),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let text = app::without_personal_data(value);
        match field.name() {
            "message" => self.message = text,
            "log.target" => self.target = Some(text),
            name if name.starts_with("log.") => {}
            _ => self.add(field, text),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() != "log.line" {
            self.add(field, value);
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value);
    }
}
