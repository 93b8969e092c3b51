//! The sphere of government a public body belongs to, derived from its name.
//!
//! Sanctions bar within a sphere (Lei 14.133/2021, art. 156 § 4), and many sources name the body without saying
//! whose it is. The rule here reads only what the name itself says. It promises never to guess: a name that
//! fits no row of the tables below, such as `SECRETARIA DE SAUDE`, is `None`, and so is one that belongs to
//! nobody's administration (Sistema S, the bar association, companies and associations).
//!
//! Names are compared as [`normal_name`] writes them, by whole words. The steps, in order; the first that fits decides:
//!
//! 1. Not a body of any sphere: no answer.
//! 2. Federal courts whose names hold those of state courts: `SUPERIOR TRIBUNAL DE JUSTICA`, the court and the
//!    prosecutors of the Federal District.
//! 3. State courts, prosecutors and audit courts: state (`TRIBUNAL DE JUSTICA`, `TRIBUNAL DE CONTAS DO ESTADO`).
//! 4. A town's government in plain words: municipal (`PREFEITURA`, `CAMARA MUNICIPAL`, `SECRETARIA MUNICIPAL`).
//! 5. Federal bodies by name, by acronym, by `MINISTERIO` not followed by `PUBLICO`, or by `FEDERAL` not
//!    preceded by `DISTRITO`.
//! 6. `DO DISTRITO FEDERAL`, or a name that begins with it: the Federal District.
//! 7. State bodies: `SECRETARIA DE ESTADO`, `GOVERNO DO ESTADO`, `DO ESTADO`, `ESTADO DE <name of a state>`.
//! 8. The words `ESTADUAL` and `MUNICIPAL`; a name with both gets no answer.
//!
//! What steps 3, 7 and 8 call a state is the Federal District when the federative unit given is `DF`.

use serde::{Deserialize, Serialize};

mod names;

use names::{
    FEDERAL, FEDERAL_ACRONYMS, FEDERAL_COURT, NOBODYS, NOT_A_TOWN, OF_THE_DISTRICT, STATE, STATE_JUSTICE, STATE_WORD,
    STATES, TOWN, TOWN_WORD,
};

use crate::text::normal_name;

/// Sphere of government, with the letter by which PNCP writes it (`esferaId`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Sphere {
    /// Federal: the Union, its autarchies, foundations and companies.
    F,
    /// State (*estadual*).
    E,
    /// Municipal.
    M,
    /// The Federal District (*distrital*), which is state and town at once.
    D,
}

impl Sphere {
    /// The letter that stands in records.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::F => "F",
            Self::E => "E",
            Self::M => "M",
            Self::D => "D",
        }
    }

    /// Reads the letter of a record; anything else, such as PNCP's `N` (not applicable), is `None`.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Some(match code {
            "F" => Self::F,
            "E" => Self::E,
            "M" => Self::M,
            "D" => Self::D,
            _ => return None,
        })
    }

    /// What a Brazilian reads.
    #[must_use]
    pub const fn label_pt(self) -> &'static str {
        match self {
            Self::F => "federal",
            Self::E => "estadual",
            Self::M => "municipal",
            Self::D => "distrital",
        }
    }
}

/// The sphere that the name of a public body states, or `None` when it states none.
///
/// `uf` is the federative unit of the body, when the source gives one; it tells the Federal District from a
/// state and decides nothing else. Meant to be asked once per body, not once per row.
#[must_use]
pub fn sphere_of_body(name: &str, uf: Option<&str>) -> Option<Sphere> {
    let name = format!(" {} ", normal_name(name));
    let of_state = if uf.is_some_and(|uf| uf.trim().eq_ignore_ascii_case("DF")) { Sphere::D } else { Sphere::E };
    if has_any(&name, NOBODYS) {
        return None;
    }
    if has_any(&name, FEDERAL_COURT) {
        return Some(Sphere::F);
    }
    if has_any(&name, STATE_JUSTICE) || has_state_court_acronym(&name) || is_state_prosecution(&name) {
        return Some(if has_any(&name, OF_THE_DISTRICT) { Sphere::D } else { of_state });
    }
    if has_any(&name, TOWN) && !has_any(&name, NOT_A_TOWN) {
        return Some(Sphere::M);
    }
    if has_any(&name, FEDERAL) || has_federal_word(&name) || has_federal_acronym(&name) {
        return Some(Sphere::F);
    }
    if has_any(&name, OF_THE_DISTRICT) || name.starts_with(" distrito federal ") {
        return Some(Sphere::D);
    }
    if has_any(&name, STATE) || names_a_state(&name) {
        return Some(of_state);
    }
    match (has_any(&name, STATE_WORD), has_any(&name, TOWN_WORD) || is_consortium_of_towns(&name)) {
        (true, false) => Some(of_state),
        (false, true) => Some(Sphere::M),
        _ => None,
    }
}

/// Whether one of `phrases` stands in `name` as whole words; `name` has a blank at both ends.
fn has_any(name: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| has(name, phrase))
}

fn has(name: &str, phrase: &str) -> bool {
    name.match_indices(phrase).any(|(at, _)| {
        name.as_bytes()[at - usize::from(at > 0)] == b' ' && name.as_bytes().get(at + phrase.len()) == Some(&b' ')
    })
}

/// `MINISTERIO PUBLICO` of a state: named so, or by the name of the state; those of the Union are federal.
fn is_state_prosecution(name: &str) -> bool {
    let of_the_union = ["da uniao", "federal", "do trabalho", "militar", "eleitoral"];
    has(name, "ministerio publico")
        && !has_any(name, &of_the_union)
        && (has_any(name, &["do estado", "estadual"])
            || STATES.iter().any(|(_, state)| name.contains(&format!(" {state} "))))
}

/// `TJSP`, `TJ SP`, `TCE BA`: a court's acronym and the state's.
fn has_state_court_acronym(name: &str) -> bool {
    let mut words = name.split_ascii_whitespace().peekable();
    while let Some(word) = words.next() {
        let glued = ["tce", "tj"].iter().find_map(|court| word.strip_prefix(court));
        let rest = match glued {
            Some("") => words.peek().copied().unwrap_or_default(),
            Some(rest) => rest,
            None => continue,
        };
        if STATES.iter().any(|(uf, _)| *uf == rest) {
            return true;
        }
    }
    false
}

/// The word `FEDERAL`, save in `DISTRITO FEDERAL`, or `MINISTERIO`, save in `MINISTERIO PUBLICO`.
fn has_federal_word(name: &str) -> bool {
    let words = name.split_ascii_whitespace();
    let pairs = std::iter::once("").chain(words.clone()).zip(words.clone().chain(std::iter::once("")));
    let federal = |(before, word): (&str, &str)| matches!(word, "federal" | "federais") && before != "distrito";
    let ministry = |(word, after): (&str, &str)| word == "ministerio" && after != "publico";
    pairs.clone().any(federal) || pairs.clone().any(ministry)
}

/// A federal body's acronym as a word of its own; of the regional courts also with the number glued (`TRF5`).
fn has_federal_acronym(name: &str) -> bool {
    let mut words = name.split_ascii_whitespace().peekable();
    while let Some(word) = words.next() {
        let regional = ["trf", "trt"]
            .iter()
            .find_map(|court| word.strip_prefix(court))
            .is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
        let electoral = match word.strip_prefix("tre") {
            Some("") => words.peek().is_some_and(|next| is_uf(next)),
            Some(rest) => is_uf(rest),
            None => false,
        };
        if regional || electoral || FEDERAL_ACRONYMS.contains(&word) {
            return true;
        }
    }
    false
}

fn is_uf(word: &str) -> bool {
    word == "df" || STATES.iter().any(|(uf, _)| *uf == word)
}

/// `ESTADO DE RORAIMA`, `GOVERNO DE PERNAMBUCO`. `NO ESTADO DE …` only says where a body sits, and a town's
/// school may be called `ESCOLA MUNICIPAL ESTADO DA BAHIA`.
fn names_a_state(name: &str) -> bool {
    let of_a_town = has_any(name, TOWN_WORD);
    STATES.iter().any(|(_, state)| {
        ["de", "do", "da"].iter().any(|article| {
            has(name, &format!("governo {article} {state}"))
                || (!of_a_town
                    && has(name, &format!("estado {article} {state}"))
                    && !has(name, &format!("no estado {article} {state}")))
        })
    })
}

fn is_consortium_of_towns(name: &str) -> bool {
    has(name, "consorcio") && has_any(name, &["intermunicipal", "municipios"])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expected: Option<Sphere>, names: &[&str]) {
        for name in names {
            assert_eq!(sphere_of_body(name, None), expected, "{name}");
        }
    }

    #[test]
    fn towns() {
        check(
            Some(Sphere::M),
            &[
                "Prefeitura Municipal de Maricá - RJ",
                "PREFEITURA DE FARROUPILHA",
                "MUNICIPIO DE VITORIA",
                "CÂMARA MUNICIPAL DE MARÍLIA",
                "Controladoria-Geral do Município de São Paulo - SP",
                "Estado de São Paulo - Prefeitura Municipal de Bauru",
                "Fundo Municipal de Saúde de João Pessoa (PB)",
                "SERVICO MUN. DE AGUA E SANEA BAS E INFRAE.",
                "Tribunal de Contas do Município de São Paulo",
                "INSTITUTO DE PREV.SOC. DOS SERV.MUN. BARUERI",
                "Consórcio Intermunicipal de Saúde do Vale",
                "Prefeitura Municipal de União da Vitória",
                "Escola Municipal Estado da Bahia",
                "Prefeitura Municipal de Ministro Andreazza",
            ],
        );
    }

    #[test]
    fn the_federation() {
        check(
            Some(Sphere::F),
            &[
                "MINISTÉRIO DA SAÚDE",
                "MIN.DA GEST.E DA INOVACAO EM SERVICOS PUBLICO",
                "MINIST.DESENV.ASSIT.SOCIAL FAMI. COMBATE FOME",
                "Universidade Federal Rural de Pernambuco",
                "UNIVERSIDADE TECNOLOGICA FEDERAL DO PARANA",
                "INST.FED.DE EDUC.,CIENC.E TEC.DO CEARA",
                "COMANDO DO EXÉRCITO",
                "COMANDO DA MARINHA",
                "Receita Federal do Brasil",
                "TRIBUNAL DE CONTAS DA UNIÃO",
                "Tribunal Regional do Trabalho da 10a Região",
                "1o Grau - TRF5 / Secao Judiciaria da Paraiba / Varas / 8a VARA FEDERAL - SOUSA/PB",
                "TRE-SP",
                "SUPERIOR TRIBUNAL DE JUSTICA",
                "MINISTERIO DEFESA",
                "MINISTERIO PUBLICO DA UNIAO",
                "BANCO DO BRASIL S/A",
                "Petróleo Brasileiro S.A.",
                "INSS - Gerência Executiva no Distrito Federal",
                "Superintendência Federal de Agricultura no Estado de Goiás",
                "Tribunal de Justiça do Distrito Federal e Territórios",
                "CONSELHO REGIONAL DE MEDICINA DO ESTADO DE SAO PAULO",
                "Prefeitura Universitária da Universidade Federal da Paraíba",
            ],
        );
    }

    #[test]
    fn the_states() {
        check(
            Some(Sphere::E),
            &[
                "Governo do Estado da Bahia (BA)",
                "ESTADO DE RORAIMA",
                "Governo de Pernambuco",
                "Secretaria de Estado de Gestão e Recursos Humanos - SEGER (ES)",
                "Controladoria  Geral do Estado de Minas Gerais - MG",
                "Tribunal de Justiça de Minas Gerais",
                "Tribunal de Justica do Estado de Goias / 1o Grau - TJGO / MINACU / Vara das Fazendas Publicas Municipal",
                "TJ-SP",
                "Tribunal de Contas dos Municípios do Estado da Bahia",
                "Ministério Público do Estado do Paraná",
                "Ministério Público de Santa Catarina",
                "Assembleia Legislativa de Goiás",
                "Universidade Estadual de Campinas",
                "Companhia Estadual de Aguas e Esgotos do Rio de Janeiro - CEDAE",
                "Polícia Militar do Estado de Santa Catarina - SC",
            ],
        );
    }

    #[test]
    fn the_federal_district() {
        check(
            Some(Sphere::D),
            &[
                "Controladoria-Geral do Distrito Federal - CGDF",
                "SECRETARIA DE ESTADO DE SAUDE DO DISTRITO FEDERAL",
                "Câmara Legislativa do Distrito Federal",
                "Tribunal de Contas do Distrito Federal",
                "DISTRITO FEDERAL",
            ],
        );
        assert_eq!(sphere_of_body("Secretaria de Estado de Saúde", Some("DF")), Some(Sphere::D));
        assert_eq!(sphere_of_body("Secretaria de Estado de Saúde", Some("GO")), Some(Sphere::E));
    }

    #[test]
    fn what_the_name_does_not_say_is_not_guessed() {
        check(
            None,
            &[
                "",
                "SECRETARIA DE SAUDE",
                "Ministério Público",
                "SEMASA",
                "SESI - Departamento Regional do Estado do Ceará",
                "Associação dos Municípios do Estado de Goiás",
                "Companhia Docas do Estado de São Paulo",
                "PREFEITURA DO CAMPUS",
                "Companhia de Saneamento de Minas Gerais - COPASA (MG)",
                "FEDERAL CONSTRUCOES LTDA",
                "Instituto Estadual de Apoio Municipal",
                "Superintendência Regional no Estado de Goiás",
            ],
        );
    }

    #[test]
    fn a_sphere_is_written_as_its_letter() {
        for sphere in [Sphere::F, Sphere::E, Sphere::M, Sphere::D] {
            assert_eq!(serde_json::to_string(&sphere).unwrap(), format!("\"{}\"", sphere.code()));
            assert_eq!(Sphere::from_code(sphere.code()), Some(sphere));
        }
        assert_eq!(Sphere::from_code("N"), None);
    }

    #[test]
    fn the_tables_are_written_as_names_are_compared() {
        let tables = [
            NOBODYS,
            FEDERAL_COURT,
            STATE_JUSTICE,
            TOWN,
            NOT_A_TOWN,
            FEDERAL,
            FEDERAL_ACRONYMS,
            OF_THE_DISTRICT,
            STATE,
            STATE_WORD,
            TOWN_WORD,
        ];
        for phrase in tables.concat() {
            assert_eq!(normal_name(phrase), phrase);
        }
    }
}
