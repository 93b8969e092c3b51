//! Hands spans over to a collector.
//!
//! One thread takes them in batches and sends each as OTLP over HTTP. A batch that the collector does not take is sent again a few
//! times; meanwhile the bounded queue fills, and what it cannot hold is dropped and counted. Nobody else ever waits for a collector.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use outbound::Outbound;

use crate::settings::Settings;
use crate::{Error, Result, VERSION};

/// Spans sent at once.
const BATCH: usize = 512;
/// How long a span waits for others.
const PATIENCE: Duration = Duration::from_millis(1_000);
/// How long a collector may take.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// Attempts at one batch.
const ATTEMPTS: u32 = 3;
/// Before the second attempt; twice as long before the third.
const WAIT: Duration = Duration::from_millis(500);
/// How long the end of the program waits for the last batches.
const FAREWELL: Duration = Duration::from_secs(2);
/// Bytes of a collector's answer that are read.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// The thread that sends.
pub struct Exporter {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Exporter {
    /// Says what is recorded, and starts sending it, if there is a place for it.
    ///
    /// # Errors
    /// No thread or client can be made.
    pub fn start(settings: &Settings) -> Result<Option<Self>> {
        let telemetry = settings.telemetry.clone();
        trace::set(telemetry.recording());
        if telemetry.endpoint.is_empty() {
            return Ok(None);
        }
        let unable = |because: std::io::Error| Error::Settings(format!("telemetry.endpoint: {because}"));
        let outbound = Outbound::new(outbound::Settings {
            attempt_timeout: ANSWER_MAX,
            rate_per_s: 100,
            body_max: ANSWER_BYTES_MAX,
            ..outbound::Settings::default()
        });
        let outbound = outbound.map_err(unable)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(unable)?;
        let stop = Arc::new(AtomicBool::new(false));
        let instance = format!("{:08x}-{}", rand::random::<u32>(), std::process::id());
        let sender = Sender { outbound, runtime, stop: Arc::clone(&stop), instance, telemetry };
        let thread = std::thread::Builder::new().name("telemetry".to_owned()).spawn(move || sender.keep_sending());
        Ok(Some(Self { stop, thread: thread.map_err(unable)? }))
    }

    /// Sends what waits, for a while, and ends.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Release);
        let deadline = Instant::now() + PATIENCE + FAREWELL;
        while !self.thread.is_finished() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

struct Sender {
    outbound: Outbound,
    runtime: tokio::runtime::Runtime,
    stop: Arc<AtomicBool>,
    instance: String,
    telemetry: crate::telemetry_settings::TelemetrySettings,
}

impl Sender {
    fn keep_sending(&self) {
        let mut is_away = false;
        loop {
            let ends = self.stop.load(Ordering::Acquire);
            let spans = trace::take(BATCH, if ends { Duration::ZERO } else { PATIENCE });
            if spans.is_empty() {
                if ends {
                    return;
                }
                continue;
            }
            let telemetry = &self.telemetry;
            let body = trace::otlp::request(&telemetry.service, VERSION, &self.instance, &spans);
            match self.runtime.block_on(self.send(&body)) {
                Ok(()) => {
                    trace::count_sent(spans.len());
                    if std::mem::replace(&mut is_away, false) {
                        tracing::info!("the collector of traces is back");
                    }
                }
                Err(error) => {
                    trace::count_lost(spans.len());
                    // Once is enough.
                    if !std::mem::replace(&mut is_away, true) {
                        tracing::warn!(%error, "the collector of traces does not take spans");
                    }
                }
            }
        }
    }

    async fn send(&self, body: &[u8]) -> outbound::Result<()> {
        let mut attempt = 1;
        loop {
            let deadline = Instant::now() + if self.stop.load(Ordering::Acquire) { FAREWELL } else { ANSWER_MAX };
            let sent = self.outbound.post(&self.telemetry.endpoint, &[], body.to_vec(), deadline.into()).await;
            let error = match sent {
                Ok(mut answer) => {
                    // Read to its end, so that the connection serves the next batch.
                    while let Ok(Some(_)) = answer.next().await {}
                    return Ok(());
                }
                Err(error) => error,
            };
            let is_final = matches!(error, outbound::Error::Refused { .. } | outbound::Error::Address { .. });
            if is_final || attempt == ATTEMPTS || self.stop.load(Ordering::Acquire) {
                return Err(error);
            }
            tokio::time::sleep(WAIT * 2_u32.pow(attempt - 1)).await;
            attempt += 1;
        }
    }
}
