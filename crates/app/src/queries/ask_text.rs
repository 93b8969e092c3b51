//! Sentences of an answer, and the figures that stand in them: no number is in a sentence that is not a figure.

use model::Money;
use serde_json::{Value, json};

/// A text in both languages, with its figures.
#[derive(Default)]
pub(super) struct Said {
    pt: Vec<String>,
    en: Vec<String>,
    pub(super) figures: Vec<Value>,
}

/// A figure in both languages, as it stands in a sentence.
#[derive(Clone)]
pub(super) struct Figure {
    pub(super) pt: String,
    pub(super) en: String,
}

impl Said {
    /// A sentence in both languages.
    pub(super) fn say(&mut self, pt: String, en: String) {
        self.pt.push(pt);
        self.en.push(en);
    }

    fn figure(&mut self, name: &str, value: &str, pt: String, en: String) -> Figure {
        self.figures.push(json!({"name": name, "value": value, "pt": pt, "en": en}));
        Figure { pt, en }
    }

    /// How many of something.
    pub(super) fn count(&mut self, name: &str, n: u64) -> Figure {
        let scaled = i64::try_from(n).ok().and_then(|n| n.checked_mul(10_000)).map(Money::from_scaled);
        let pt = scaled.map_or_else(|| n.to_string(), |money| money.to_br(2).trim_end_matches(",00").to_owned());
        let en = pt.replace('.', ",");
        self.figure(name, &n.to_string(), pt, en)
    }

    /// Ten-thousandths of a real.
    pub(super) fn money(&mut self, name: &str, scaled: i128) -> Figure {
        let money = Money::from_scaled(i64::try_from(scaled).unwrap_or(i64::MAX));
        let pt = money.to_brl();
        let en = pt.chars().map(|c| match c {
            '.' => ',',
            ',' => '.',
            c => c,
        });
        let en = en.collect();
        self.figure(name, &money.to_string(), pt, en)
    }

    /// A name, which may hold numbers.
    pub(super) fn name(&mut self, name: &str, text: &str) -> String {
        self.figure(name, text, text.to_owned(), text.to_owned()).pt
    }

    /// A day, which is written as people write it.
    pub(super) fn day(&mut self, name: &str, day: chrono::NaiveDate) -> Figure {
        self.figure(name, &day.to_string(), model::dates::to_br(day), day.to_string())
    }

    /// The whole text.
    pub(super) fn text(&self) -> Value {
        json!({"pt": self.pt.join(" "), "en": self.en.join(" ")})
    }
}
