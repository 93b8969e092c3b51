//! Descriptions of what a contract is for.
//!
//! A text names its activity in plain words (one in ten is vague and does not) and is made of many independent
//! parts, so that two ordinary contracts are hardly ever near-duplicates: what is planted as a duplicate must
//! stand out from all others. The common words name no activity, person, place or body that exists.

use crate::bytes::{push_number, push_padded};
use crate::catalog::Activity;
use crate::rng::Rng;

const OPENINGS: &[&str] = &[
    "Contratação de empresa para ",
    "Objeto: ",
    "Contratação de pessoa jurídica para ",
    "Contrato que tem por objeto ",
    "O presente instrumento tem por objeto ",
    "Constitui objeto deste ajuste: ",
    "Contratação, sob demanda, para ",
    "Contratação direta ou por certame, conforme o processo, para ",
    "Registro de preços com vistas a ",
    "Ajuste destinado a ",
    "Avença relativa a ",
    "Seleção da proposta mais vantajosa para ",
];

const PURPOSES: &[&str] = &[
    "para atender às necessidades da unidade administrativa",
    "em apoio às atividades finalísticas do órgão",
    "destinado ao almoxarifado central",
    "visando à continuidade das atividades no próximo semestre",
    "conforme demanda apurada pelo setor requisitante",
    "para suprir as coordenações descentralizadas",
    "com a finalidade de recompor o estoque mínimo",
    "para uso dos setores de atendimento ao público",
    "em substituição ao ajuste anterior, encerrado por decurso de prazo",
    "para atendimento do programa anual de ações",
    "segundo o plano anual de contratações",
    "destinado às unidades do interior",
    "para as equipes volantes e plantonistas",
    "com recursos do orçamento corrente",
    "para execução da etapa prevista no termo de referência",
    "em cumprimento da meta pactuada com a direção",
    "para os novos blocos entregues neste exercício",
    "para o conjunto de seções indicadas no anexo",
    "destinado aos programas de extensão",
    "com vistas à reposição do que foi consumido no exercício anterior",
    "para o funcionamento regular das coordenadorias",
    "a fim de atender a solicitação das chefias regionais",
    "para as frentes de trabalho temporárias",
    "tendo em vista o crescimento da procura na região",
];

const PLACES: &[&str] = &[
    "no bloco",
    "na sala",
    "no pavilhão",
    "no anexo",
    "na ala",
    "no setor",
    "no depósito",
    "no posto avançado",
    "no núcleo",
    "no polo",
    "na gleba",
    "na quadra",
    "na subunidade",
    "na estação",
    "no módulo",
    "na base",
];

const PLACE_NAMES: &[&str] = &[
    "Alvorada",
    "Boa Brisa",
    "Campo Sereno",
    "Delta Azul",
    "Estrela Verde",
    "Flor do Cerrado",
    "Girassol",
    "Horizonte",
    "Ipê Roxo",
    "Jardim do Lago",
    "Laranjal",
    "Mirante",
    "Nascente",
    "Oásis",
    "Pedra Lisa",
    "Quatro Ventos",
    "Recanto",
    "Serra Clara",
    "Trilha Alta",
    "Umbuzeiro",
    "Várzea Nova",
    "Xaxim",
    "Zênite",
    "Água Mansa",
];

const TERMS: &[&str] = &[
    "com entrega em até {} dias",
    "em {} parcelas",
    "com quantitativo estimado de {} unidades",
    "pelo prazo de {} dias corridos",
    "com garantia mínima de {} dias",
    "limitado a {} solicitações",
    "distribuído em {} remessas",
    "mediante ordem de número {}",
    "conforme a planilha de {} linhas",
    "com franquia de {} ocorrências",
    "a contar da ordem {}",
    "em lote de {} volumes",
];

const REMARKS: &[&str] = &[
    "observadas as especificações do edital e de seus anexos",
    "nos termos da proposta vencedora, que integra este instrumento",
    "sem prejuízo das demais obrigações assumidas",
    "com fiscalização por comissão designada em portaria",
    "vedada a subcontratação total do objeto",
    "admitida a prorrogação nos limites legais",
    "com pagamento após o ateste da nota fiscal",
    "em regime de execução indireta por preço unitário",
    "com reajuste anual pelo índice pactuado",
    "incluídos tributos e encargos",
    "de acordo com o cronograma físico aprovado",
    "com critérios de sustentabilidade",
    "na forma do estudo técnico preliminar",
    "dispensada a garantia contratual",
    "com exigência de amostra prévia",
    "segundo as quantidades do anexo II",
];

const VAGUE: &[&str] = &[
    "atender demanda conforme termo de referência",
    "itens diversos conforme especificado no edital",
    "despesas diversas da unidade",
    "execução do objeto descrito no processo",
    "itens remanescentes do certame",
    "demandas gerais, conforme anexo I",
    "o que consta da requisição",
    "fornecimento conforme proposta",
];

/// Appends the description of a contract of `year`; without an activity, a vague one.
pub(crate) fn push_object(out: &mut Vec<u8>, rng: &mut Rng, activity: Option<&Activity>, year: i32) {
    let core = match activity {
        Some(activity) => rng.pick(activity.cores),
        None => rng.pick(VAGUE),
    };
    push_about(out, rng, core, year);
}

fn push_about(out: &mut Vec<u8>, rng: &mut Rng, core: &str, year: i32) {
    match rng.below(4) {
        0 => {
            push(out, rng.pick(OPENINGS));
            push(out, core);
            push_part(out, ", ", |o| push_term(o, rng));
            push_part(out, ", ", |o| push_purpose_and_place(o, rng));
            push_process(out, b". Processo ", rng, year);
        }
        1 => {
            push_capital(out, core);
            push_part(out, " ", |o| push_purpose_and_place(o, rng));
            push(out, "; ");
            push(out, rng.pick(REMARKS));
            push_part(out, ", ", |o| push_term(o, rng));
            push_process(out, b" - processo administrativo ", rng, year);
        }
        2 => {
            push_process(out, b"Proc. ", rng, year);
            push(out, " - ");
            push(out, rng.pick(OPENINGS));
            push(out, core);
            push(out, " ");
            push(out, rng.pick(PURPOSES));
            push_part(out, ", ", |o| push_place(o, rng));
            push_part(out, ", ", |o| push_term(o, rng));
            push(out, ".");
        }
        _ => {
            push(out, rng.pick(OPENINGS));
            push(out, core);
            push(out, " ");
            push_place(out, rng);
            push_part(out, ", ", |o| push_term(o, rng));
            push(out, ", ");
            push(out, rng.pick(REMARKS));
            push_part(out, " (requisição ", |o| push_number(o, u64::from(rng.between(100, 99_999))));
            push_process(out, b", processo ", rng, year);
            push(out, ").");
        }
    }
}

/// A whole description on its own.
/// A description around this core.
pub(crate) fn object_about(rng: &mut Rng, core: &str, year: i32) -> String {
    let mut out = Vec::with_capacity(320);
    push_about(&mut out, rng, core, year);
    String::from_utf8(out).expect("every part is UTF-8")
}

pub(crate) fn object(rng: &mut Rng, activity: Option<&Activity>, year: i32) -> String {
    let mut out = Vec::with_capacity(320);
    push_object(&mut out, rng, activity, year);
    String::from_utf8(out).expect("every part is UTF-8")
}

fn push(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

/// The cores begin with an ASCII letter.
fn push_capital(out: &mut Vec<u8>, text: &str) {
    out.push(text.as_bytes()[0].to_ascii_uppercase());
    out.extend_from_slice(&text.as_bytes()[1..]);
}

fn push_part(out: &mut Vec<u8>, joint: &str, part: impl FnOnce(&mut Vec<u8>)) {
    push(out, joint);
    part(out);
}

fn push_purpose_and_place(out: &mut Vec<u8>, rng: &mut Rng) {
    push(out, rng.pick(PURPOSES));
    push(out, " ");
    push_place(out, rng);
}

fn push_place(out: &mut Vec<u8>, rng: &mut Rng) {
    push(out, rng.pick(PLACES));
    push(out, " ");
    push(out, rng.pick(PLACE_NAMES));
    push(out, " ");
    push_number(out, u64::from(rng.between(1, 999)));
}

fn push_term(out: &mut Vec<u8>, rng: &mut Rng) {
    let term = rng.pick(TERMS);
    let (before, after) = term.split_once("{}").unwrap_or((term, ""));
    push(out, before);
    push_number(out, u64::from(rng.between(2, 9_999)));
    push(out, after);
}

/// `23098.001540/2021-16`, invented; opened in this year or the one before.
pub(crate) fn push_process(out: &mut Vec<u8>, before: &[u8], rng: &mut Rng, year: i32) {
    out.extend_from_slice(before);
    let bits = rng.next();
    push_padded::<5>(out, bits % 100_000);
    out.push(b'.');
    push_padded::<6>(out, (bits >> 20) % 1_000_000);
    out.push(b'/');
    push_number(out, year as u64 - u64::from((bits >> 50).is_multiple_of(4)));
    out.push(b'-');
    push_padded::<2>(out, (bits >> 56) % 100);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::ACTIVITIES;
    use std::collections::HashSet;

    fn shingles(text: &str) -> HashSet<Vec<char>> {
        text.chars().collect::<Vec<_>>().windows(5).map(<[char]>::to_vec).collect()
    }

    #[test]
    fn ordinary_texts_are_not_near_duplicates() {
        let mut rng = Rng::new(3, 3);
        let texts: Vec<_> = (0..400).map(|_| shingles(&object(&mut rng, Some(ACTIVITIES[0]), 2023))).collect();
        let closest = texts.iter().enumerate().flat_map(|(at, a)| texts[..at].iter().map(move |b| (a, b))).fold(
            0.0f64,
            |closest, (a, b)| {
                let common = a.intersection(b).count() as f64;
                closest.max(common / (a.len() as f64 + b.len() as f64 - common))
            },
        );
        assert!(closest < 0.8, "{closest}");
    }

    #[test]
    fn the_common_words_name_no_activity() {
        let keys = [
            "limpeza",
            "vigil",
            "aliment",
            "medic",
            "expediente",
            "combust",
            "loca",
            "inform",
            "comput",
            "manuten",
            "mobili",
            "treina",
            "publica",
            "jardi",
            "obra",
            "pneu",
            "hospital",
        ];
        let common = [OPENINGS, PURPOSES, PLACES, PLACE_NAMES, TERMS, REMARKS, VAGUE].concat();
        let read: Vec<_> = common.iter().filter(|text| model::activity::activity_of_text(text).is_some()).collect();
        assert!(read.is_empty(), "the rule for texts finds an activity in {read:?}");
        for text in common {
            assert!(!keys.iter().any(|key| text.to_lowercase().contains(key)), "{text}");
        }
    }
}
