//! States, and places that are invented.

use crate::rng::scramble;

/// A state: its letters, name, IBGE number and weight among federal units.
#[derive(Debug)]
pub(crate) struct Uf {
    pub(crate) code: &'static str,
    pub(crate) name: &'static str,
    pub(crate) ibge: u32,
    weight: u32,
}

const fn uf(code: &'static str, name: &'static str, ibge: u32, weight: u32) -> Uf {
    Uf { code, name, ibge, weight }
}

pub(crate) static UFS: [Uf; 27] = [
    uf("DF", "Distrito Federal", 53, 15),
    uf("SP", "São Paulo", 35, 13),
    uf("RJ", "Rio de Janeiro", 33, 12),
    uf("MG", "Minas Gerais", 31, 10),
    uf("RS", "Rio Grande do Sul", 43, 8),
    uf("BA", "Bahia", 29, 6),
    uf("PR", "Paraná", 41, 6),
    uf("PE", "Pernambuco", 26, 5),
    uf("CE", "Ceará", 23, 4),
    uf("SC", "Santa Catarina", 42, 4),
    uf("PA", "Pará", 15, 4),
    uf("GO", "Goiás", 52, 4),
    uf("AM", "Amazonas", 13, 3),
    uf("PB", "Paraíba", 25, 3),
    uf("RN", "Rio Grande do Norte", 24, 3),
    uf("MA", "Maranhão", 21, 2),
    uf("ES", "Espírito Santo", 32, 2),
    uf("MT", "Mato Grosso", 51, 2),
    uf("MS", "Mato Grosso do Sul", 50, 2),
    uf("AL", "Alagoas", 27, 2),
    uf("PI", "Piauí", 22, 2),
    uf("SE", "Sergipe", 28, 1),
    uf("RO", "Rondônia", 11, 1),
    uf("TO", "Tocantins", 17, 1),
    uf("AC", "Acre", 12, 1),
    uf("AP", "Amapá", 16, 1),
    uf("RR", "Roraima", 14, 1),
];

/// The state in which number `at` of something sits, as the weights have it.
pub(crate) fn uf_of(at: u64) -> usize {
    let total: u32 = UFS.iter().map(|uf| uf.weight).sum();
    let mut left = (scramble(at) % u64::from(total)) as u32;
    UFS.iter()
        .position(|uf| match left.checked_sub(uf.weight) {
            Some(rest) => {
                left = rest;
                false
            }
            None => true,
        })
        .unwrap_or(0)
}

const SHAPES: &[&str] = &["Vila", "Porto", "Barra", "Lagoa", "Serra", "Campo", "Vale", "Ilha"];
const TRAITS: &[&str] =
    &["da Aurora", "do Luar", "das Brisas", "do Orvalho", "das Estrelas", "do Sereno", "da Neblina", "do Arrebol"];

/// The name of town number `at`: `Vila Fictícia da Aurora 12`.
pub(crate) fn town(at: usize) -> String {
    let ending = if at < 64 { String::new() } else { format!(" {}", at / 64 + 1) };
    let shape = SHAPES[at % 8];
    let word = if ["Porto", "Campo", "Vale"].contains(&shape) { "Fictício" } else { "Fictícia" };
    format!("{shape} {word} {}{ending}", TRAITS[at / 8 % 8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn towns_are_invented_and_differ() {
        let mut names: Vec<String> = (0..2_000).map(town).collect();
        assert!(names.iter().all(|name| name.contains("Fict")));
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 2_000);
    }

    #[test]
    fn the_capital_has_most_federal_units() {
        let mut counts = [0; UFS.len()];
        (0..5_000).for_each(|at| counts[uf_of(at)] += 1);
        assert!(counts[0] > counts[3] && counts.iter().all(|count| *count > 10), "{counts:?}");
    }
}
