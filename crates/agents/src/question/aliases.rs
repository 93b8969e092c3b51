//! Short names of bodies, and abbreviations of words in names.

use super::places::STATES;
use super::words::Word;

/// Short names of two and three letters count only in capitals.
const SHORT: &[(&str, &str)] = &[
    ("ms", "ministerio saude"),
    ("md", "ministerio defesa"),
    ("mf", "ministerio fazenda"),
    ("mj", "ministerio justica"),
    ("mec", "ministerio educacao"),
    ("mjsp", "ministerio justica seguranca publica"),
    ("mma", "ministerio meio ambiente"),
    ("mapa", "ministerio agricultura"),
    ("mcti", "ministerio ciencia tecnologia inovacao"),
    ("mct", "ministerio ciencia tecnologia"),
    ("mgi", "ministerio gestao inovacao"),
    ("mps", "ministerio previdencia social"),
    ("mre", "ministerio relacoes exteriores"),
    ("mme", "ministerio minas energia"),
    ("mte", "ministerio trabalho emprego"),
    ("mds", "ministerio desenvolvimento social"),
    ("minc", "ministerio cultura"),
    ("inss", "instituto nacional seguro social"),
    ("ibama", "instituto brasileiro meio ambiente recursos naturais renovaveis"),
    ("icmbio", "instituto chico mendes conservacao biodiversidade"),
    ("anvisa", "agencia nacional vigilancia sanitaria"),
    ("ans", "agencia nacional saude suplementar"),
    ("aneel", "agencia nacional energia eletrica"),
    ("anatel", "agencia nacional telecomunicacoes"),
    ("antt", "agencia nacional transportes terrestres"),
    ("dnit", "departamento nacional infraestrutura transportes"),
    ("fiocruz", "fundacao oswaldo cruz"),
    ("funasa", "fundacao nacional saude"),
    ("funai", "fundacao nacional povos indigenas"),
    ("fnde", "fundo nacional desenvolvimento educacao"),
    ("inep", "instituto nacional estudos pesquisas educacionais"),
    ("capes", "coordenacao aperfeicoamento pessoal nivel superior"),
    ("ebserh", "empresa brasileira servicos hospitalares"),
    ("embrapa", "empresa brasileira pesquisa agropecuaria"),
    ("correios", "empresa brasileira correios telegrafos"),
    ("pf", "policia federal"),
    ("prf", "policia rodoviaria federal"),
    ("rfb", "receita federal"),
    ("exercito", "comando exercito"),
    ("marinha", "comando marinha"),
    ("aeronautica", "comando aeronautica"),
    ("fab", "comando aeronautica"),
    ("incra", "instituto nacional colonizacao reforma agraria"),
    ("ibge", "instituto brasileiro geografia estatistica"),
    ("iphan", "instituto patrimonio historico artistico nacional"),
    ("unb", "universidade brasilia"),
    ("usp", "universidade sao paulo"),
    ("unicamp", "universidade estadual campinas"),
    ("ufsm", "universidade federal santa maria"),
    ("ufscar", "universidade federal sao carlos"),
    ("unifesp", "universidade federal sao paulo"),
    ("tcu", "tribunal contas uniao"),
    ("stf", "supremo tribunal federal"),
    ("stj", "superior tribunal justica"),
    ("cgu", "controladoria geral uniao"),
    ("agu", "advocacia geral uniao"),
];

/// Short names that are not one word, or whose full name holds more than they say.
const PHRASES: &[(&[&str], &str)] = &[
    (&["receita", "federal"], "receita federal"),
    (&["policia", "rodoviaria", "federal"], "policia rodoviaria federal"),
    (&["policia", "federal"], "policia federal"),
];

/// Bodies of a state, by what stands before its letters.
const OF_STATE: &[(&str, &str)] = &[
    ("uf", "universidade federal"),
    ("if", "instituto federal"),
    ("tj", "tribunal justica"),
    ("tre", "tribunal regional eleitoral"),
    ("tce", "tribunal contas estado"),
];

/// The words of the name that a short name stands for.
pub(super) fn full(word: &str, loud: bool) -> Option<String> {
    let known = SHORT.iter().find(|(short, _)| *short == word && (loud || short.len() > 2));
    if let Some((_, full)) = known {
        return Some((*full).to_owned());
    }
    OF_STATE.iter().find_map(|(before, kind)| {
        let letters = word.strip_prefix(before)?;
        let (_, name) = STATES.iter().find(|(of, _)| of.eq_ignore_ascii_case(letters))?;
        let name: Vec<&str> = name.split(' ').filter(|word| !super::words::joins(word)).collect();
        Some(format!("{kind} {}", name.join(" ")))
    })
}

/// A short name of several words that begins here: its length, and the words of the name.
pub(super) fn phrase(words: &[Word]) -> Option<(usize, &'static str)> {
    PHRASES.iter().find_map(|(phrase, full)| {
        let fits = words.len() >= phrase.len()
            && phrase.iter().zip(words).all(|(said, word)| word.folded == *said && !word.taken)
            && words[..phrase.len() - 1].iter().all(|word| !word.ends);
        fits.then_some((phrase.len(), *full))
    })
}

/// What an abbreviated word of a name stands for.
pub(super) fn abbreviated(word: &str) -> Option<&'static str> {
    Some(match word {
        "min" => "ministerio",
        "univ" => "universidade",
        "fed" => "federal",
        "pref" => "prefeitura",
        "sec" | "secr" => "secretaria",
        "hosp" => "hospital",
        "inst" => "instituto",
        "mun" => "municipal",
        "dep" | "dept" | "depto" => "departamento",
        "gov" => "governo",
        "trib" => "tribunal",
        _ => return None,
    })
}
