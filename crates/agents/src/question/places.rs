//! States and municipalities. `se houver` is not Sergipe, `para` is not Pará, and `São Paulo` may be either.

use model::text::normal_name;

use super::words::is_near;
use super::{Because, Candidate, Doubt, Reader};

/// The states: letters, and names without accents.
pub(super) const STATES: &[(&str, &str)] = &[
    ("AC", "acre"),
    ("AL", "alagoas"),
    ("AP", "amapa"),
    ("AM", "amazonas"),
    ("BA", "bahia"),
    ("CE", "ceara"),
    ("DF", "distrito federal"),
    ("ES", "espirito santo"),
    ("GO", "goias"),
    ("MA", "maranhao"),
    ("MT", "mato grosso"),
    ("MS", "mato grosso do sul"),
    ("MG", "minas gerais"),
    ("PA", "para"),
    ("PB", "paraiba"),
    ("PR", "parana"),
    ("PE", "pernambuco"),
    ("PI", "piaui"),
    ("RJ", "rio de janeiro"),
    ("RN", "rio grande do norte"),
    ("RS", "rio grande do sul"),
    ("RO", "rondonia"),
    ("RR", "roraima"),
    ("SC", "santa catarina"),
    ("SP", "sao paulo"),
    ("SE", "sergipe"),
    ("TO", "tocantins"),
];

/// Municipalities whose names are ordinary words too: only `em Natal` or `prefeitura de Natal` names them.
const ORDINARY: &[&str] = &[
    "natal",
    "saude",
    "vitoria",
    "central",
    "esperanca",
    "uniao",
    "gloria",
    "luz",
    "vigia",
    "limoeiro",
    "pilar",
    "ouro",
    "floresta",
    "areia",
    "colina",
    "salvador",
    "palmas",
    "serra",
    "cascavel",
    "parnaiba",
    "planalto",
    "alegria",
    "registro",
    "feliz",
    "bonito",
    "independencia",
    "progresso",
    "liberdade",
    "felicidade",
    "agudo",
    "barra",
    "canoas",
    "estrela",
    "sobral",
    "guia",
    "coxilha",
];

/// The letters of a state, if these are some.
pub(super) fn state_of_letters(text: &str) -> Option<&'static str> {
    STATES.iter().find(|(letters, _)| letters.eq_ignore_ascii_case(text)).map(|(letters, _)| *letters)
}

impl Reader<'_> {
    pub(super) fn read_places(&mut self) {
        self.read_states_by_name();
        self.read_municipalities();
        self.read_states_by_letters();
    }

    fn run(&self, at: usize, length: usize) -> Option<String> {
        let run = self.words.get(at..at + length)?;
        let whole = run.iter().all(|word| !word.taken && word.quoted.is_none())
            && run[..length - 1].iter().all(|word| !word.ends);
        whole.then(|| run.iter().map(|word| word.folded.as_str()).collect::<Vec<_>>().join(" "))
    }

    fn before(&self, at: usize, n: usize) -> &str {
        at.checked_sub(n).map_or("", |at| self.folded(at))
    }

    /// Words before a name that say of what kind the place is; joining words are passed over.
    fn kind_before(&self, at: usize) -> &str {
        (1..=3).map(|n| self.before(at, n)).find(|word| !super::words::joins(word)).unwrap_or("")
    }

    fn read_states_by_name(&mut self) {
        // Longer names first: Mato Grosso do Sul is not Mato Grosso.
        for length in (1..=4).rev() {
            for at in 0..self.words.len() {
                let Some(run) = self.run(at, length) else { continue };
                let named = STATES.iter().find(|(_, name)| *name == run);
                let meant = named.or_else(|| {
                    let unknown = !run.contains(' ')
                        && self.gazetteer.exact(&run).is_none()
                        && self.gazetteer.place(&run).is_none();
                    let alike = |name: &str| run.len() >= 7 && is_near(&run, name) && !name.contains(' ');
                    STATES.iter().filter(|_| unknown).find(|(_, name)| alike(name))
                });
                let Some((letters, _)) = meant else { continue };
                if matches!(*letters, "PA" | "AC") && !self.says_state(at) {
                    continue;
                }
                let kind = self.kind_before(at);
                let of_city =
                    matches!(kind, "cidade" | "municipio" | "capital" | "prefeitura" | "municipal" | "paulistana");
                if let Some(place) = self.gazetteer.place(&run).cloned() {
                    if of_city {
                        continue;
                    }
                    if kind != "estado" && kind != "governo" && !self.has_state() {
                        self.doubts.push(Doubt {
                            words: self.written(at, at + length),
                            because: Because::StateOrCity,
                            taken: Some((*letters).to_owned()),
                            candidates: vec![Candidate {
                                filter: "municipality",
                                value: place.name.clone(),
                                name: place.name,
                            }],
                        });
                    }
                }
                self.set_state(at, at + length, letters);
            }
        }
    }

    /// `para` and `acre` are words: only `Pará` with its accent, or behind `no`, `do` or `estado`, is the state.
    fn says_state(&self, at: usize) -> bool {
        let word = &self.words[at];
        let accent = word.written.to_lowercase() == "pará";
        let behind = matches!(self.before(at, 1), "no" | "do" | "pelo") || self.kind_before(at) == "estado";
        accent || behind || (word.folded == "acre" && word.is_capitalised() && !self.all_capitals)
    }

    fn read_states_by_letters(&mut self) {
        for at in 0..self.words.len() {
            let word = &self.words[at];
            if word.taken || word.quoted.is_some() || word.folded.len() != 2 {
                continue;
            }
            let Some(letters) = state_of_letters(&word.folded) else { continue };
            let before = self.before(at, 1);
            let placed = before == "em" || self.kind_before(at) == "estado" || word.joined;
            let loud = word.is_capitals() && !self.all_capitals;
            // `em se tratando`, `em to…`: joining words are no state, however they are placed.
            let is_word = matches!(letters, "SE" | "AM" | "AP" | "ES" | "TO") && !word.is_capitals();
            let followed = word.folded == "se" && self.folded(at + 1).ends_with("ndo");
            if (loud || placed) && !is_word && !followed {
                self.set_state(at, at + 1, letters);
            }
        }
    }

    fn has_state(&self) -> bool {
        self.scope.state.is_some()
    }

    fn set_state(&mut self, from: usize, to: usize, letters: &str) {
        match &self.scope.state {
            Some(held) if held != letters => self.leave(from, to, Because::Second),
            _ => {
                self.take(from, to, "state", letters);
                self.scope.state = Some(letters.to_owned());
            }
        }
    }

    fn read_municipalities(&mut self) {
        for length in (1..=self.gazetteer.place_words_max()).rev() {
            for at in 0..self.words.len() {
                let Some(run) = self.run(at, length) else { continue };
                if self.words[at].is_joining() || self.words[at + length - 1].is_joining() {
                    continue;
                }
                let normal = normal_name(&run);
                let known = self.gazetteer.place(&normal);
                let place = known.or_else(|| {
                    let unsaid = normal.len() >= 6 && !self.words[at].is_empty();
                    if unsaid && !self.held.objects(&normal) { self.gazetteer.place_near(&normal) } else { None }
                });
                let Some(place) = place.cloned() else { continue };
                if self.says_municipality(at, length, &normal) {
                    self.set_municipality(at, at + length, &place);
                }
            }
        }
    }

    /// A name of one ordinary word needs a word before it that says it is a place.
    fn says_municipality(&self, at: usize, length: usize, normal: &str) -> bool {
        let placed = self.before(at, 1) == "em"
            || matches!(self.kind_before(at), "cidade" | "municipio" | "prefeitura" | "municipal" | "capital")
            || self.words.get(at + length).is_some_and(|next| next.joined && state_of_letters(&next.folded).is_some());
        let ordinary = ORDINARY.contains(&normal);
        placed || (!ordinary && (length > 1 || normal.len() >= 4))
    }

    fn set_municipality(&mut self, from: usize, to: usize, place: &super::gazetteer::Place) {
        if self.scope.municipality.as_ref().is_some_and(|held| normal_name(held) != normal_name(&place.name)) {
            self.leave(from, to, Because::Second);
            return;
        }
        self.take(from, to, "municipality", place.name.as_str());
        self.scope.municipality = Some(place.name.clone());
        let told = (to < self.words.len()).then(|| state_of_letters(&self.words[to].bare())).flatten();
        if place.states.len() > 1 && told.is_none() && self.scope.state.is_none() {
            let candidates = place.states.iter().take(10);
            let candidates =
                candidates.map(|letters| Candidate { filter: "state", value: letters.clone(), name: letters.clone() });
            self.doubts.push(Doubt {
                words: self.written(from, to),
                because: Because::CityOfSeveralStates,
                taken: Some(place.name.clone()),
                candidates: candidates.collect(),
            });
        }
    }
}
