//! Ranges of money: `acima de R$ 1 milhão`, `entre 50 e 80 mil reais`.

use model::Money;

use super::Reader;

/// An amount, and behind which word it ends.
#[derive(Debug, Clone, Copy)]
struct Amount {
    /// Ten-thousandths of a real, before the scale.
    scaled: i64,
    factor: i64,
    /// It was said to be money.
    is_money: bool,
    end: usize,
}

impl Amount {
    fn value(self) -> Option<i64> {
        self.scaled.checked_mul(self.factor)
    }
}

fn factor(word: &str) -> Option<i64> {
    Some(match word {
        "mil" | "k" => 1_000,
        "milhao" | "milhoes" | "mi" | "m" | "mm" => 1_000_000,
        "bilhao" | "bilhoes" | "bi" => 1_000_000_000,
        _ => return None,
    })
}

fn number_word(word: &str) -> Option<i64> {
    Some(match word {
        "um" => 1,
        "dois" => 2,
        "tres" => 3,
        "quatro" => 4,
        "cinco" => 5,
        "seis" => 6,
        "sete" => 7,
        "oito" => 8,
        "nove" => 9,
        "dez" => 10,
        "vinte" => 20,
        "trinta" => 30,
        "quarenta" => 40,
        "cinquenta" => 50,
        "cem" => 100,
        "duzentos" => 200,
        "trezentos" => 300,
        "quinhentos" => 500,
        _ => return None,
    })
}

fn text_of(scaled: i64) -> String {
    format!("{}.{:04}", scaled / 10_000, scaled % 10_000)
}

impl Reader<'_> {
    pub(super) fn read_amounts(&mut self) {
        let mut at = 0;
        while at < self.words.len() {
            let read = if self.words[at].taken { None } else { self.range_at(at) };
            let Some((end, least, most)) = read else {
                at += 1;
                continue;
            };
            let set = (least.is_some() && self.scope.value_min.is_some())
                || (most.is_some() && self.scope.value_max.is_some());
            if set {
                self.leave(at, end, super::Because::Second);
            } else {
                let (least, most) = (least.map(text_of), most.map(text_of));
                let filter = match (&least, &most) {
                    (Some(_), Some(_)) => "value",
                    (Some(_), None) => "value_min",
                    _ => "value_max",
                };
                let value = [&least, &most].into_iter().flatten().cloned().collect::<Vec<_>>().join("/");
                self.take(at, end, filter, value);
                self.scope.value_min = least.or(self.scope.value_min.take());
                self.scope.value_max = most.or(self.scope.value_max.take());
            }
            at = end;
        }
    }

    /// A range that begins here: its end, the least, the most.
    fn range_at(&self, at: usize) -> Option<(usize, Option<i64>, Option<i64>)> {
        if let Some((begin, is_least)) = self.side_at(at) {
            let amount = self.amount_at(begin)?;
            let value = amount.value().filter(|_| amount.is_money)?;
            return Some(if is_least { (amount.end, Some(value), None) } else { (amount.end, None, Some(value)) });
        }
        let said = matches!(self.folded(at), "entre" | "de");
        let begin = at + usize::from(said);
        let first = self.amount_at(begin)?;
        if matches!(self.folded(first.end), "e" | "a" | "ate")
            && let Some(last) = self.amount_at(first.end + 1)
            && (first.is_money || last.is_money)
            && !self.words[first.end - 1].ends
        {
            // `entre 50 e 80 mil`: both are thousands.
            let first = if first.factor == 1 && first.scaled < 10_000_000 {
                Amount { factor: last.factor, ..first }
            } else {
                first
            };
            let (least, most) = (first.value()?, last.value()?);
            return (least <= most).then_some((last.end, Some(least), Some(most)));
        }
        // An amount alone is that amount, if it is said to be one.
        let value = first.value()?;
        (first.is_money && !said && !self.is_about(at)).then_some((first.end, Some(value), Some(value)))
    }

    /// `cerca de` and the like say no bound.
    fn is_about(&self, at: usize) -> bool {
        let before = |n: usize| at.checked_sub(n).map_or("", |at| self.folded(at));
        matches!(before(1), "uns" | "umas" | "aproximadamente" | "quase")
            || matches!((before(2), before(1)), ("cerca" | "torno", "de"))
    }

    /// Words that bound: where the amount begins, and whether it is the least.
    fn side_at(&self, at: usize) -> Option<(usize, bool)> {
        let word = |n: usize| self.folded(at + n);
        Some(match (word(0), word(1), word(2)) {
            ("acima" | "mais" | "alem", "de", _) => (at + 2, true),
            ("mais" | "maior" | "maiores" | "superior" | "superiores", "que" | "a", _) => (at + 2, true),
            ("maior" | "maiores" | "mais", "do", "que") => (at + 3, true),
            ("a", "partir", "de") => (at + 3, true),
            ("pelo", "menos", _) => (at + 2, true),
            ("no", "minimo", "de") => (at + 3, true),
            ("no", "minimo", _) => (at + 2, true),
            ("passa" | "passam" | "passem", "de", _) => (at + 2, true),
            ("abaixo" | "menos" | "inferior" | "inferiores", "de" | "a", _) => (at + 2, false),
            ("menor" | "menores" | "menos", "que", _) => (at + 2, false),
            ("menor" | "menores" | "menos", "do", "que") => (at + 3, false),
            ("no", "maximo", _) => (at + 2, false),
            ("de", "ate", _) => (at + 2, false),
            ("ate", ..) => (at + 1, false),
            _ => return None,
        })
    }

    fn amount_at(&self, at: usize) -> Option<Amount> {
        let mut at = at;
        let mut is_money = false;
        if self.folded(at) == "r$" {
            (at, is_money) = (at + 1, true);
        }
        let word = self.words.get(at).filter(|word| !word.taken && word.quoted.is_none())?.folded.clone();
        let text = word.strip_prefix("r$").unwrap_or(&word);
        is_money |= text.len() < word.len();
        let half = text == "meio" || text == "meia";
        let digits = text.find(|c: char| c.is_alphabetic()).map_or(text, |at| &text[..at]);
        let tail = &text[digits.len()..];
        let scaled = match () {
            () if half => 5_000,
            () if digits.is_empty() => number_word(text)?.checked_mul(10_000)?,
            () => Money::parse_br(digits).ok()?.scaled(),
        };
        let mut end = at + 1;
        let mut times = 1;
        if !digits.is_empty() && !tail.is_empty() {
            times = factor(tail)?;
        } else if let Some(found) = factor(self.folded(end)).filter(|_| !self.words[at].ends) {
            (times, end) = (found, end + 1);
        } else if half || digits.is_empty() {
            return None;
        }
        let mut scaled = scaled;
        if times > 1 && self.folded(end) == "e" && self.folded(end + 1) == "meio" {
            (scaled, end) = (scaled.checked_add(5_000)?, end + 2);
        }
        is_money |= times > 1 || (digits.contains([',', '.']) && !digits.contains('/'));
        // Four digits may be a year, three a number of anything.
        is_money |= digits.len() >= 5;
        if self.folded(end) == "de" && self.folded(end + 1) == "reais" {
            end += 1;
        }
        if self.folded(end) == "reais" {
            (end, is_money) = (end + 1, true);
        }
        (scaled >= 0).then_some(Amount { scaled, factor: times, is_money, end })
    }
}
