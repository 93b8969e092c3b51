//! Words with a fixed meaning: flags, modalities, and what is asked.

use super::words::is_near;
use super::{Because, Intent, Reader};

/// What words (folded) name flags: the longest run counts. A word that ends in `*` is the beginning of one.
const FLAGS: &[(&[&str], &[&str])] = &[
    (&["ligad*", "a", "sancionad*"], &["BR15"]),
    (&["sancionad*"], &["BR01"]),
    (&["sancao"], &["BR01"]),
    (&["sancoes"], &["BR01"]),
    (&["impedid*"], &["BR01"]),
    (&["inidone*"], &["BR01"]),
    (&["fraciona*"], &["BR02", "BR03"]),
    (&["abaixo", "do", "limite"], &["BR03"]),
    (&["aditivo*"], &["BR04"]),
    (&["aditamento*"], &["BR04"]),
    (&["sobrepreco*"], &["BR05"]),
    (&["sobre", "preco*"], &["BR05"]),
    (&["superfatura*"], &["BR05"]),
    (&["preco*", "alto*"], &["BR05"]),
    (&["preco*", "abusivo*"], &["BR05"]),
    (&["preco*", "inflado*"], &["BR05"]),
    (&["preco*", "exorbitante*"], &["BR05"]),
    (&["preco*", "acima"], &["BR05"]),
    (&["preco*", "fora"], &["BR05"]),
    (&["licitante*", "unico*"], &["BR06"]),
    (&["unico*", "licitante*"], &["BR06"]),
    (&["so", "licitante*"], &["BR06"]),
    (&["so", "concorrente*"], &["BR06"]),
    (&["unico*", "participante*"], &["BR06"]),
    (&["unico*", "concorrente*"], &["BR06"]),
    (&["unica", "proposta"], &["BR06"]),
    (&["sem", "competicao"], &["BR06"]),
    (&["sem", "concorrencia"], &["BR06"]),
    (&["sem", "concorrente*"], &["BR06"]),
    (&["sem", "disputa"], &["BR06"]),
    (&["prazo*", "curto*"], &["BR07"]),
    (&["recem*", "abert*"], &["BR08"]),
    (&["recem*", "criad*"], &["BR08"]),
    (&["recem*"], &["BR08"]),
    (&["empresa*", "nova*"], &["BR08"]),
    (&["cnpj", "irregular*"], &["BR09"]),
    (&["acima", "do", "orcamento"], &["BR10"]),
    (&["concentracao"], &["BR11"]),
    (&["concentrad*"], &["BR11"]),
    (&["inexigibilidade*", "repetid*"], &["BR13"]),
    (&["laco*"], &["BR14"]),
    (&["conluio*"], &["BR14", "BR16", "BR17", "BR18"]),
    (&["cartel"], &["BR14", "BR16", "BR17", "BR18"]),
    (&["carteis"], &["BR14", "BR16", "BR17", "BR18"]),
    (&["rodizio*"], &["BR17"]),
    (&["revezamento"], &["BR17"]),
    (&["duplicad*"], &["BR19"]),
    (&["quase", "igua*"], &["BR19"]),
    (&["atividade", "alheia"], &["BR20"]),
    (&["acima", "do", "porte"], &["BR21"]),
    (&["corrida", "de", "fim", "de", "ano"], &["BR22"]),
    (&["fim", "de", "ano"], &["BR22"]),
    (&["final", "de", "ano"], &["BR22"]),
    (&["atraso*"], &["BR23"]),
    (&["atrasad*"], &["BR23"]),
    (&["redond*"], &["BR24"]),
    (&["benford"], &["BR25"]),
    (&["vago*"], &["BR26"]),
    (&["apressad*"], &["BR28"]),
];

/// What words name modalities.
const MODALITIES: &[(&[&str], &str)] = &[
    (&["pregao"], "pregao"),
    (&["pregoes"], "pregao"),
    (&["concorrencia"], "concorrencia"),
    (&["concorrencias"], "concorrencia"),
    (&["tomada*", "de", "preco*"], "tomada_de_precos"),
    (&["carta*", "convite*"], "convite"),
    (&["convite*"], "convite"),
    (&["dispensa", "de", "licitacao"], "dispensa"),
    (&["dispensas", "de", "licitacao"], "dispensa"),
    (&["dispensa"], "dispensa"),
    (&["dispensas"], "dispensa"),
    (&["dispensad*"], "dispensa"),
    (&["inexigibilidade*"], "inexigibilidade"),
    (&["inexigivel"], "inexigibilidade"),
    (&["leilao"], "leilao"),
    (&["leiloes"], "leilao"),
    (&["credenciamento*"], "credenciamento"),
    (&["dialogo*", "competitivo*"], "dialogo_competitivo"),
    (&["concurso", "de", "projeto*"], "concurso"),
    (&["concurso", "publico"], "concurso"),
    (&["concurso*"], "concurso"),
    (&["pre", "qualificacao"], "pre_qualificacao"),
    (&["rdc"], "rdc"),
];

/// Words that say only that something is suspect.
const SUSPECT: &[&str] = &[
    "suspeit",
    "irregular",
    "indicio",
    "sinal",
    "sinais",
    "achado",
    "estranh",
    "fraude",
    "corrup",
    "parece",
    "problema",
];

impl Reader<'_> {
    pub(super) fn read_codes(&mut self) {
        self.read_intent();
        for at in 0..self.words.len() {
            self.read_flag(at);
        }
        for at in 0..self.words.len() {
            self.read_modality(at);
        }
        if self.intent.is_none() {
            let suspects = |word: &str| SUSPECT.iter().any(|start| word.starts_with(start));
            let suspect = !self.flags.is_empty() || self.words.iter().any(|word| suspects(&word.folded));
            self.intent = Some(if suspect { Intent::Flags } else { Intent::List });
        }
    }

    fn fits(&self, at: usize, pattern: &[&str]) -> bool {
        let Some(run) = self.words.get(at..at + pattern.len()) else { return false };
        run.iter().zip(pattern).all(|(word, said)| {
            !word.taken
                && word.quoted.is_none()
                && match said.strip_suffix('*') {
                    Some(start) => word.folded.starts_with(start),
                    None => word.folded == *said,
                }
        }) && run[..pattern.len() - 1].iter().all(|word| !word.ends)
    }

    /// The word of a list that a word is a typing error of, when no name and no object holds it.
    fn meant<'w>(&self, at: usize, mut list: impl Iterator<Item = &'w str>) -> Option<&'w str> {
        let word = &self.words[at];
        let unknown = word.folded.len() >= 7
            && !word.taken
            && word.quoted.is_none()
            && !word.is_empty()
            && self.gazetteer.exact(&word.folded).is_none()
            && !self.held.objects(&word.folded);
        if unknown { list.find(|meant| is_near(&word.folded, meant)) } else { None }
    }

    fn read_flag(&mut self, at: usize) {
        let word = &self.words[at];
        if word.taken {
            return;
        }
        let code = word.bare().to_uppercase();
        if self.held.flag(&code) {
            self.add_flags(at, 1, &[code.as_str()]);
            return;
        }
        let longest =
            FLAGS.iter().filter(|(pattern, _)| self.fits(at, pattern)).max_by_key(|(pattern, _)| pattern.len());
        if let Some((pattern, codes)) = longest {
            self.add_flags(at, pattern.len(), codes);
            return;
        }
        let whole =
            ["sobrepreco", "superfaturamento", "fracionamento", "fracionadas", "fracionado", "aditivos", "sancionada"];
        if let Some(meant) = self.meant(at, whole.into_iter()) {
            let starts = |pattern: &[&str]| pattern.len() == 1 && meant.starts_with(pattern[0].trim_end_matches('*'));
            if let Some((_, codes)) = FLAGS.iter().find(|(pattern, _)| starts(pattern)) {
                self.add_flags(at, 1, codes);
            }
        }
    }

    fn add_flags(&mut self, at: usize, length: usize, codes: &[&str]) {
        let known: Vec<String> =
            codes.iter().filter(|code| self.held.flag(code)).map(|code| (*code).to_owned()).collect();
        if known.is_empty() {
            return;
        }
        self.take(at, at + length, "flags", &known[..]);
        self.flags.extend(known);
    }

    fn read_modality(&mut self, at: usize) {
        if self.words[at].taken {
            return;
        }
        let longest =
            MODALITIES.iter().filter(|(pattern, _)| self.fits(at, pattern)).max_by_key(|(pattern, _)| pattern.len());
        let meant = || {
            let single = MODALITIES.iter().filter(|(pattern, _)| pattern.len() == 1);
            let words = single.clone().map(|(pattern, _)| pattern[0].trim_end_matches('*'));
            let word = self.meant(at, words)?;
            single.clone().find(|(pattern, _)| pattern[0].trim_end_matches('*') == word)
        };
        let (length, code, of_law) = match longest {
            Some((pattern, code)) => (pattern.len(), *code, false),
            None => match meant() {
                Some((_, code)) => (1, *code, self.folded(at + 1) == "de" && self.folded(at + 2) == "licitacao"),
                None => return,
            },
        };
        let end = at + length + if of_law { 2 } else { 0 };
        if self.scope.modality.as_ref().is_some_and(|held| held != code) {
            self.leave(at, end, Because::Second);
            return;
        }
        self.take(at, end, "modality", code);
        self.scope.modality = Some(code.to_owned());
    }

    /// What is asked, by the words that ask.
    fn read_intent(&mut self) {
        let said: Vec<String> = self.words.iter().map(|word| word.folded.clone()).collect();
        let has = |words: &[&str]| said.windows(words.len()).any(|run| run.iter().zip(words).all(|(a, b)| a == b));
        let any = |starts: &[&str]| said.iter().any(|word| starts.iter().any(|start| word.starts_with(start)));
        let named = !self.scope.suppliers.is_empty();
        let of_sanctions =
            ["sancionad", "sancao", "sancoes", "impedid", "inidone", "punid", "punicao", "suspens", "ceis", "cnep"];
        let parties = self.scope.bodies.len() + self.scope.buyers.len() + self.scope.suppliers.len();
        let intent = if named && any(&of_sanctions) {
            for word in &mut self.words {
                // What asks is no filter.
                word.taken |=
                    of_sanctions.iter().any(|start| word.folded.starts_with(start)) || word.folded == "contratar";
            }
            Intent::Sanctioned
        } else if parties >= 2 && (any(&["compar"]) || has(&["versus"]) || has(&["vs"]) || has(&["x"])) {
            self.take_word("x");
            Intent::Compare
        } else if has(&["quem", "mais"])
            || has(&["empresas", "mais"])
            || has(&["que", "mais"])
            || has(&["maiores", "fornecedores"])
            || has(&["principais", "fornecedores"])
            || has(&["maiores", "empresas"])
        {
            Intent::TopSuppliers
        } else if any(&["quantos", "quantas"]) || has(&["numero", "de"]) || has(&["quantidade", "de"]) {
            Intent::Count
        } else if has(&["quanto"])
            || has(&["valor", "total"])
            || has(&["total", "gasto"])
            || has(&["gasto", "total"])
            || has(&["soma"])
        {
            Intent::Total
        } else if (named || parties > 0) && (has(&["quem", "e"]) || has(&["quem", "eh"]) || has(&["fale", "sobre"])) {
            Intent::WhoIs
        } else {
            return;
        };
        self.intent = Some(intent);
    }

    fn take_word(&mut self, folded: &str) {
        for word in &mut self.words {
            word.taken |= word.folded == folded;
        }
    }
}
