//! Who buys: federal units in the Portal's files, towns and states in PNCP's.
//!
//! What every row repeats about a buyer is put together once, quoted and escaped, and then only copied.

use crate::bytes::push_cnpj;
use crate::party::BODY_ROOT;
use crate::places::{UFS, town, uf_of};
use crate::rng::{Rng, scramble};

/// A managing unit of the Union (UASG).
#[derive(Debug)]
pub(crate) struct Unit {
    /// Six digits; real ones begin with 1 to 8, these with 90.
    pub(crate) code: u32,
    pub(crate) uf: usize,
    pub(crate) town: String,
    /// The name of the superior body, as sanctions state it.
    pub(crate) superior: &'static str,
    /// `"superior";"name";"body";"name";`
    pub(crate) bodies: Vec<u8>,
    /// `"body";"name";`
    pub(crate) body: Vec<u8>,
    /// `"unit";"name";`
    pub(crate) unit: Vec<u8>,
    pub(crate) body_name: String,
    /// Of a state company, whose waivers and amendments have limits of their own.
    pub(crate) state_company: bool,
    /// How large its contracts are, relative to others.
    pub(crate) scale: f64,
    /// The activity in which it signs planted contracts only.
    pub(crate) reserved: Option<u8>,
}

const MINISTRIES: &[(u32, &str, &str)] = &[
    (92_000, "Ministério Fictício da Educação", "Instituto Fictício de Ensino"),
    (93_000, "Ministério Fictício da Saúde", "Hospital Fictício Universitário"),
    (94_000, "Ministério Fictício da Defesa", "Comando Fictício de Apoio"),
    (95_000, "Ministério Fictício da Justiça", "Departamento Fictício de Registro"),
    (96_000, "Ministério Fictício da Agricultura", "Empresa Fictícia de Pesquisa"),
    (97_000, "Ministério Fictício do Meio Ambiente", "Instituto Fictício de Conservação"),
    (98_000, "Ministério Fictício dos Transportes", "Departamento Fictício de Vias"),
    (99_000, "Ministério Fictício da Cultura", "Fundação Fictícia de Memória"),
];

/// The federal units; the last `reserved` of them keep one activity for planted cases.
pub(crate) fn federal_units(contracts: u64, seed: u64, reserved: usize, activities: u8) -> Vec<Unit> {
    let count = (contracts / 400).clamp(20, 4_000) as usize;
    let mut rng = Rng::new(seed, 0x0F_ED);
    (0..count)
        .map(|at| {
            let scale = (0.45 * rng.normal()).exp();
            let ministry = scramble(at as u64 ^ 0xFE_DE) as usize % MINISTRIES.len();
            federal_unit(at, ministry, scale, reserved_activity(at, count, reserved, activities))
        })
        .collect()
}

/// Adds units that sign planted contracts only.
pub(crate) fn add_special_units(units: &mut Vec<Unit>, count: usize) {
    let from = units.len();
    // Of the first four ministries, none of which has a state company.
    units.extend((from..from + count).map(|at| federal_unit(at, at % 4, 1.0, None)));
}

fn federal_unit(at: usize, ministry: usize, scale: f64, reserved: Option<u8>) -> Unit {
    let bits = scramble(at as u64 ^ 0xFE_DE);
    let (superior_code, superior, kind) = MINISTRIES[ministry];
    let uf = uf_of(at as u64 + 77);
    let town = town((bits >> 8) as usize % 64);
    let body_at = (bits >> 20) as u32 % 9;
    let body_name = format!("{kind} {}", body_at + 1);
    let code = 900_001 + at as u32;
    let name = format!("UNIDADE FICTÍCIA {:04}/{}", at + 1, UFS[uf].code);
    let body = format!("\"{}\";\"{body_name}\";", superior_code + 1 + body_at).into_bytes();
    Unit {
        code,
        uf,
        superior,
        bodies: [format!("\"{superior_code}\";\"{superior}\";").as_bytes(), &body].concat(),
        body,
        unit: format!("\"{code}\";\"{name}\";").into_bytes(),
        body_name,
        state_company: kind.starts_with("Empresa"),
        town: town.to_uppercase(),
        scale,
        reserved,
    }
}

/// A unit of a town or a state.
#[derive(Debug)]
pub(crate) struct LocalUnit {
    /// Which body it is of; counters run by body.
    pub(crate) body: usize,
    pub(crate) cnpj: String,
    pub(crate) body_name: String,
    pub(crate) code: String,
    pub(crate) uf: usize,
    pub(crate) town: bool,
    /// `"orgaoEntidade":{…}` as PNCP writes it.
    pub(crate) body_json: Vec<u8>,
    /// `"unidadeOrgao":{…}` as PNCP writes it.
    pub(crate) unit_json: Vec<u8>,
    pub(crate) scale: f64,
    pub(crate) reserved: Option<u8>,
}

/// The units of towns and states, two to a body; one body in nine is a state's.
pub(crate) fn local_units(contracts: u64, seed: u64, reserved: usize, activities: u8) -> Vec<LocalUnit> {
    let count = (contracts / 600).clamp(16, 3_000) as usize;
    let mut rng = Rng::new(seed, 0x10_CA);
    (0..count)
        .map(|at| {
            let body = at / 2;
            let is_town = body % 9 != 8;
            // The Federal District has no towns.
            let uf = (0..).map(|turn| uf_of(body as u64 + turn * 9_000 + 9_000)).find(|uf| UFS[*uf].code != "DF");
            let uf = uf.expect("most states are not the Federal District");
            let town_name = town(body);
            let mut cnpj = Vec::with_capacity(14);
            push_cnpj(&mut cnpj, BODY_ROOT + body as u32, 1);
            let cnpj = String::from_utf8(cnpj).expect("a CNPJ is ASCII");
            let (body_name, sphere) = if is_town {
                (format!("MUNICÍPIO FICTÍCIO DE {}", town_name.to_uppercase()), "M")
            } else {
                (format!("ESTADO FICTÍCIO DE {}", town_name.to_uppercase()), "E")
            };
            let (code, unit_name) = match (at % 2, is_town) {
                (0, true) => ("1".to_owned(), format!("PREFEITURA FICTÍCIA DE {}", town_name.to_uppercase())),
                (0, false) => ("1".to_owned(), "SECRETARIA DE ESTADO FICTÍCIA DE ADMINISTRAÇÃO".to_owned()),
                (_, true) => ("2".to_owned(), "FUNDO MUNICIPAL FICTÍCIO DE SAÚDE".to_owned()),
                (_, false) => ("2".to_owned(), "SECRETARIA DE ESTADO FICTÍCIA DE SAÚDE".to_owned()),
            };
            let (letters, uf_name) = (UFS[uf].code, UFS[uf].name);
            let ibge = UFS[uf].ibge * 100_000 + 90_000 + body as u32;
            let body_json = format!(
                "\"orgaoEntidade\":{{\"cnpj\":\"{cnpj}\",\"razaoSocial\":\"{body_name}\",\"poderId\":\"{}\",\"esferaId\":\"{sphere}\"}}",
                if body % 3 == 0 { "N" } else { "E" }
            );
            let unit_json = format!(
                "\"unidadeOrgao\":{{\"ufNome\":\"{uf_name}\",\"codigoIbge\":\"{ibge}\",\"codigoUnidade\":\"{code}\",\
                 \"nomeUnidade\":\"{unit_name}\",\"ufSigla\":\"{letters}\",\"municipioNome\":\"{town_name}\"}}"
            );
            LocalUnit {
                body,
                cnpj,
                body_name,
                code,
                uf,
                town: is_town,
                body_json: body_json.into_bytes(),
                unit_json: unit_json.into_bytes(),
                scale: (0.45 * rng.normal()).exp(),
                reserved: reserved_activity(at, count, reserved, activities),
            }
        })
        .collect()
}

/// The least bought from are the last; each of the last `reserved` keeps another activity.
fn reserved_activity(at: usize, count: usize, reserved: usize, activities: u8) -> Option<u8> {
    let from_end = count - 1 - at;
    (from_end < reserved).then(|| (from_end % usize::from(activities)) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_units_as_contracts_allow() {
        assert_eq!(federal_units(100, 1, 3, 16).len(), 20);
        assert_eq!(federal_units(40_000, 1, 3, 16).len(), 100);
        assert_eq!(federal_units(10_000_000, 1, 3, 16).len(), 4_000);
        assert_eq!(local_units(10_000_000, 1, 3, 16).len(), 3_000);
    }

    #[test]
    fn every_name_says_that_it_is_fictitious() {
        for unit in local_units(1_000, 1, 3, 16) {
            assert!(unit.body_name.contains("FICTÍCI"));
            let json = format!("{{{}}}", String::from_utf8(unit.unit_json).unwrap());
            assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
        }
        assert!(federal_units(1_000, 1, 3, 16).iter().all(|u| u.superior.contains("Fict")));
    }

    #[test]
    fn the_last_units_keep_an_activity() {
        let units = federal_units(1_000, 1, 3, 16);
        assert_eq!(units.iter().filter(|unit| unit.reserved.is_some()).count(), 3);
    }
}
