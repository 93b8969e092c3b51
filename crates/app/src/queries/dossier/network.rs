//! Who is tied to a supplier: by partners, addresses, telephones and e-mail addresses that the register of companies holds, in
//! one step or two. Contact data are compared, never shown.

use std::time::Duration;

use report::dossier::{Cell, Language, Section, Table};

use super::AskDossier;
use super::evidence::Gathering;
use crate::Result;
use crate::views::SupplierDetail;

const SQL: &str = include_str!("network.sql");
/// The most ties that are shown.
const ROWS_MAX: usize = 120;
/// What more companies share than this is not followed.
const DEGREE_MAX: u32 = 50;
/// How long it may be looked for.
const TIME_MAX: Duration = Duration::from_secs(20);

/// The section; where it cannot be looked for in time, it says so.
pub(super) fn section(held: &SupplierDetail, ask: AskDossier, gathering: &mut Gathering<'_>) -> Section {
    let language = ask.language;
    let t = |pt, en| language.say(pt, en);
    let mut section =
        Section::new("rede", t("Rede: quem partilha sócio ou contato", "Network: who shares a partner or a contact"));
    section.text(match language {
        Language::Pt => format!("Pelo cadastro de empresas guardado: no passo 1, quem partilha algo com este fornecedor; no passo 2, quem partilha algo com esses. O que mais de {DEGREE_MAX} empresas partilham (o endereço de um contador, por exemplo) não é seguido. Pessoas são comparadas por CPF mascarado e nome, o que pode confundir homônimos. Partilhar não é irregular por si."),
        Language::En => format!("By the register of companies held: in step 1, who shares something with this supplier; in step 2, who shares something with those. What more than {DEGREE_MAX} companies share (an accountant's address, say) is not followed. Persons are compared by masked CPF and name, which may take namesakes for one. Sharing is not wrong by itself."),
    });
    let unknown = t(
        "A rede não pôde ser procurada no tempo que havia; nada se diz dela.",
        "The network could not be looked for in the time there was; nothing is said of it.",
    );
    match rows(held, ask, gathering) {
        Ok(Some((rows, total))) if rows.is_empty() && total == 0 => section.text(t(
            "Nada que se guarde liga este fornecedor a outra empresa. Sem o cadastro de empresas, isto nada diz.",
            "Nothing that is held ties this supplier to another company. Without the register of companies this says nothing.",
        )),
        Ok(Some((rows, total))) => {
            let heads = [
                t("#Passo", "#Step"),
                t("Empresa (raiz do CNPJ)", "Company (root of the CNPJ)"),
                t("Nome no cadastro", "Registered name"),
                t("O que partilha", "What it shares"),
                t("Sócio", "Partner"),
                t("Por meio de", "By way of"),
                t("#Empresas que o partilham", "#Companies that share it"),
                t("Fornecedor que se guarda", "A supplier that is held"),
            ];
            section.table(Table::new(t("Laços", "Ties"), &heads, rows).of(total));
        }
        Ok(None) => section.notice(unknown),
        Err(error) => {
            tracing::warn!(%error, "the network of a supplier could not be looked for");
            section.notice(unknown);
        }
    }
    section
}

/// The ties and how many there are; nothing when the lake is not at hand in time.
fn rows(
    held: &SupplierDetail,
    ask: AskDossier,
    gathering: &mut Gathering<'_>,
) -> Result<Option<(Vec<Vec<Cell>>, u64)>> {
    let language = ask.language;
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let ids: Vec<&str> =
        std::iter::once(held.supplier.id.as_str()).chain(held.same_as.iter().map(String::as_str)).collect();
    let root = |id: &str| id.strip_prefix("cnpj:").and_then(|cnpj| cnpj.get(..8)).map(str::to_owned);
    let own: Vec<String> = ids.iter().map(|id| quoted(&root(id).unwrap_or_else(|| (*id).to_owned()))).collect();
    let ties: Vec<String> = ids
        .iter()
        .map(|id| format!("({})", quoted(&root(id).map_or_else(|| (*id).to_owned(), |root| format!("cnpj:{root}")))))
        .collect();
    let sql = SQL
        .replace("$own_ties", &ties.join(", "))
        .replace("$own", &own.join(", "))
        .replace("$most", &DEGREE_MAX.to_string())
        .replace("$rows", &ROWS_MAX.to_string());
    let time = gathering.aside().min(TIME_MAX);
    let Some(session) = gathering.session() else { return Ok(None) };
    let _clock = session.deadline(time);
    let (mut rows, mut total) = (Vec::new(), 0);
    session.rows(&sql, |row| {
        let at = |name: &str| row.get(name).unwrap_or_default().to_owned();
        let count = |name: &str| row.get(name).and_then(|n| n.parse::<u64>().ok());
        total = count("total").unwrap_or_default();
        let kind = match (row.get("kind").unwrap_or_default(), language) {
            ("partner", Language::Pt) => "sócio",
            ("address", Language::Pt) => "endereço",
            ("telephone", Language::Pt) => "telefone",
            ("email", _) => "e-mail",
            (kind, _) => kind,
        };
        rows.push(vec![
            count("step").map_or_else(Cell::default, |n| language.count(n)),
            Cell::plain(at("node")),
            Cell::plain(at("registered")),
            Cell::plain(kind),
            Cell::plain(at("partner")),
            Cell::plain(at("via")),
            count("degree").map_or_else(Cell::default, |n| language.count(n)),
            Cell::plain(at("sells")),
        ]);
        Ok(())
    })?;
    Ok(Some((rows, total)))
}
