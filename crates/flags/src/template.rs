//! Sentences with places for values: `{ev_limit:brl}`.
//!
//! A place names a column of the flag's SQL and how it is written: `brl` (money), `date`, `int`, `dec2`, `dec4`, `pct` (a share),
//! `chance` (with its sign: `= 0,0004`, `< 0,00000001`), `cnpj`, or nothing (as it is). A null is written "não informado" or
//! "not stated", never left out.

use lake::TextRow;
use model::{Cnpj, Money};

/// The language of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Portuguese,
    English,
}

/// The values a sentence takes.
pub(crate) trait Values {
    fn value(&self, name: &str) -> Option<&str>;
}

impl Values for TextRow {
    fn value(&self, name: &str) -> Option<&str> {
        self.get(name)
    }
}

/// Puts the values in their places.
pub(crate) fn render(template: &str, values: &dyn Values, language: Language) -> String {
    let mut out = String::with_capacity(template.len() + 64);
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        let Some(close) = rest[open..].find('}') else { break };
        let place = &rest[open + 1..open + close];
        let (name, form) = place.split_once(':').unwrap_or((place, ""));
        match values.value(name) {
            Some(value) => out.push_str(&written(value, form, language)),
            None => out.push_str(if language == Language::Portuguese { "não informado" } else { "not stated" }),
        }
        rest = &rest[open + close + 1..];
    }
    out.push_str(rest);
    out
}

fn written(value: &str, form: &str, language: Language) -> String {
    let pt = language == Language::Portuguese;
    let decimal = |text: String| if pt { text.replace('.', ",") } else { text };
    let fixed = |places: usize, factor: f64| {
        value.parse::<f64>().map_or_else(|_| value.to_owned(), |n| decimal(format!("{:.places$}", n * factor)))
    };
    match form {
        "brl" => Money::parse(value).map_or_else(|_| value.to_owned(), |m| if pt { m.to_brl() } else { english(m) }),
        "date" => model::dates::parse_iso(value)
            .map_or_else(|_| value.to_owned(), |d| if pt { model::dates::to_br(d) } else { d.to_string() }),
        "int" => value.split('.').next().unwrap_or(value).to_owned(),
        "dec2" => fixed(2, 1.0),
        "dec4" => fixed(4, 1.0),
        "chance" => value.parse::<f64>().map_or_else(
            |_| value.to_owned(),
            |p| {
                if p < 1e-8 {
                    return format!("< {}", decimal("0.00000001".to_owned()));
                }
                let text = format!("{p:.8}");
                format!("= {}", decimal(text.trim_end_matches('0').trim_end_matches('.').to_owned()))
            },
        ),
        "pct" => format!("{} %", fixed(1, 100.0)),
        "qty" => {
            let text = if value.contains('.') { value.trim_end_matches('0').trim_end_matches('.') } else { value };
            decimal(text.to_owned())
        }
        "cnpj" => Cnpj::parse(value.trim_start_matches("cnpj:")).map_or_else(
            |_| value.split_once('|').map_or(value, |(id, _)| id).replace("cpf:", "CPF "),
            |c| c.formatted(),
        ),
        _ => value.to_owned(),
    }
}

/// Money with English marks: `R$ 87,600.00`.
fn english(money: Money) -> String {
    money
        .to_brl()
        .chars()
        .map(|c| match c {
            '.' => ',',
            ',' => '.',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct One(&'static str);
    impl Values for One {
        fn value(&self, name: &str) -> Option<&str> {
            (name == "v").then_some(self.0)
        }
    }

    #[test]
    fn values_are_written_as_readers_expect() {
        let pt = |t: &str, v: &'static str| render(t, &One(v), Language::Portuguese);
        assert_eq!(pt("p {v:chance}", "0.00012000"), "p = 0,00012");
        assert_eq!(pt("p {v:chance}", "0.0"), "p < 0,00000001");
        assert_eq!(pt("soma {v:brl}.", "87600.0000"), "soma R$ 87.600,00.");
        assert_eq!(pt("{v:date}", "2024-03-12"), "12/03/2024");
        assert_eq!(pt("{v:pct}", "0.4623"), "46,2 %");
        assert_eq!(pt("{v:qty} un", "10.5000"), "10,5 un");
        assert_eq!(pt("{w}", "x"), "não informado");
        assert_eq!(render("{v:brl}", &One("1234.5000"), Language::English), "R$ 1,234.50");
        assert_eq!(pt("{v:cnpj}", "cnpj:00000000000191"), "00.000.000/0001-91");
    }
}
