//! Lines of the log: for people, or as JSON for machines. Within a request or a task each says which, and none holds personal data.

use std::fmt::Debug;
use std::sync::OnceLock;

use app::{Result, Settings};
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Libraries that tell values of statements, or headers, below `info`: whatever the filter says, not here.
const KEPT_QUIET: [&str; 4] = ["tokio_postgres", "hyper", "h2", "hyper_util"];

type Refilter = Box<dyn Fn(EnvFilter) -> bool + Send + Sync>;
/// What puts another filter before the log.
static REFILTER: OnceLock<Refilter> = OnceLock::new();

/// Starts the log, as the settings say.
///
/// # Errors
/// `log.filter` is no filter.
pub fn start(settings: &Settings) -> Result<()> {
    let builder = tracing_subscriber::fmt().with_env_filter(filter_of(settings)?).with_writer(std::io::stderr);
    let lines = Lines { json: settings.log.format == "json" };
    let builder = builder.with_ansi(false).event_format(lines).with_filter_reloading();
    let handle = builder.reload_handle();
    // A second start in one process (in tests) keeps the first.
    let _ = REFILTER.set(Box::new(move |filter| handle.reload(filter).is_ok()));
    let _ = builder.try_init();
    Ok(())
}

/// Filters the log as these settings say, from now on.
///
/// # Errors
/// `log.filter` is no filter.
pub fn filter_anew(settings: &Settings) -> Result<()> {
    let filter = filter_of(settings)?;
    if let Some(refilter) = REFILTER.get() {
        refilter(filter);
    }
    Ok(())
}

/// The filter that the settings name.
///
/// # Errors
/// `log.filter` is no filter.
pub fn filter_of(settings: &Settings) -> Result<EnvFilter> {
    let filter = &settings.log.filter;
    let refused = |error| settings.refuse(format!("log.filter = \"{filter}\": {error}"));
    EnvFilter::try_new(filter).map_err(refused)
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
        let library = target.split("::").next().unwrap_or_default();
        if *level > tracing::Level::INFO && KEPT_QUIET.contains(&library) {
            return Ok(());
        }
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
