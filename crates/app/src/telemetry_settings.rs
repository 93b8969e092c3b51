//! Settings of traces.

use serde::Deserialize;
use serde::de::{Deserializer, Unexpected, Visitor};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
        if !endpoint.is_empty() && !["http://", "https://"].iter().any(|scheme| endpoint.starts_with(scheme)) {
            let because = "must begin with http:// or https://, or be empty";
            return Err(Error::Settings(format!("telemetry.endpoint = \"{endpoint}\": {because}")));
        }
        if self.service.is_empty() || self.service.len() > 100 {
            return Err(Error::Settings("telemetry.service: must have 1 to 100 bytes".to_owned()));
        }
        within("telemetry.recorded_per_s", self.recorded_per_s.into(), 1, 100_000)?;
        within("telemetry.waiting_max", self.waiting_max as u64, 64, 1_000_000)
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        struct OfOne;

        impl Visitor<'_> for OfOne {
            type Value = Share;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number from 0 to 1 (telemetry.sample)")
            }

            fn visit_f64<E: serde::de::Error>(self, share: f64) -> std::result::Result<Share, E> {
                if !(0.0..=1.0).contains(&share) {
                    return Err(E::invalid_value(Unexpected::Float(share), &self));
                }
                #[allow(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "it lies between 0 and a million"
                )]
                Ok(Share((share * 1e6).round() as u32))
            }

            fn visit_i64<E: serde::de::Error>(self, share: i64) -> std::result::Result<Share, E> {
                let whole = u8::try_from(share).ok().filter(|share| *share <= 1);
                let whole = whole.ok_or_else(|| E::invalid_value(Unexpected::Signed(share), &self))?;
                self.visit_f64(whole.into())
            }

            // As the environment gives it.
            fn visit_str<E: serde::de::Error>(self, share: &str) -> std::result::Result<Share, E> {
                let read = share.trim().parse().map_err(|_| E::invalid_value(Unexpected::Str(share), &self))?;
                self.visit_f64(read)
            }
        }

        from.deserialize_any(OfOne)
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
        for (text, share) in [("0.01", 10_000), ("1", 1_000_000), ("0", 0), ("\"0.5\"", 500_000), ("1.0", 1_000_000)] {
            assert_eq!(read(text), Some(share), "{text}");
        }
        for text in ["1.01", "-0.1", "2", "\"much\"", "nan", "true"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
