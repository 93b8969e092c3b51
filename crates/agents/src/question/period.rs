//! Periods as people say them: years, months, parts of a year, days, and the time before today.

use chrono::{Datelike, Days, Months, NaiveDate};

use super::Reader;

/// The first and the last day of something, and behind which word it ends.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: NaiveDate,
    to: NaiveDate,
    end: usize,
    /// It named its year.
    has_year: bool,
}

const MONTHS: [&str; 12] = [
    "janeiro",
    "fevereiro",
    "marco",
    "abril",
    "maio",
    "junho",
    "julho",
    "agosto",
    "setembro",
    "outubro",
    "novembro",
    "dezembro",
];

/// The number of a month, by its name or its first three letters.
pub(super) fn month(word: &str) -> Option<u32> {
    let at = MONTHS.iter().position(|name| *name == word || (word.len() == 3 && name.starts_with(word)))?;
    Some(at as u32 + 1)
}

fn month_by_name(word: &str) -> Option<u32> {
    month(word).filter(|_| word.len() > 3 || word != "set")
}

fn day(year: i32, month: u32, day: u32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(year, month, day)
}

/// From the first of a month through the last of so many.
fn months(year: i32, first: u32, count: u32) -> Option<(NaiveDate, NaiveDate)> {
    let from = day(year, first, 1)?;
    Some((from, from.checked_add_months(Months::new(count))?.checked_sub_days(Days::new(1))?))
}

fn small_number(word: &str) -> Option<u32> {
    const WORDS: [&str; 13] =
        ["zero", "um", "dois", "tres", "quatro", "cinco", "seis", "sete", "oito", "nove", "dez", "onze", "doze"];
    match word {
        "uma" => Some(1),
        "duas" => Some(2),
        _ => WORDS.iter().position(|name| *name == word).map(|n| n as u32).or_else(|| word.parse().ok()),
    }
}

fn ordinal(word: &str) -> Option<u32> {
    Some(match word {
        "primeiro" | "1o" | "1" | "1°" | "i" => 1,
        "segundo" | "2o" | "2" | "2°" | "ii" => 2,
        "terceiro" | "3o" | "3" | "iii" => 3,
        "quarto" | "4o" | "4" | "iv" => 4,
        "quinto" | "5o" | "5" => 5,
        "sexto" | "6o" | "6" => 6,
        "ultimo" => u32::MAX,
        _ => return None,
    })
}

fn part_of_year(word: &str) -> Option<u32> {
    Some(match word {
        "semestre" | "sem" => 6,
        "quadrimestre" => 4,
        "trimestre" | "tri" | "trim" => 3,
        "bimestre" => 2,
        _ => return None,
    })
}

impl Reader<'_> {
    pub(super) fn read_periods(&mut self) {
        let mut at = 0;
        while at < self.words.len() {
            at = match self.period_at(at) {
                Some((begin, end, from, to)) => {
                    let filter = match (from, to) {
                        (Some(_), None) => "from",
                        (None, Some(_)) => "to",
                        _ => "period",
                    };
                    let value = [from, to].iter().flatten().map(ToString::to_string).collect::<Vec<_>>().join("/");
                    self.take(begin, end, filter, value);
                    let first = self.scope.from.is_none() && self.scope.to.is_none();
                    self.scope.from = if first { from } else { from.min(self.scope.from) };
                    self.scope.to = if first { to } else { to.and_then(|to| self.scope.to.map(|old| old.max(to))) };
                    end
                }
                None => at + 1,
            };
        }
    }

    /// A period that begins here, with the words that say on which side it is open.
    #[allow(clippy::type_complexity, reason = "where it begins and ends, in words and in days")]
    fn period_at(&self, at: usize) -> Option<(usize, usize, Option<NaiveDate>, Option<NaiveDate>)> {
        let (word, next) = (self.folded(at), self.folded(at + 1));
        if self.words[at].taken {
            return None;
        }
        let open = match (word, next) {
            ("desde", _) => Some((at + 1, "from")),
            ("a", "partir") => Some((at + 3, "from")),
            ("apos", _) => Some((at + 1, "after")),
            ("depois", "de") | ("posterior" | "posteriores", "a") => Some((at + 2, "after")),
            ("antes", "de") | ("anterior" | "anteriores", "a") => Some((at + 2, "before")),
            ("ate", _) => Some((at + 1, "to")),
            _ => None,
        };
        if let Some((begin, side)) = open {
            let span = self.span_at(self.behind_article(begin))?;
            if side == "from"
                && let Some(last) = self.joined_by(span.end, &["ate", "a"])
            {
                return Some((at, last.end, Some(span.from), Some(last.to)));
            }
            return Some(match side {
                "from" => (at, span.end, Some(span.from), None),
                "after" => (at, span.end, span.to.succ_opt(), None),
                "before" => (at, span.end, None, span.from.pred_opt()),
                _ => (at, span.end, None, Some(span.to)),
            });
        }
        let begin = if word == "entre" { self.behind_article(at + 1) } else { at };
        if matches!(word, "de" | "em" | "do" | "no" | "da" | "na") {
            // What joins is no part of what is taken, unless a range stands behind it.
            return None;
        }
        let span = self.span_at(begin)?;
        if self.folded(span.end) == "em" && self.folded(span.end + 1) == "diante" {
            return Some((at, span.end + 2, Some(span.from), None));
        }
        if let Some(last) = self.joined_by(span.end, &["a", "ate", "ao", "e"]) {
            // `entre março e junho de 2024`: the year of the second is that of the first.
            let from = if span.has_year { span.from } else { span.from.with_year(last.to.year()).unwrap_or(span.from) };
            return (from <= last.to).then_some((at, last.end, Some(from), Some(last.to)));
        }
        (word != "entre").then_some((at, span.end, Some(span.from), Some(span.to)))
    }

    fn behind_article(&self, at: usize) -> usize {
        let mut at = at;
        while matches!(self.folded(at), "o" | "os" | "a" | "as" | "de" | "do" | "da" | "dia" | "ano")
            && self.span_at(at).is_none()
        {
            at += 1;
        }
        at
    }

    fn joined_by(&self, at: usize, by: &[&str]) -> Option<Span> {
        if !by.contains(&self.folded(at)) || self.words.get(at - 1).is_some_and(|word| word.ends) {
            return None;
        }
        self.span_at(self.behind_article(at + 1))
    }

    fn span_at(&self, at: usize) -> Option<Span> {
        let word = self.words.get(at).filter(|word| !word.taken && word.quoted.is_none())?;
        self.exact_day(at)
            .or_else(|| self.before_today(at))
            .or_else(|| self.part(at))
            .or_else(|| self.whole_month(at))
            .or_else(|| self.whole_year(at, &word.folded))
    }

    /// `15/03/2024`, `2024-03-15`, `15 de março de 2024`, `1º de janeiro` with the year of what follows.
    fn exact_day(&self, at: usize) -> Option<Span> {
        let text = self.folded(at);
        let plain = text.replace(['.', '-'], "/");
        let parts: Vec<&str> = plain.split('/').collect();
        let only = |day: NaiveDate, end, has_year| Some(Span { from: day, to: day, end, has_year });
        if let [a, b, c] = parts[..] {
            let numbers = [a, b, c].map(|part| part.parse::<u32>().ok().filter(|_| part.len() <= 4));
            let [Some(x), Some(y), Some(z)] = numbers else { return None };
            let (year, month, of_month) =
                if a.len() == 4 { (x, y, z) } else { (if z < 100 { 2000 + z } else { z }, y, x) };
            return only(day(self.known_year(i32::try_from(year).ok()?)?, month, of_month)?, at + 1, true);
        }
        let of_month = text.trim_end_matches('o').parse::<u32>().ok().filter(|n| (1..=31).contains(n))?;
        if self.folded(at + 1) != "de" {
            return None;
        }
        let month = month_by_name(self.folded(at + 2))?;
        let (year, end) = self.year_behind(at + 3);
        only(day(year.unwrap_or(self.today.year()), month, of_month)?, end, year.is_some())
    }

    /// `ano passado`, `últimos 12 meses`.
    fn before_today(&self, at: usize) -> Option<Span> {
        let (word, next) = (self.folded(at), self.folded(at + 1));
        let today = self.today;
        let whole = |year: i32, end| Some(Span { from: day(year, 1, 1)?, to: day(year, 12, 31)?, end, has_year: true });
        let month_ago = |ago: u32, end| {
            let then = today.checked_sub_months(Months::new(ago))?;
            let (from, to) = months(then.year(), then.month(), 1)?;
            Some(Span { from, to, end, has_year: true })
        };
        match (word, next) {
            ("ano", "passado" | "anterior") => whole(today.year() - 1, at + 2),
            ("ano", "retrasado") => whole(today.year() - 2, at + 2),
            ("este" | "neste" | "deste" | "nesse" | "desse", "ano") => whole(today.year(), at + 2),
            ("ano", "atual" | "corrente") => whole(today.year(), at + 2),
            ("mes", "passado" | "anterior") => month_ago(1, at + 2),
            ("este" | "neste" | "deste" | "nesse" | "desse", "mes") => month_ago(0, at + 2),
            ("hoje", _) => Some(Span { from: today, to: today, end: at + 1, has_year: true }),
            ("ontem", _) => today.pred_opt().map(|day| Span { from: day, to: day, end: at + 1, has_year: true }),
            ("ultimos" | "ultimas" | "ultimo", _) => {
                let count = small_number(next);
                let end = at + 1 + usize::from(count.is_some());
                let count = count.or((word == "ultimo").then_some(1)).filter(|count| *count > 0)?.min(1_000);
                let begin = match self.folded(end) {
                    "ano" | "anos" => today.checked_sub_months(Months::new(count.checked_mul(12)?))?,
                    "mes" | "meses" => today.checked_sub_months(Months::new(count))?,
                    "semana" | "semanas" => today.checked_sub_days(Days::new(u64::from(count) * 7))?,
                    "dia" | "dias" => today.checked_sub_days(Days::new(count.into()))?,
                    _ => return None,
                };
                Some(Span { from: begin.succ_opt()?, to: today, end: end + 1, has_year: true })
            }
            _ => None,
        }
    }

    /// `primeiro semestre de 2023`, `3o trimestre deste ano`.
    fn part(&self, at: usize) -> Option<Span> {
        let (nth, length) = (ordinal(self.folded(at))?, part_of_year(self.folded(at + 1))?);
        let count = 12 / length;
        let nth = if nth == u32::MAX { count } else { nth };
        let (year, end) = self.year_behind(at + 2);
        let (from, to) = months(year?, (nth.checked_sub(1)?) * length + 1, length).filter(|_| nth <= count)?;
        Some(Span { from, to, end, has_year: true })
    }

    /// `março de 2024`, `jan/24`, `03/2024`; a month alone is the last that has begun.
    fn whole_month(&self, at: usize) -> Option<Span> {
        let text = self.folded(at);
        if let Some((name, year)) = text.split_once(['/', '-']) {
            let numbered = at > 0
                && matches!(
                    self.folded(at - 1),
                    "contrato"
                        | "pregao"
                        | "edital"
                        | "no"
                        | "n"
                        | "nr"
                        | "processo"
                        | "numero"
                        | "dispensa"
                        | "lei"
                        | "decreto"
                );
            let number = name
                .parse::<u32>()
                .ok()
                .filter(|n| name.len() <= 2 && !numbered && (1..=12).contains(n) && year.len() == 4);
            let month = month(name).or(number)?;
            let year = year.parse::<i32>().ok().filter(|_| year.len() == 2 || year.len() == 4)?;
            let year = self.known_year(if year < 100 { 2000 + year } else { year })?;
            let (from, to) = months(year, month, 1)?;
            return Some(Span { from, to, end: at + 1, has_year: true });
        }
        let month = month_by_name(text)?;
        if at > 1 && self.folded(at - 1) == "de" && self.folded(at - 2) == "rio" {
            return None;
        }
        let (year, end) = self.year_behind(at + 1);
        if year.is_none() && text.len() == 3 {
            return None;
        }
        let last = if month <= self.today.month() { self.today.year() } else { self.today.year() - 1 };
        let (from, to) = months(year.unwrap_or(last), month, 1)?;
        Some(Span { from, to, end, has_year: year.is_some() })
    }

    fn whole_year(&self, at: usize, text: &str) -> Option<Span> {
        if let Some((first, last)) = text.split_once(['-', '/', '–'])
            && let (Some(first), Some(last)) = (self.year(first), self.year(last))
            && first <= last
        {
            return Some(Span { from: day(first, 1, 1)?, to: day(last, 12, 31)?, end: at + 1, has_year: true });
        }
        let year = self.year(text)?;
        // Only money has such a number before it.
        let money = matches!(self.folded(at + 1), "reais" | "mil" | "milhoes" | "milhao")
            || (at > 0 && self.folded(at - 1) == "r$");
        (!money).then_some(Span { from: day(year, 1, 1)?, to: day(year, 12, 31)?, end: at + 1, has_year: true })
    }

    fn year(&self, text: &str) -> Option<i32> {
        let year = text.parse::<i32>().ok().filter(|_| text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit()))?;
        self.known_year(year)
    }

    fn known_year(&self, year: i32) -> Option<i32> {
        (1990..=2100).contains(&year).then_some(year)
    }

    /// The year that stands here, perhaps behind `de` or `deste`; and where it ends.
    fn year_behind(&self, at: usize) -> (Option<i32>, usize) {
        let mut begin = at;
        while matches!(self.folded(begin), "de" | "do" | "em") {
            begin += 1;
        }
        if let Some(year) = self.year(self.folded(begin)) {
            return (Some(year), begin + 1);
        }
        if self.folded(begin).is_empty() {
            return (None, at);
        }
        let said = self
            .before_today(begin)
            .filter(|span| (span.from.ordinal() == 1 && span.to.month() == 12) && self.folded(span.end - 1) != "anos");
        said.map_or((None, at), |span| (Some(span.from.year()), span.end))
    }
}
