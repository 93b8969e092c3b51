//! Names of bodies, units and suppliers: the longest run of words that names one of them, and only one.

use model::Cnpj;

use super::gazetteer::{Entry, Kind};
use super::{Because, Candidate, Doubt, Reader, aliases};

/// The longest name that is sought, in words.
const NAME_WORDS_MAX: usize = 16;
/// The most candidates that are told.
const CANDIDATES_MAX: usize = 10;
/// The most names of one kind that a question may hold.
const NAMES_MAX: usize = 8;

/// First words of names of bodies and units whose other words may be told in part.
const HEADS: &[&str] = &[
    "ministerio",
    "universidade",
    "instituto",
    "hospital",
    "prefeitura",
    "camara",
    "tribunal",
    "secretaria",
    "fundo",
    "fundacao",
    "comando",
    "departamento",
    "agencia",
    "empresa",
    "governo",
    "colegio",
    "escola",
    "policia",
    "superintendencia",
    "grupamento",
    "batalhao",
    "conselho",
    "companhia",
    "assembleia",
    "procuradoria",
    "defensoria",
    "centro",
    "maternidade",
];
/// First words that are left out when people name the body.
const SILENT: &[&str] = &["departamento", "comando"];
/// First words of names that are places too: the place is what is meant.
const PLACES: &[&str] = &["estado", "municipio"];

/// What a run of words may name.
struct Named {
    from: usize,
    to: usize,
    /// Words that say something.
    said: usize,
    /// Hundredths of the name that were said.
    share: usize,
    entries: Vec<u32>,
}

impl Reader<'_> {
    pub(super) fn read_cnpjs(&mut self) {
        for at in 0..self.words.len() {
            let text = self.words[at].written.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
            let length = text.chars().filter(char::is_ascii_alphanumeric).count();
            let digits = text.chars().filter(char::is_ascii_digit).count();
            match Cnpj::parse(&text) {
                Ok(cnpj) => {
                    let id = format!("cnpj:{cnpj}");
                    if !self.held.supplier(&id) {
                        self.leave(at, at + 1, Because::NotHeld);
                    } else if !self.scope.suppliers.contains(&id) {
                        self.take(at, at + 1, "suppliers", [&id]);
                        self.scope.suppliers.push(id);
                    }
                }
                Err(model::CnpjError::CheckDigits) if length == 14 && digits >= 8 => {
                    self.leave(at, at + 1, Because::WrongDigits);
                }
                Err(_) => {}
            }
        }
    }

    /// `UASG 153062`.
    pub(super) fn read_unit_codes(&mut self) {
        for at in 1..self.words.len() {
            let cue = matches!(self.folded(at - 1), "uasg" | "ug" | "unidade" | "codigo" | "orgao");
            let word = &self.words[at];
            if !cue || word.taken || word.bare().len() < 4 || !word.bare().bytes().all(|b| b.is_ascii_digit()) {
                continue;
            }
            let ids: Vec<String> = self.gazetteer.of_code(&word.bare()).iter().map(|at| self.entry_id(*at)).collect();
            if ids.is_empty() {
                self.leave(at - 1, at + 1, Because::NotHeld);
            } else {
                self.take(at - 1, at + 1, "buyers", &ids[..]);
                self.add_buyers(ids);
            }
        }
    }

    pub(super) fn read_names(&mut self) {
        let tokens: Vec<Vec<u32>> = (0..self.words.len()).map(|at| self.tokens_at(at)).collect();
        let mut found = Vec::new();
        for from in 0..self.words.len() {
            self.names_from(from, &tokens, &mut found);
        }
        // The most said first; of equals the best known part, then the first.
        found.sort_by(|a, b| (b.said, b.share).cmp(&(a.said, a.share)).then(a.from.cmp(&b.from)));
        let mut taken = 0;
        for named in found {
            if taken < NAMES_MAX && self.words[named.from..named.to].iter().all(|word| !word.taken) {
                taken += 1;
                self.settle(named.from, named.to, &named.entries);
            }
        }
        self.read_aliases();
    }

    /// `MEC`, `ufmg`, `Receita Federal`.
    fn read_aliases(&mut self) {
        for at in 0..self.words.len() {
            if self.words[at].taken || self.words[at].quoted.is_some() {
                continue;
            }
            if let Some((length, full)) = aliases::phrase(&self.words[at..])
                && self.settle_full(at, at + length, full)
            {
                continue;
            }
            let word = self.words[at].bare();
            let loud = self.words[at].is_capitals() && !self.all_capitals;
            let is_state = super::places::state_of_letters(&word).is_some();
            if is_state && word.len() == 2 && (!loud || !self.says_ministry(at)) {
                continue;
            }
            let Some(full) = aliases::full(&word, loud || self.all_capitals) else {
                let enough = if loud { 3 } else { 4 };
                let of_initials = self.gazetteer.of_initials(&word).to_vec();
                if word.len() >= enough && of_initials.len() == 1 && (loud || !self.held.objects(&word)) {
                    self.settle(at, at + 1, &of_initials);
                }
                continue;
            };
            let settled = self.settle_full(at, at + 1, &full);
            if settled && is_state {
                let letters = word.to_uppercase();
                self.doubts.push(Doubt {
                    words: self.words[at].written.clone(),
                    because: Because::MinistryOrState,
                    taken: Some(full.clone()),
                    candidates: vec![Candidate { filter: "state", value: letters.clone(), name: letters }],
                });
            }
        }
    }

    /// `o MS` is a body, `em MS` a state.
    fn says_ministry(&self, at: usize) -> bool {
        let before = at.checked_sub(1).map_or("", |at| self.folded(at));
        !self.words[at].joined && matches!(before, "o" | "do" | "no" | "pelo" | "ao") && {
            let earlier = at.checked_sub(2).map_or("", |at| self.folded(at));
            !matches!(earlier, "estado")
        }
    }

    fn settle_full(&mut self, from: usize, to: usize, full: &str) -> bool {
        let tokens: Vec<u32> = full.split(' ').filter_map(|word| self.gazetteer.exact(word)).collect();
        if tokens.len() < full.split(' ').count() {
            return false;
        }
        let mut holders = self.gazetteer.holders(tokens[0]).to_vec();
        for token in &tokens[1..] {
            let next = self.gazetteer.holders(*token);
            holders.retain(|at| next.binary_search(at).is_ok());
        }
        let whole =
            |entry: &Entry| tokens.iter().all(|token| entry.tokens.contains(token)) && entry.kind != Kind::Supplier;
        holders.retain(|at| whole(self.gazetteer.entry(*at)));
        let shortest = holders.iter().map(|at| self.rank(*at)).min();
        holders.retain(|at| Some(self.rank(*at)) == shortest);
        if holders.is_empty() {
            return false;
        }
        self.settle(from, to, &holders)
    }

    fn rank(&self, at: u32) -> (Kind, usize) {
        let entry = self.gazetteer.entry(at);
        (entry.kind, entry.tokens.len())
    }

    /// The tokens of names that a word may be: itself, what it abbreviates, or what it is a typing error of.
    fn tokens_at(&self, at: usize) -> Vec<u32> {
        let word = &self.words[at];
        if word.taken || word.is_joining() || word.quoted.is_some() {
            return Vec::new();
        }
        let bare = word.bare();
        if let Some(full) = aliases::abbreviated(&bare) {
            return self.gazetteer.exact(full).into_iter().collect();
        }
        match self.gazetteer.exact(&bare) {
            Some(token) => vec![token],
            None if word.is_empty() || self.held.objects(&bare) => Vec::new(),
            None => self.gazetteer.near(&bare),
        }
    }

    /// What the runs of words name that begin here: the longest run of each kind.
    fn names_from(&self, from: usize, tokens: &[Vec<u32>], found: &mut Vec<Named>) {
        if tokens[from].is_empty() {
            return;
        }
        let mut held: Vec<u32> = Vec::new();
        let (mut run, mut strict) = (Vec::new(), false);
        let mut best: Vec<Named> = Vec::new();
        for to in from..self.words.len().min(from + NAME_WORDS_MAX) {
            let word = &self.words[to];
            if word.taken || word.quoted.is_some() {
                break;
            }
            if word.is_joining() {
                strict |= matches!(word.folded.as_str(), "em" | "na" | "no" | "nas" | "nos" | "para" | "por");
            } else {
                let mut next: Vec<u32> = match &tokens[to][..] {
                    [] => break,
                    [one] => self.gazetteer.holders(*one).to_vec(),
                    several => {
                        several.iter().flat_map(|token| self.gazetteer.holders(*token).iter().copied()).collect()
                    }
                };
                if tokens[to].len() > 1 {
                    next.sort_unstable();
                    next.dedup();
                }
                held = if run.is_empty() { next } else { both(&held, &next) };
                if held.is_empty() {
                    break;
                }
                run.push(to);
                if let Some(named) = self.named(from, to + 1, &run, tokens, &held, strict) {
                    best.push(named);
                }
            }
            if word.ends {
                break;
            }
        }
        found.append(&mut best);
    }

    /// Which of `held` a run of words names well enough, those of which the largest part is said.
    fn named(
        &self,
        from: usize,
        to: usize,
        run: &[usize],
        tokens: &[Vec<u32>],
        held: &[u32],
        strict: bool,
    ) -> Option<Named> {
        let cue = self.has_supplier_cue(from, to);
        let (mut entries, mut top): (Vec<u32>, (std::cmp::Reverse<Kind>, usize)) =
            (Vec::new(), (std::cmp::Reverse(Kind::Supplier), 0));
        for at in held {
            let entry = self.gazetteer.entry(*at);
            let said =
                run.iter().filter(|word| tokens[**word].iter().any(|token| entry.tokens.contains(token))).count();
            if strict && said < run.len() {
                continue;
            }
            let share = (said.min(entry.tokens.len()) * 100).checked_div(entry.tokens.len()).unwrap_or(0);
            let heads = run.iter().any(|word| entry.tokens.first().is_some_and(|first| tokens[*word].contains(first)));
            let last_says =
                run.last().is_some_and(|word| tokens[*word].iter().any(|token| entry.tokens.contains(token)));
            let first_says = tokens[run[0]].iter().any(|token| entry.tokens.contains(token));
            let fits = match entry.kind {
                Kind::Body => self.names_body(entry, run.len(), said, share, heads),
                Kind::Unit => first_says && self.names_unit(entry, said, share, heads),
                Kind::Supplier => said == run.len() && self.names_supplier(entry, run, tokens, held, share, cue),
            };
            // A place behind a unit's name tells which; before it, it is another word.
            if !fits || (!last_says && entry.kind != Kind::Unit) {
                continue;
            }
            // A name that is said in part is any of those that hold it: the shorter is not the likelier.
            let rank = (std::cmp::Reverse(entry.kind), if share == 100 { 100 } else { 50 });
            if rank > top {
                (entries, top) = (Vec::new(), rank);
            }
            if rank == top {
                entries.push(*at);
            }
        }
        (!entries.is_empty()).then_some(Named { from, to, said: run.len(), share: top.1, entries })
    }

    fn names_body(&self, entry: &Entry, run: usize, said: usize, share: usize, heads: bool) -> bool {
        let first = model::text::fold(entry.name.split_whitespace().next().unwrap_or_default());
        if said < run || PLACES.contains(&first.as_str()) {
            return false;
        }
        match share {
            100 => said >= 2,
            _ if heads => said >= 2 && (HEADS.contains(&first.as_str()) || share >= 60),
            _ => said >= 2 && share >= 60 && SILENT.contains(&first.as_str()),
        }
    }

    fn names_unit(&self, entry: &Entry, said: usize, share: usize, heads: bool) -> bool {
        let first = model::text::fold(entry.name.split_whitespace().next().unwrap_or_default());
        said >= 2 && (share == 100 || (heads && (HEADS.contains(&first.as_str()) || share >= 60)))
    }

    fn names_supplier(
        &self,
        entry: &Entry,
        run: &[usize],
        tokens: &[Vec<u32>],
        held: &[u32],
        share: usize,
        cue: bool,
    ) -> bool {
        if run.len() >= 2 {
            return (share >= 60 || (cue && share >= 40)) && !self.is_ordinary(entry, run);
        }
        // One word names a supplier when no other has it, and it was written as it stands.
        let word = &self.words[run[0]];
        let alone = held.len() <= if cue { 3 } else { 1 };
        let exact = self.gazetteer.exact(&word.bare()).is_some();
        let heads = entry.tokens.first().is_some_and(|first| tokens[run[0]].contains(first));
        alone
            && exact
            && !word.is_empty()
            && word.bare().len() >= 4
            && (cue || (heads && word.bare().len() >= 5 && !self.is_ordinary(entry, run)))
    }

    /// Words that objects of others hold, or that are places, do not name a supplier by themselves.
    fn is_ordinary(&self, entry: &Entry, run: &[usize]) -> bool {
        let words: Vec<String> = run.iter().map(|at| self.words[*at].bare()).collect();
        self.gazetteer.place(&words.join(" ")).is_some() || self.held.objects_of_others(&words.join(" "), &entry.id)
    }

    /// `empresa`, `fornecedor`, `Ltda` beside the words.
    fn has_supplier_cue(&self, from: usize, to: usize) -> bool {
        let before = (0..from).rev().map(|at| &self.words[at]).find(|word| !word.is_joining());
        let before = before.map_or("", |word| word.folded.as_str());
        let behind = self.folded(to);
        matches!(before, "empresa" | "fornecedor" | "fornecedora" | "firma" | "contratada")
            || matches!(behind.replace('.', "").as_str(), "ltda" | "eireli" | "sa" | "epp")
    }

    /// Makes names a filter when they are of one thing, and else tells the candidates. Whether words were taken.
    fn settle(&mut self, from: usize, to: usize, entries: &[u32]) -> bool {
        let Some(first) = entries.first().map(|at| self.gazetteer.entry(*at).clone()) else { return false };
        let normal = |at: &u32| model::text::normal_name(&self.gazetteer.entry(*at).name);
        let same_name = entries.iter().all(|at| normal(at) == normal(&entries[0]));
        match first.kind {
            Kind::Body if entries.len() == 1 => {
                self.take(from, to, "bodies", [&first.name]);
                if !self.scope.bodies.contains(&first.name) {
                    self.scope.bodies.push(first.name);
                }
            }
            Kind::Supplier if same_name && entries.len() <= CANDIDATES_MAX => {
                let ids: Vec<String> = entries.iter().map(|at| self.entry_id(*at)).collect();
                self.take(from, to, "suppliers", &ids[..]);
                for id in ids {
                    if !self.scope.suppliers.contains(&id) {
                        self.scope.suppliers.push(id);
                    }
                }
            }
            Kind::Unit if self.are_one(entries) && entries.len() <= CANDIDATES_MAX => {
                let ids: Vec<String> = entries.iter().map(|at| self.entry_id(*at)).collect();
                self.take(from, to, "buyers", &ids[..]);
                self.add_buyers(ids);
            }
            _ => {
                for word in &mut self.words[from..to] {
                    word.taken = true;
                }
                self.pending.push((from, to, entries.to_vec()));
            }
        }
        true
    }

    /// Units of one name are one thing when none is known to be elsewhere.
    fn are_one(&self, entries: &[u32]) -> bool {
        let entry = |at: &u32| self.gazetteer.entry(*at);
        let first = entry(&entries[0]);
        let place = |entry: &Entry| {
            (entry.state.clone(), entry.municipality.as_deref().map(model::text::normal_name).unwrap_or_default())
        };
        entries.iter().all(|at| {
            model::text::normal_name(&entry(at).name) == model::text::normal_name(&first.name)
                && place(entry(at)) == place(first)
        })
    }

    /// Names of several things, once the place is known: one of them, or told with the candidates.
    pub(super) fn settle_pending(&mut self) {
        for (from, to, mut entries) in std::mem::take(&mut self.pending) {
            let municipality = self.scope.municipality.as_deref().map(model::text::normal_name);
            let state = self.scope.state.clone();
            let here = |entry: &Entry| {
                state.as_ref().is_none_or(|state| entry.state.as_ref() == Some(state))
                    && municipality.as_ref().is_none_or(|asked| {
                        entry.municipality.as_deref().map(model::text::normal_name).as_ref() == Some(asked)
                    })
            };
            let placed = state.is_some() || municipality.is_some();
            let near: Vec<u32> = entries.iter().copied().filter(|at| here(self.gazetteer.entry(*at))).collect();
            if placed && self.gazetteer.entry(entries[0]).kind == Kind::Unit && !near.is_empty() {
                entries = near;
            }
            if placed
                && self.gazetteer.entry(entries[0]).kind == Kind::Unit
                && entries.len() <= CANDIDATES_MAX
                && self.are_one(&entries)
            {
                let ids: Vec<String> = entries.iter().map(|at| self.entry_id(*at)).collect();
                self.take(from, to, "buyers", &ids[..]);
                self.add_buyers(ids);
                continue;
            }
            let candidates =
                entries.iter().take(CANDIDATES_MAX).map(|at| candidate(self.gazetteer.entry(*at))).collect();
            let words = self.written(from, to);
            self.doubts.push(Doubt { words, because: Because::Several, taken: None, candidates });
            self.leave(from, to, Because::Several);
        }
    }

    fn entry_id(&self, at: u32) -> String {
        self.gazetteer.entry(at).id.clone()
    }

    fn add_buyers(&mut self, ids: Vec<String>) {
        for id in ids {
            if !self.scope.buyers.contains(&id) {
                self.scope.buyers.push(id);
            }
        }
    }
}

fn candidate(entry: &Entry) -> Candidate {
    let filter = match entry.kind {
        Kind::Body => "bodies",
        Kind::Unit => "buyers",
        Kind::Supplier => "suppliers",
    };
    let place = entry.municipality.iter().chain(&entry.state).cloned().collect::<Vec<_>>().join("/");
    let name = if place.is_empty() { entry.name.clone() } else { format!("{} ({place})", entry.name) };
    Candidate { filter, value: entry.id.clone(), name }
}

/// What stands in both of two ordered lists.
fn both(a: &[u32], b: &[u32]) -> Vec<u32> {
    let (few, many) = if a.len() < b.len() { (a, b) } else { (b, a) };
    few.iter().copied().filter(|at| many.binary_search(at).is_ok()).collect()
}
