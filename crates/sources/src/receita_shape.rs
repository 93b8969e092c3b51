//! What the Receita's files look like: they have no header, so the fields of the first rows tell what they are.
//!
//! The lists of codes all have two fields; among them the file's name decides, or else the width of the codes where
//! only one list has it. A list that neither tells is unknown.

use chrono::{Datelike, NaiveDate};

use crate::csv_rows::Cells;

/// Names of the columns of companies, in the order of the file.
pub(crate) const COMPANIES: &[&str] = &[
    "CNPJ básico",
    "Razão social",
    "Natureza jurídica",
    "Qualificação do responsável",
    "Capital social",
    "Porte",
    "Ente federativo responsável",
];

/// Names of the columns of establishments.
pub(crate) const ESTABLISHMENTS: &[&str] = &[
    "CNPJ básico",
    "CNPJ ordem",
    "CNPJ DV",
    "Matriz ou filial",
    "Nome fantasia",
    "Situação cadastral",
    "Data da situação cadastral",
    "Motivo da situação cadastral",
    "Nome da cidade no exterior",
    "País",
    "Data de início da atividade",
    "CNAE principal",
    "CNAE secundária",
    "Tipo de logradouro",
    "Logradouro",
    "Número",
    "Complemento",
    "Bairro",
    "CEP",
    "UF",
    "Município",
    "DDD 1",
    "Telefone 1",
    "DDD 2",
    "Telefone 2",
    "DDD do fax",
    "Fax",
    "Correio eletrônico",
    "Situação especial",
    "Data da situação especial",
];

/// Names of the columns of partners.
pub(crate) const PARTNERS: &[&str] = &[
    "CNPJ básico",
    "Identificador de sócio",
    "Nome do sócio",
    "CNPJ ou CPF do sócio",
    "Qualificação do sócio",
    "Data de entrada na sociedade",
    "País",
    "CPF do representante legal",
    "Nome do representante legal",
    "Qualificação do representante legal",
    "Faixa etária",
];

/// Names of the columns of Simples.
pub(crate) const SIMPLES: &[&str] = &[
    "CNPJ básico",
    "Opção pelo Simples",
    "Data de opção pelo Simples",
    "Data de exclusão do Simples",
    "Opção pelo MEI",
    "Data de opção pelo MEI",
    "Data de exclusão do MEI",
];

/// Names of the columns of the lists of codes.
pub(crate) const TERMS: &[&str] = &["Código", "Descrição"];

/// The eight characters that the establishments of a legal person share.
pub(crate) fn is_root(text: &str) -> bool {
    text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

/// The four characters of an establishment.
pub(crate) fn is_order(text: &str) -> bool {
    text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

fn is_digits(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_day(text: &str) -> bool {
    matches!(text, "" | "0") || is_digits(text, 8)
}

fn is_yes_or_no(text: &str) -> bool {
    matches!(text, "" | "S" | "N")
}

fn is_capital(text: &str) -> bool {
    let (whole, cents) = text.split_once(',').unwrap_or((text, "00"));
    !whole.is_empty() && whole.bytes().all(|b| b.is_ascii_digit()) && is_digits(cents, 2)
}

/// Whether a row is a company's.
pub(crate) fn is_company(_: &str, row: Cells<'_>) -> bool {
    let field = |column| row.exact(column).trim();
    row.len() == COMPANIES.len()
        && is_root(field(0))
        && is_digits(field(2), 4)
        && is_digits(field(3), 2)
        && is_capital(field(4))
        && (field(5).is_empty() || is_digits(field(5), 2))
}

/// Whether a row is an establishment's.
pub(crate) fn is_establishment(_: &str, row: Cells<'_>) -> bool {
    let field = |column| row.exact(column).trim();
    row.len() == ESTABLISHMENTS.len()
        && is_root(field(0))
        && is_order(field(1))
        && is_digits(field(2), 2)
        && is_digits(field(3), 1)
        && is_digits(field(5), 2)
        && is_day(field(6))
        && is_day(field(10))
}

/// Whether a row is a partner's.
pub(crate) fn is_partner(_: &str, row: Cells<'_>) -> bool {
    let field = |column| row.exact(column).trim();
    row.len() == PARTNERS.len()
        && is_root(field(0))
        && is_digits(field(1), 1)
        && is_digits(field(4), 2)
        && is_day(field(5))
        && is_digits(field(10), 1)
}

/// Whether a row says who is in Simples.
pub(crate) fn is_simples(_: &str, row: Cells<'_>) -> bool {
    let field = |column| row.exact(column).trim();
    row.len() == SIMPLES.len()
        && is_root(field(0))
        && [1, 4].into_iter().all(|column| is_yes_or_no(field(column)))
        && [2, 3, 5, 6].into_iter().all(|column| is_day(field(column)))
}

/// A list: what its file's name holds, the width of its codes, and whether no other list has that width.
struct List {
    named: &'static str,
    width: usize,
    alone: bool,
}

const LISTS: [List; 6] = [
    List { named: "CNAE", width: 7, alone: true },
    List { named: "MOTI", width: 2, alone: false },
    List { named: "MUNIC", width: 4, alone: false },
    List { named: "NATJU", width: 4, alone: false },
    List { named: "PAIS", width: 3, alone: true },
    List { named: "QUAL", width: 2, alone: false },
];

fn is_of_list(which: usize, file_name: &str, row: Cells<'_>) -> bool {
    let list = &LISTS[which];
    if row.len() != TERMS.len() || !is_digits(row.exact(0).trim(), list.width) || row.exact(1).trim().is_empty() {
        return false;
    }
    let name = file_name.to_ascii_uppercase();
    match LISTS.iter().find(|l| name.contains(l.named)) {
        Some(named) => named.named == list.named,
        None => list.alone,
    }
}

/// Whether a row is of the list of activities.
pub(crate) fn is_activity(file_name: &str, row: Cells<'_>) -> bool {
    is_of_list(0, file_name, row)
}

/// Whether a row is of the list of reasons of a status.
pub(crate) fn is_reason(file_name: &str, row: Cells<'_>) -> bool {
    is_of_list(1, file_name, row)
}

/// Whether a row is of the list of municipalities.
pub(crate) fn is_municipality(file_name: &str, row: Cells<'_>) -> bool {
    is_of_list(2, file_name, row)
}

/// Whether a row is of the list of legal natures.
pub(crate) fn is_nature(file_name: &str, row: Cells<'_>) -> bool {
    is_of_list(3, file_name, row)
}

/// Whether a row is of the list of countries.
pub(crate) fn is_country(file_name: &str, row: Cells<'_>) -> bool {
    is_of_list(4, file_name, row)
}

/// Whether a row is of the list of roles.
pub(crate) fn is_role(file_name: &str, row: Cells<'_>) -> bool {
    is_of_list(5, file_name, row)
}

/// The day in a name such as `K3241.K03200Y0.D40914.EMPRECSV`: the year's last digit, month and day.
///
/// The year is the last one up to `today` that ends so.
pub(crate) fn release_day(file_name: &str, today: NaiveDate) -> Option<NaiveDate> {
    let digits = file_name.split('.').find_map(|part| part.strip_prefix('D').filter(|d| is_digits(d, 5)))?;
    let digit: i32 = digits[..1].parse().ok()?;
    let (month, day) = (digits[1..3].parse().ok()?, digits[3..].parse().ok()?);
    let year = today.year() - (today.year() - digit).rem_euclid(10);
    let of_year = |year| NaiveDate::from_ymd_opt(year, month, day).filter(|found| *found <= today);
    of_year(year).or_else(|| of_year(year - 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_of_publication_is_read_from_the_name() {
        let today = NaiveDate::from_ymd_opt(2026, 11, 25).unwrap();
        let found = |name| release_day(name, today).map(|day| day.to_string());
        assert_eq!(found("K3241.K03200Y0.D40914.EMPRECSV").as_deref(), Some("2024-09-14"));
        assert_eq!(found("F.K03200$W.SIMPLES.CSV.D61114").as_deref(), Some("2026-11-14"));
        assert_eq!(found("F.K03200$Z.D61214.CNAECSV").as_deref(), Some("2016-12-14"), "no file is of tomorrow");
        for name in ["Empresas0.csv", "K.D4091.EMPRECSV", "K.D41332.EMPRECSV", "D40914x"] {
            assert_eq!(found(name), None, "{name}");
        }
    }
}
