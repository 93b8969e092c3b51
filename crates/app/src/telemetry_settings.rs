//! Settings of traces.

use serde::Deserialize;

use crate::layers::told;
use crate::{Error, Result};

/// Section `[telemetry]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml documents each")]
pub struct TelemetrySettings {
    pub endpoint: String,
    pub service: String,
    pub sample: Share,
    pub recorded_per_s: u32,
    pub waiting_max: usize,
}

/// A share from 0 to 1, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "f64")]
pub struct Share(pub u32);

impl TelemetrySettings {
    /// What this says to who records.
    #[must_use]
    pub fn recording(&self) -> trace::Settings {
        trace::Settings {
            records: !self.endpoint.is_empty(),
            per_million: self.sample.0,
            per_s_max: self.recorded_per_s,
            waiting_max: self.waiting_max,
        }
    }

    pub(crate) fn check(&self, within: &dyn Fn(&str, u64, u64, u64) -> Result<()>) -> Result<()> {
        let endpoint = &self.endpoint;
        let refused =
            |because: &str| Err(Error::Settings(format!("telemetry.endpoint = \"{}\": {because}", told(endpoint))));
        let place = endpoint.strip_prefix("http://").or_else(|| endpoint.strip_prefix("https://"));
        match place {
            None if !endpoint.is_empty() => return refused("must begin with http:// or https://, or be empty"),
            // It would be printed with the address.
            Some(place) if place.split('?').next().is_some_and(|place| place.contains('@')) => {
                return refused("holds no name or password");
            }
            _ => {}
        }
        if self.service.is_empty() || self.service.len() > 100 {
            return Err(Error::Settings("telemetry.service: must have 1 to 100 bytes".to_owned()));
        }
        within("telemetry.recorded_per_s", self.recorded_per_s.into(), 1, 100_000)?;
        within("telemetry.waiting_max", self.waiting_max as u64, 64, 1_000_000)
    }
}

impl TryFrom<f64> for Share {
    type Error = String;

    fn try_from(share: f64) -> std::result::Result<Self, String> {
        if !(0.0..=1.0).contains(&share) {
            return Err(format!("{share} (telemetry.sample): must be a number from 0 to 1"));
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it lies between 0 and a million")]
        Ok(Self((share * 1e6).round() as u32))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn a_share_lies_between_nothing_and_all() {
        let read = |text: &str| {
            let table = toml::from_str::<toml::Table>(&format!("s = {text}")).unwrap();
            table["s"].clone().try_into::<Share>().ok().map(|share| share.0)
        };
        for (text, share) in [("0.01", 10_000), ("1", 1_000_000), ("0", 0), ("0.5", 500_000), ("1.0", 1_000_000)] {
            assert_eq!(read(text), Some(share), "{text}");
        }
        for text in ["1.01", "-0.1", "2", "\"much\"", "nan", "true"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
