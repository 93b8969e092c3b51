//! Which law a contract is under.
//!
//! The regime is the tender's, not that of the day of signature: Lei 14.133 and the laws before it stood side by side
//! from 2021-04-01 to 2023-12-29, the administration chose one in each notice, and the contract keeps it for life
//! (Lei 14.133/2021, arts. 190, 191 and 193; Lei Complementar 198/2023). So the stated legal basis decides, and a
//! date alone decides only outside those days.

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{Dated, in_force, law};
use crate::text::fold;

/// The law that rules a tender and what comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Regime {
    /// Lei 8.666/1993, the general law until 2023.
    #[serde(rename = "lei_8666")]
    Lei8666,
    /// Lei 10.520/2002, the pregão; Lei 8.666 fills its gaps (art. 9).
    #[serde(rename = "lei_10520")]
    Lei10520,
    /// Lei 12.462/2011, the RDC; Lei 8.666 rules its contracts where it is silent (art. 39).
    #[serde(rename = "lei_12462")]
    Lei12462,
    /// Lei 13.303/2016, the state companies.
    #[serde(rename = "lei_13303")]
    Lei13303,
    /// Lei 14.133/2021, the general law now.
    #[serde(rename = "lei_14133")]
    Lei14133,
}

impl Regime {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Lei8666, Self::Lei10520, Self::Lei12462, Self::Lei13303, Self::Lei14133];

    /// Its code in every table and answer.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Lei8666 => "lei_8666",
            Self::Lei10520 => "lei_10520",
            Self::Lei12462 => "lei_12462",
            Self::Lei13303 => "lei_13303",
            Self::Lei14133 => "lei_14133",
        }
    }

    /// Reads a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|regime| regime.code() == code)
    }

    /// The law's row: its name and the days on which a new tender may choose it.
    #[must_use]
    pub fn row(self) -> &'static RegimeRow {
        let row = law().regimes.iter().find(|row| row.code == self);
        row.expect("a test sees that each regime has its row")
    }

    /// The regime that a stated legal basis names, such as PNCP's `amparoLegal` or the Portal's *fundamento legal*.
    ///
    /// Read are the numbers of the laws, with or without dot and year (`Lei 14.133/2021`, `LEI 8666/93`,
    /// `8.666/93`); a number without year counts only behind *lei*. A special law stands before the one that fills
    /// its gaps: `Lei 10.520/2002 e Lei 8.666/93` is a pregão. A text that names no act at all is known by the
    /// waiver's article (`Art. 75, II`; `Art. 24, II`). `None` for everything else: an act we hold no table for, an
    /// emergency law, two general laws, another law's article.
    #[must_use]
    pub fn from_legal_basis(text: &str) -> Option<Self> {
        let folded = fold(text);
        let basis = read_basis(&folded);
        if basis.names_an_emergency_law {
            return None;
        }
        match basis.laws.as_slice() {
            [] if basis.names_an_act => None,
            [] => only(basis.articles.iter().filter_map(|article| waiver_article(*article))),
            [one] => Some(*one),
            several => special(several),
        }
    }
}

impl fmt::Display for Regime {
    /// The act's name: `Lei 14.133/2021`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.row().act)
    }
}

/// The general law of a tender by the day of its notice alone.
///
/// Lei 8.666 until 2021-03-31, Lei 14.133 from 2023-12-30, and `None` between, where both could be chosen
/// (Lei 14.133/2021, arts. 191 and 193; Lei Complementar 198/2023). Before 2021-04 it says "the family of Lei 8.666":
/// a pregão of that time follows Lei 10.520 first. Do not ask with the day of signature: a contract signed in 2024
/// may come from a tender of 2023. State companies are outside it altogether (Lei 13.303).
#[must_use]
pub fn regime_by_date(on: NaiveDate) -> Option<Regime> {
    only(in_force(&law().regimes, on).filter(|row| row.general).map(|row| row.code))
}

/// A law and the days on which a new tender may choose it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RegimeRow {
    /// Which.
    pub code: Regime,
    /// The law's number.
    pub number: u32,
    /// The law's year.
    pub year: u32,
    /// Whether every tender of an administration follows one of the general laws.
    pub general: bool,
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub to: Option<NaiveDate>,
    /// The act's name.
    pub act: String,
}

impl Dated for RegimeRow {
    fn days(&self) -> (NaiveDate, Option<NaiveDate>) {
        (self.from, self.to)
    }

    fn rules(&self) -> Vec<String> {
        vec![self.code.code().to_owned()]
    }
}

/// A law that changes, for an emergency, what the law it leans on says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmergencyLaw {
    number: u32,
    year: u32,
}

/// Articles that only one law gives to waivers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BareArticles {
    regime: Regime,
    articles: Vec<u32>,
}

/// The one value that all of `values` are.
fn only(values: impl Iterator<Item = Regime>) -> Option<Regime> {
    let mut found = None;
    for value in values {
        if found.is_some_and(|known| known != value) {
            return None;
        }
        found = Some(value);
    }
    found
}

/// Of several laws named together, the special one; `None` when they do not go together.
fn special(laws: &[Regime]) -> Option<Regime> {
    let all_in = |allowed: [Regime; 2]| laws.iter().all(|regime| allowed.contains(regime));
    [
        [Regime::Lei10520, Regime::Lei8666],
        [Regime::Lei12462, Regime::Lei8666],
        // A state company may buy by pregão (Lei 13.303/2016, art. 32, IV).
        [Regime::Lei13303, Regime::Lei10520],
    ]
    .into_iter()
    .find_map(|pair| all_in(pair).then_some(pair[0]))
}

fn waiver_article(article: u32) -> Option<Regime> {
    law().bare_articles.iter().find(|row| row.articles.contains(&article)).map(|row| row.regime)
}

#[derive(Default)]
struct Basis {
    laws: Vec<Regime>,
    articles: Vec<u32>,
    names_an_act: bool,
    names_an_emergency_law: bool,
}

/// Words behind which a number is not yet out of reach of the word *lei*.
const BETWEEN: [&str; 14] =
    ["c", "com", "combinado", "da", "das", "de", "e", "federal", "licitacoes", "n", "no", "nr", "num", "numero"];

/// Words that name an act.
const ACTS: [&str; 18] = [
    "acordao",
    "ato",
    "complementar",
    "constituicao",
    "decreto",
    "in",
    "instrucao",
    "lc",
    "lei",
    "leis",
    "medida",
    "mp",
    "norma",
    "parecer",
    "portaria",
    "regimento",
    "regulamento",
    "resolucao",
];

fn read_basis(folded: &str) -> Basis {
    let mut basis = Basis::default();
    let mut behind_lei = false;
    let mut behind_article = false;
    let mut before = "";
    let mut rest = folded;
    while let Some((token, tail)) = next_token(rest) {
        rest = tail;
        match token {
            Token::Word(word) => {
                basis.names_an_act |= ACTS.contains(&word);
                behind_lei = match word {
                    "lei" | "leis" | "l" => before != "decreto",
                    _ => behind_lei && BETWEEN.contains(&word),
                };
                behind_article = matches!(word, "art" | "arts" | "artigo" | "artigos");
                before = word;
            }
            Token::Number(digits, year) => {
                let number: u32 = digits.parse().unwrap_or(u32::MAX);
                if behind_article && number < 1000 {
                    basis.articles.push(number);
                    behind_lei = false;
                } else if number >= 1000 {
                    basis.note_act(&digits, number, year, behind_lei);
                } else {
                    behind_lei = false;
                }
                behind_article = false;
                before = "";
            }
        }
    }
    basis
}

impl Basis {
    /// Takes a number of four digits or more, which is a law's, or keeps the text from being read as bare articles.
    fn note_act(&mut self, digits: &str, number: u32, year: Option<u32>, behind_lei: bool) {
        self.names_an_act = true;
        let is = |known: u32, of: u32| match year {
            Some(year) => known == number && year == of,
            None => behind_lei && (known == number || is_glued(digits, known, of)),
        };
        self.names_an_emergency_law |= law().emergency.iter().any(|row| is(row.number, row.year));
        if let Some(row) = law().regimes.iter().find(|row| is(row.number, row.year))
            && !self.laws.contains(&row.code)
        {
            self.laws.push(row.code);
        }
    }
}

/// Whether `digits` are a law's number and year written as one, as in `LEI 866693`.
fn is_glued(digits: &str, number: u32, year: u32) -> bool {
    let rest = digits.strip_prefix(number.to_string().as_str()).and_then(|rest| rest.parse::<u32>().ok());
    digits.len() > 5 && rest.is_some_and(|rest| full_year(rest) == year)
}

/// `93` is 1993 and `21` is 2021.
const fn full_year(year: u32) -> u32 {
    match year {
        0..50 => 2000 + year,
        50..100 => 1900 + year,
        _ => year,
    }
}

enum Token<'a> {
    Word(&'a str),
    /// The digits without dots, and the year behind a slash or hyphen.
    Number(String, Option<u32>),
}

/// The next word or number of a folded text, and what follows it.
fn next_token(text: &str) -> Option<(Token<'_>, &str)> {
    let start = text.find(|c: char| c.is_ascii_alphanumeric())?;
    let text = &text[start..];
    if text.as_bytes()[0].is_ascii_alphabetic() {
        let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
        return Some((Token::Word(&text[..end]), &text[end..]));
    }
    let (digits, tail) = split_number(text);
    let behind = tail.trim_start();
    let year = behind.strip_prefix(['/', '-']).map(str::trim_start).and_then(|behind| {
        let end = behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len());
        let year: u32 = behind[..end].parse().ok()?;
        matches!(end, 2 | 4).then(|| (full_year(year), &behind[end..]))
    });
    Some(match year {
        Some((year, tail)) => (Token::Number(digits, Some(year)), tail),
        None => (Token::Number(digits, None), tail),
    })
}

/// Digits, with dots between them dropped: `14.133` is `14133`, and the dot in `art. 24.` ends the number.
fn split_number(text: &str) -> (String, &str) {
    let bytes = text.as_bytes();
    let mut digits = String::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if byte.is_ascii_digit() {
            digits.push(char::from(*byte));
        } else if *byte != b'.' || !bytes.get(at + 1).is_some_and(u8::is_ascii_digit) {
            break;
        }
        at += 1;
    }
    (digits, &text[at..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::law::tests::on;
    use proptest::prelude::*;

    fn check(expected: Option<Regime>, texts: &[&str]) {
        for text in texts {
            assert_eq!(Regime::from_legal_basis(text), expected, "{text}");
        }
    }

    #[test]
    fn a_stated_law_is_read_in_all_its_spellings() {
        check(
            Some(Regime::Lei14133),
            &[
                "Lei 14.133/2021, Art. 28, I",
                "Lei nº 14.133, de 1º de abril de 2021",
                "LEI FEDERAL N. 14133/21",
                "Art. 75, II, L. 14.133/2021",
                "14.133/2021",
            ],
        );
        check(
            Some(Regime::Lei8666),
            &[
                "LEI 8.666/93",
                "Lei n\u{1A} 8.666/93 e suas altera\u{1A}\u{1A}es",
                "8666/93",
                "ART 24 DA LEI 866693, RPR 06/96 ART 1\u{1A} INCISO III",
                "ARTIGO 23 INCISO II ALINEA C DA LEI 8666 DE 21/06/1993 E ALTERACOES POSTERIORES",
                "Art. 24, inciso X, da Lei n. 8.666/93, alterada pela Lein. 8.883/94.",
                "24/II da Lei 8.666/93",
                "Lei 8.666 / 1993",
            ],
        );
        check(Some(Regime::Lei10520), &["Lei 10.520/2002", "Lei 10520-02", "Lei nº 10.520, de 17 de julho de 2002"]);
        check(Some(Regime::Lei12462), &["RDC - Lei 12.462/2011, art. 1"]);
        check(Some(Regime::Lei13303), &["Lei 13.303/2016, Art. 29, II", "lei 13303/16"]);
    }

    #[test]
    fn the_waivers_article_is_enough_when_no_act_is_named() {
        check(Some(Regime::Lei14133), &["Art. 75, II", "Artigo 74, caput", "art.75 inc. I"]);
        check(Some(Regime::Lei8666), &["Fundamento Legal: Artigo 24 Inciso II", "Art. 24º, XXII", "ARTIGO 25"]);
        check(None, &["Art. 28, I", "Art. 22, Parágrafo 3", "Art. 24, II c/c art. 75, II", "Inciso X"]);
    }

    #[test]
    fn a_special_law_stands_before_the_one_that_fills_its_gaps() {
        check(Some(Regime::Lei10520), &["Leis 10.520/2002 e 8.666/1993", "Lei 8.666/93 c/c Lei 10.520/02"]);
        check(Some(Regime::Lei12462), &["Lei 12.462/2011 e Lei 8.666/93"]);
        check(Some(Regime::Lei13303), &["Lei 13.303/2016 e Lei 10.520/2002"]);
        check(None, &["Lei 14.133/2021, art. 191, e Lei 8.666/93", "Leis 13.303/2016, 10.520/2002 e 8.666/93"]);
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        check(
            None,
            &[
                "",
                "11111111111",
                "Sem informação",
                "Lei 14.981/2024,  art. 2º, II (Calamidade pública)",
                "Lei 13.979/2020, art. 4, e Lei 8.666/93",
                "Art. 23, inciso IV, do Decreto-Lei n. 2.300/86",
                "Decreto-Lei 8.666",
                "Art. 24 do Decreto 10.024/2019",
                "Art. 24 do Regulamento de Compras",
                "Lei Municipal 8.666/2005",
                "Lei 8.6663/94",
                "Processo 8666",
                "Lei 11.947/2009, art. 14",
            ],
        );
    }

    #[test]
    fn by_date_the_overlap_has_no_answer() {
        for (day, expected) in [
            ("1993-06-21", None),
            ("1993-06-22", Some(Regime::Lei8666)),
            ("2021-03-31", Some(Regime::Lei8666)),
            ("2021-04-01", None),
            ("2022-07-01", None),
            ("2023-12-29", None),
            ("2023-12-30", Some(Regime::Lei14133)),
            ("2026-11-01", Some(Regime::Lei14133)),
        ] {
            assert_eq!(regime_by_date(on(day)), expected, "{day}");
        }
    }

    #[test]
    fn codes_rows_and_json_agree() {
        for regime in Regime::ALL {
            assert_eq!(serde_json::to_string(&regime).unwrap(), format!("\"{}\"", regime.code()));
            assert_eq!(Regime::from_code(regime.code()), Some(regime));
            assert_eq!(regime.code(), format!("lei_{}", regime.row().number));
            assert_eq!(Regime::from_legal_basis(&regime.to_string()), Some(regime));
        }
        assert_eq!(Regime::from_code("lei_1"), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}|(lei|art|/|-|[0-9.]{1,8}| ){0,12}") {
            let _ = Regime::from_legal_basis(&text);
        }
    }
}
