//! The export that the Portal's page offers: fewer columns, other spellings, and the quirks of people's files.
//!
//! Its contracts are of units that have no other file here, so that no contract is counted twice.

use std::io;
use std::path::{Path, PathBuf};

use crate::FileSummary;
use crate::bytes::{push_number, push_padded, push_page_money};
use crate::csv::{Csv, Dialect};
use crate::days::{Day, YEAR_MIN};
use crate::party::Party;
use crate::plan::YEARS;
use crate::world::World;

const HEADER: &str = "DATA ASSINATURA CONTRATO;DATA PUBLICAÇÃO DOU;DATA INÍCIO VIGÊNCIA;DATA FIM VIGÊNCIA;\
    ORGÃO SUPERIOR CONTRATANTE;ÓRGÃO / ENTIDADE VINCULADA CONTRATANTE;UNIDADE GESTORA CONTRATANTE;\
    FORMA DE CONTRATAÇÃO;GRUPO DE OBJETO DE CONTRATAÇÃO;NÚMERO DO CONTRATO;NOME DO FORNECEDOR;\
    CPF / CNPJ DO FORNECEDOR;SITUAÇÃO;VALOR CONTRATADO";

/// Units that appear in these files only.
const UNITS: u32 = 40;

/// Writes one file a year with a hundredth of the contracts.
pub(crate) fn write(out: &Path, world: &World, files: &mut Vec<FileSummary>) -> io::Result<()> {
    const FORMS: [&str; 6] = [
        "Pregão - Registro de Preço",
        "Pregão",
        "Inexigibilidade de Licitação",
        "Dispensa de Licitação",
        "Sem Informação",
        "Tomada de Preços",
    ];
    const GROUPS: [&str; 5] = ["Outros", "Serviços", "Materiais", "Obras", "Bens patrimoniais"];
    const STATES: [&str; 3] = ["Não se aplica", "Fechado", "Pendente"];
    let mut rng = world.rng(0x0E_7907);
    let total = (world.contracts / 100).max(50) / YEARS as u64;
    let mut numbers = [0u32; UNITS as usize];
    for year in YEAR_MIN..YEAR_MIN + YEARS as i32 {
        let path = PathBuf::from(format!("portal-ui/contratos_{year}.csv"));
        let dialect = Dialect { latin1: false, crlf: false, trailing: true, separator: b';' };
        let mut csv = Csv::create(&out.join(&path), dialect, HEADER)?;
        numbers.fill(0);
        for at in 0..total {
            let activity = World::activity(&mut rng, None);
            let first = Day::of(year, 1, 1);
            let day = first.plus((at * 364 / total.max(1)) as u32).on_a_weekday(first);
            let unit = rng.below(UNITS);
            let host = &world.units[unit as usize % world.units.len()];
            csv.plain(day.brazilian());
            csv.plain(if rng.below(60) == 0 { b"" } else { day.plus(rng.between(1, 40)).brazilian() });
            csv.plain(day.plus(rng.below(10)).brazilian());
            csv.plain(if rng.below(60) == 0 { b"" } else { day.plus(rng.between(60, 700)).brazilian() });
            csv.plain(host.superior.as_bytes());
            csv.plain(host.body_name.as_bytes());
            csv.field(|buffer| {
                buffer.extend_from_slice("POSTO FICTÍCIO ".as_bytes());
                push_number(buffer, u64::from(unit) + 1);
            });
            csv.plain(FORMS[rng.weighted(&[30, 24, 20, 16, 9, u32::from(year < 2024)])].as_bytes());
            csv.plain(GROUPS[rng.weighted(&[50, 37, 6, 4, 3])].as_bytes());
            numbers[unit as usize] += 1;
            csv.field(|buffer| {
                push_padded::<5>(buffer, u64::from(numbers[unit as usize]));
                buffer.push(b'/');
                push_number(buffer, year as u64);
            });
            // The first rows of a file show each quirk, so that the smallest sample has them all.
            let quirk = if at < 4 { at as u32 } else { rng.below(200) };
            let party = match quirk {
                1 => Party::NotStated,
                2 => Party::Foreign(rng.below(400)),
                _ => world.market.supplier(&mut rng, activity),
            };
            csv.field(|buffer| party.push_name(buffer));
            csv.field(|buffer| party.push_written_code(buffer));
            csv.plain(STATES[rng.weighted(&[985, 13, 2])].as_bytes());
            let cents = World::target_cents(&mut rng, activity, 1.0);
            csv.field(|buffer| match quirk {
                0 => push_page_money(buffer, -cents),
                3..14 => push_page_money(buffer, 0),
                _ => push_page_money(buffer, cents),
            });
            csv.end_row()?;
        }
        files.push(FileSummary { path, source: "portal-ui", rows: csv.finish()? });
    }
    Ok(())
}
