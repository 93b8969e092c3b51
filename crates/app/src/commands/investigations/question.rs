//! A question in Portuguese becomes filters, by simple rules; what it does not understand it says.
//!
//! In this order: CNPJs, amounts, years and days, modalities, flags, states, municipalities and buyers that are held; what is
//! left is sought in the objects of contracts, and else was not understood. A question of which nothing was understood is
//! refused: what is asked about everything would be another question.

use chrono::NaiveDate;
use model::{Cnpj, Money};
use serde_json::{Value, json};
use store::{BuyerFilter, ContractFilter};

use super::{Asked, RunOptions, Scope};
use crate::queries::{modality, state};
use crate::{App, Error, Result};

/// The most buyers that a name may stand for.
const BUYERS_MAX: usize = 10;
/// The longest name of a buyer that is sought, in words.
const NAME_WORDS_MAX: usize = 8;

/// Words that ask, join, or name what everything here is.
const EMPTY: &str = "a as o os e ou de da das do dos em na nas no nos para por com sem um uma ao aos que se pela pelo pelas pelos \
    qual quais quem onde quando como ha houve existe existem tem foi foram sao era mostre mostrar liste listar \
    procure procurar investigue investigar veja ver encontre encontrar analise analisar contrato contratos compra \
    compras contratacao contratacoes licitacao licitacoes gasto gastos despesa despesas sinal sinais achado \
    achados suspeita suspeitas suspeito suspeitos irregularidade irregularidades indicio indicios problema \
    problemas ano anos entre desde ate durante sobre feitos feitas todos todas estado municipio cidade orgao \
    fornecedor empresa r$ reais cnpj parece parecem";

/// Words (folded, by their beginning) that name flags.
const FLAG_WORDS: &[(&str, &[&str])] = &[
    ("sancionad", &["BR01", "BR15"]),
    ("impedid", &["BR01"]),
    ("inidone", &["BR01"]),
    ("fracion", &["BR02", "BR03"]),
    ("aditivo", &["BR04"]),
    ("sobrepreco", &["BR05"]),
    ("superfatura", &["BR05"]),
    ("preco", &["BR05"]),
    ("licitante", &["BR06", "BR16"]),
    ("prazo", &["BR07"]),
    ("recem", &["BR08"]),
    ("concentracao", &["BR11"]),
    ("concentrad", &["BR11"]),
    ("lacos", &["BR14"]),
    ("conluio", &["BR14", "BR16", "BR17", "BR18"]),
    ("cartel", &["BR14", "BR16", "BR17", "BR18"]),
    ("carteis", &["BR14", "BR16", "BR17", "BR18"]),
    ("rodizio", &["BR17"]),
    ("duplicad", &["BR19"]),
    ("repetid", &["BR13", "BR19"]),
    ("redond", &["BR24"]),
    ("benford", &["BR25"]),
    ("vago", &["BR26"]),
    ("atraso", &["BR23"]),
];

/// Words (folded, by their beginning) that name modalities.
const MODALITY_WORDS: &[(&str, &str)] = &[
    ("preg", "pregao"),
    ("concorrencia", "concorrencia"),
    ("dispensa", "dispensa"),
    ("inexigibilidade", "inexigibilidade"),
    ("convite", "convite"),
    ("leilao", "leilao"),
    ("credenciamento", "credenciamento"),
];

/// A word of the question.
struct Word {
    as_written: String,
    folded: String,
    taken: bool,
}

/// What is read so far.
struct Reader<'a> {
    app: &'a App,
    words: Vec<Word>,
    scope: Scope,
    flags: Vec<String>,
    understood: Vec<Value>,
}

impl App {
    /// The filters that a question's words become.
    ///
    /// # Errors
    /// `Invalid` when nothing was understood; the database cannot be read.
    pub(super) fn read_question(&self, question: &str) -> Result<Asked> {
        let mut reader = Reader::new(self, question);
        reader.read_cnpjs()?;
        reader.read_amounts();
        reader.read_days();
        reader.read_codes()?;
        reader.read_places()?;
        reader.read_buyers()?;
        reader.read_objects()?;
        let not_understood: Vec<String> =
            reader.words.iter().filter(|word| word.is_left()).map(|word| word.as_written.clone()).collect();
        let scope = reader.scope.checked(self)?;
        if scope.is_everything() && reader.flags.is_empty() {
            let because = format!("nothing of it became a filter; not understood: {}", not_understood.join(" "));
            return Err(Error::invalid("question", because));
        }
        reader.flags.sort();
        reader.flags.dedup();
        let (flags, understood) = (reader.flags, reader.understood);
        Ok(Asked {
            question: None,
            scope,
            flags,
            as_of: None,
            known_at: None,
            understood,
            not_understood,
            run: RunOptions::default(),
        })
    }
}

impl Word {
    /// Nobody took it, and it says something.
    fn is_left(&self) -> bool {
        !self.taken && !self.folded.is_empty() && EMPTY.split(' ').all(|word| word != self.folded)
    }
}

impl<'a> Reader<'a> {
    fn new(app: &'a App, question: &str) -> Self {
        let inner = |c: char| !c.is_alphanumeric() && c != '$';
        let words = question.split_whitespace().map(|word| word.trim_matches(inner)).filter(|word| !word.is_empty());
        let words = words
            .map(|word| Word {
                as_written: word.to_owned(),
                folded: model::text::fold(word).to_lowercase(),
                taken: false,
            })
            .collect();
        Self { app, words, scope: Scope::default(), flags: Vec::new(), understood: Vec::new() }
    }

    /// Takes words and says what they became.
    fn take(&mut self, from: usize, to: usize, filter: &str, value: impl Into<Value>) {
        let words: Vec<&str> = self.words[from..to].iter().map(|word| word.as_written.as_str()).collect();
        self.understood.push(json!({"words": words.join(" "), "as": filter, "value": value.into()}));
        for word in &mut self.words[from..to] {
            word.taken = true;
        }
    }

    fn folded(&self, at: usize) -> &str {
        self.words.get(at).map_or("", |word| word.folded.as_str())
    }

    fn read_cnpjs(&mut self) -> Result<()> {
        for at in 0..self.words.len() {
            if let Ok(cnpj) = Cnpj::parse(&self.words[at].as_written) {
                let id = format!("cnpj:{cnpj}");
                // One that sells nothing here stays among what was not understood.
                if self.app.store().supplier(&id)?.is_some() {
                    self.take(at, at + 1, "suppliers", id.clone());
                    self.scope.suppliers.push(id);
                }
            }
        }
        Ok(())
    }

    /// `acima de R$ 50.000,00`, `até 2 milhões`.
    fn read_amounts(&mut self) {
        for at in 0..self.words.len() {
            let least = matches!((self.folded(at), self.folded(at + 1)), ("acima" | "mais" | "maiores", "de" | "que"))
                || (self.folded(at) == "maior" && matches!(self.folded(at + 1), "que"));
            let most = matches!((self.folded(at), self.folded(at + 1)), ("abaixo" | "menos" | "menores", "de" | "que"));
            let (filter, mut next) = match (least, most, self.folded(at)) {
                (true, ..) => ("value_min", at + 2),
                (_, true, _) => ("value_max", at + 2),
                (.., "ate") => ("value_max", at + 1),
                _ => continue,
            };
            let mut said_reais = self.folded(next) == "r$";
            next += usize::from(said_reais);
            let number = self.folded(next).trim_start_matches("r$").to_owned();
            said_reais |= number.len() < self.folded(next).len();
            let Ok(amount) = Money::parse_br(&number) else { continue };
            let factor = match self.folded(next + 1) {
                "mil" => 1_000,
                "milhao" | "milhoes" => 1_000_000,
                "bilhao" | "bilhoes" => 1_000_000_000,
                _ => 1,
            };
            let mut end = next + 1 + usize::from(factor > 1);
            said_reais |= factor > 1 || number.contains(['.', ',']);
            if self.folded(end) == "de" && self.folded(end + 1) == "reais" {
                end += 1;
            }
            if self.folded(end) == "reais" {
                (end, said_reais) = (end + 1, true);
            }
            // `até 2024` is a year.
            let Some(scaled) = amount.scaled().checked_mul(factor).filter(|_| said_reais) else { continue };
            let value = format!("{}.{:04}", scaled / 10_000, scaled % 10_000);
            self.take(at, end, filter, value.clone());
            if filter == "value_min" { self.scope.value_min = Some(value) } else { self.scope.value_max = Some(value) }
        }
    }

    /// Years and days: the first to the last that is named, unless `desde` or `até` says one side only.
    fn read_days(&mut self) {
        let (mut first, mut last): (Option<NaiveDate>, Option<NaiveDate>) = (None, None);
        for at in 0..self.words.len() {
            if self.words[at].taken {
                continue;
            }
            let text = self.words[at].as_written.clone();
            let year = text.parse::<i32>().ok().filter(|year| text.len() == 4 && (1990..=2100).contains(year));
            let day = model::dates::parse_br(&text).or_else(|_| model::dates::parse_iso(&text)).ok();
            let (from, to) = match (year, day) {
                (Some(year), _) => (NaiveDate::from_ymd_opt(year, 1, 1), NaiveDate::from_ymd_opt(year, 12, 31)),
                (None, Some(day)) => (Some(day), Some(day)),
                _ => continue,
            };
            let before = if at > 0 { self.folded(at - 1).to_owned() } else { String::new() };
            let filter = match before.as_str() {
                "desde" => "from",
                "ate" if first.is_none() => "to",
                _ => "period",
            };
            if filter != "to" {
                first = first.min(from).or(first).or(from);
            }
            if filter != "from" {
                last = last.max(to);
            }
            self.take(at, at + 1, filter, text);
        }
        (self.scope.from, self.scope.to) = (first, last);
    }

    /// Flags and modalities, by code and by word.
    fn read_codes(&mut self) -> Result<()> {
        for at in 0..self.words.len() {
            let word = self.folded(at).to_owned();
            if self.words[at].taken {
                continue;
            }
            if let Some(flag) = self.app.catalogue().flag(&self.words[at].as_written) {
                let code = flag.code.clone();
                self.take(at, at + 1, "flags", json!([code]));
                self.flags.push(code);
                continue;
            }
            if let Some((_, code)) = MODALITY_WORDS.iter().find(|(start, _)| word.starts_with(start)) {
                self.scope.modality = Some(modality(code)?.to_owned());
                self.take(at, at + 1, "modality", *code);
                continue;
            }
            if let Some((_, codes)) = FLAG_WORDS.iter().find(|(start, _)| word.starts_with(start)) {
                let known: Vec<String> = codes
                    .iter()
                    .filter(|code| self.app.catalogue().flag(code).is_some())
                    .map(|c| (*c).to_owned())
                    .collect();
                if !known.is_empty() {
                    self.take(at, at + 1, "flags", json!(known));
                    self.flags.extend(known);
                }
            }
        }
        Ok(())
    }

    /// States by their two capital letters, and municipalities that are held.
    fn read_places(&mut self) -> Result<()> {
        for at in 0..self.words.len() {
            let text = &self.words[at].as_written;
            if !self.words[at].taken
                && text.len() == 2
                && text.chars().all(|c| c.is_ascii_uppercase())
                && let Ok(letters) = state(text)
            {
                self.scope.state = Some(letters.to_owned());
                self.take(at, at + 1, "state", letters);
            }
        }
        let held = self.app.store().municipalities()?;
        let held: Vec<(String, Vec<String>)> = held
            .into_iter()
            .map(|(name, _)| {
                let words = model::text::fold(&name).to_lowercase().split_whitespace().map(str::to_owned).collect();
                (name, words)
            })
            .collect();
        for at in 0..self.words.len() {
            let fits = |words: &Vec<String>| {
                let here = self.words[at..].iter().take(words.len());
                !words.is_empty()
                    && here.len() == words.len()
                    && here.zip(words).all(|(here, word)| !here.taken && here.folded == *word)
            };
            let longest = held.iter().filter(|(_, words)| fits(words)).max_by_key(|(_, words)| words.len());
            if let Some((name, words)) = longest {
                self.take(at, at + words.len(), "municipality", name.clone());
                self.scope.municipality = Some(name.clone());
                return Ok(());
            }
        }
        Ok(())
    }

    /// The longest run of words that names a few buyers.
    fn read_buyers(&mut self) -> Result<()> {
        for length in (2..=NAME_WORDS_MAX.min(self.words.len())).rev() {
            for at in 0..=self.words.len() - length {
                let run = &self.words[at..at + length];
                if run.iter().any(|word| word.taken) || run.iter().filter(|word| word.is_left()).count() < 2 {
                    continue;
                }
                let text: Vec<&str> = run.iter().map(|word| word.folded.as_str()).collect();
                let filter = BuyerFilter { q: Some(text.join(" ")), ..BuyerFilter::default() };
                let found = self.app.store().buyers(&filter, store::NameSort::Ascending, None, BUYERS_MAX)?;
                if !found.rows.is_empty() && found.next.is_none() {
                    let ids: Vec<String> = found.rows.into_iter().map(|row| row.id).collect();
                    self.take(at, at + length, "buyers", json!(ids));
                    self.scope.buyers = ids;
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// What stands in the object of some contract, together with what was taken for objects before.
    fn read_objects(&mut self) -> Result<()> {
        let mut sought: Vec<String> = Vec::new();
        for at in 0..self.words.len() {
            if !self.words[at].is_left() {
                continue;
            }
            let mut with = sought.clone();
            with.push(self.folded(at).to_owned());
            let filter = ContractFilter { q: Some(with.join(" ")), ..ContractFilter::default() };
            let found = self.app.store().contracts(&filter, store::ContractSort::NewestFirst, None, 1)?;
            if !found.rows.is_empty() {
                sought = with;
                self.take(at, at + 1, "q", self.folded(at).to_owned());
            }
        }
        if !sought.is_empty() {
            self.scope.q = Some(sought.join(" "));
        }
        Ok(())
    }
}
