//! Lists as files: CSV, JSON Lines, Parquet, XLSX, Arrow.

use app::queries::{ContractQuery, FindingQuery, PageLimit, PageQuery};
use axum::extract::{MatchedPath, State};
use axum::response::Response;

use crate::door::Door;
use crate::export::{self, CONTRACTS, FINDINGS};
use crate::forms::Medium;
use crate::params::Filtered;
use crate::problem::{ListProblems, Problem};

/// The endings of exports.
pub const ENDINGS: [&str; 5] = ["csv", "jsonl", "parquet", "xlsx", "arrow"];

/// Gives all contracts that a list would walk through, as a file.
///
/// The columns stand in `docs/api.md`; amounts are exact decimals in Parquet and Arrow, days are days. Filters and `sort` are those of
/// `contracts`.
#[utoipa::path(get, path = "/api/v1/exports/contracts.{form}", tag = "contracts",
    params(("form" = String, Path, description = "`csv`, `jsonl`, `parquet`, `xlsx` or `arrow`"), ContractQuery),
    responses((status = 200, description = "The file", body = Vec<u8>, content_type = "text/csv"), ListProblems))]
pub async fn export_contracts(
    State(door): State<Door>,
    path: MatchedPath,
    Filtered(query): Filtered<ContractQuery>,
) -> Result<Response, Problem> {
    let (form, name) = asked(&path)?;
    let read =
        move |app: &app::App, cursor| app.contracts(&query, &PageQuery { limit: Some(PageLimit::EXPORT), cursor });
    export::stream(door, form, &name, CONTRACTS, read).await
}

/// Gives all findings that a list would walk through, as a file.
///
/// A finding is a reason to look closer, never proof. Filters and `sort` are those of `findings`.
#[utoipa::path(get, path = "/api/v1/exports/findings.{form}", tag = "findings",
    params(("form" = String, Path, description = "`csv`, `jsonl`, `parquet`, `xlsx` or `arrow`"), FindingQuery),
    responses((status = 200, description = "The file", body = Vec<u8>, content_type = "text/csv"), ListProblems))]
pub async fn export_findings(
    State(door): State<Door>,
    path: MatchedPath,
    Filtered(query): Filtered<FindingQuery>,
) -> Result<Response, Problem> {
    let (form, name) = asked(&path)?;
    let read =
        move |app: &app::App, cursor| app.findings(&query, &PageQuery { limit: Some(PageLimit::EXPORT), cursor });
    export::stream(door, form, &name, FINDINGS, read).await
}

/// The form and the file's name that a path asks for.
fn asked(path: &MatchedPath) -> Result<(Medium, String), Problem> {
    let name = path.as_str().rsplit('/').next().unwrap_or_default();
    let form = name.rsplit_once('.').and_then(|(_, ending)| Medium::ending_in(ending));
    Ok((form.ok_or_else(Problem::no_route)?, name.to_owned()))
}
