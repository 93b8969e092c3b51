//! Texts said again by a language model, where one is configured.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use llm::{Limits, Models, Rephrased};
use outbound::Outbound;
use serde_json::Value;

use crate::queries::ModelFigures;
use crate::{App, Error, Result, VERSION};

/// The models, once they were asked for, and where their connections live.
#[derive(Default)]
pub(crate) struct Rephrasing {
    held: OnceLock<Option<Arc<Held>>>,
}

struct Held {
    models: Models,
    outbound: Outbound,
    runtime: tokio::runtime::Runtime,
}

impl App {
    /// A text said again by the first model that can, each sentence borne by the evidence; nothing without a model, or when none can.
    ///
    /// It may take `llm.timeout_ms`, and must not be called on an asynchronous thread.
    pub fn rephrase(&self, evidence: &Value, text: &str) -> Option<Rephrased> {
        let time = Duration::from_millis(self.settings().llm.timeout_ms);
        let held = self.rephrasing().held.get_or_init(|| {
            self.open_models().unwrap_or_else(|error| {
                tracing::warn!(%error, "no language model is asked");
                None
            })
        });
        let held = held.as_ref()?;
        let said = held.runtime.block_on(held.models.rephrase(evidence, text, time));
        said.inspect_err(|error| tracing::warn!(%error, "a text stays as it was")).ok()
    }

    /// What models were asked so far.
    pub(crate) fn models_asked(&self) -> Option<outbound::Figures> {
        Some(self.rephrasing().held.get()?.as_ref()?.outbound.figures())
    }

    /// What models took today, and may take.
    pub(crate) fn model_figures(&self) -> ModelFigures {
        let settings = &self.settings().llm;
        let used = self.rephrasing().held.get().and_then(|held| Some(held.as_ref()?.models.used()));
        let used = used.unwrap_or_default();
        ModelFigures {
            tokens: used.tokens,
            micro_cents: used.micro_cents,
            tokens_max: settings.tokens_per_day,
            cents_max: settings.cents_per_day,
        }
    }

    fn open_models(&self) -> Result<Option<Arc<Held>>> {
        let settings = &self.settings().llm;
        if settings.providers.is_empty() {
            return Ok(None);
        }
        let providers = settings.providers.iter().map(crate::llm_settings::LlmProvider::open).collect::<Result<_>>()?;
        let limits = Limits { tokens_per_day: settings.tokens_per_day, cents_per_day: settings.cents_per_day };
        let outbound = Outbound::new(outbound::Settings {
            attempt_timeout: Duration::from_millis(settings.timeout_ms),
            user_agent: format!("cidadao/{VERSION}"),
            body_max: 4 << 20,
            ..outbound::Settings::default()
        })
        .map_err(|e| Error::Failed(format!("the certificates of the system: {e}")))?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("models")
            .enable_all()
            .build()
            .map_err(|e| Error::Failed(format!("no asynchronous runtime: {e}")))?;
        let models = Models::new(providers, outbound.clone(), settings.tokens_max, limits);
        Ok(Some(Arc::new(Held { models, outbound, runtime })))
    }
}
