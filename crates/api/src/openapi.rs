//! The description of the API for programs, made from the handlers and the views themselves.

use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::problem::Problem;
use crate::routes::{
    agents, ask, auth, batch, buyers, contracts, dossiers, entities, exports, findings, flags, identity, ingests,
    investigations, letters, operations, profiles, sources, suppliers, tenders, verdicts,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Cidadão.AI",
        description = "Red flags in Brazil's public procurement, each with its source, its arithmetic, its law and what may explain it. A flag is a reason to look closer, never proof.\n\nMoney is text with four decimals and a currency beside it; days are `AAAA-MM-DD`; times are RFC 3339 in Brasília. What a source did not state is `null`. Lists answer `data` and `page`; give `page.next_cursor` as `cursor` for the next page. Refusals are `application/problem+json` (RFC 9457).",
        license(name = "MIT OR Apache-2.0"),
        contact()
    ),
    paths(
        contracts::list_contracts,
        contracts::show_contract,
        tenders::list_tenders,
        tenders::show_tender,
        suppliers::list_suppliers,
        suppliers::show_supplier,
        buyers::list_buyers,
        buyers::show_buyer,
        flags::list_flags,
        flags::show_flag,
        flags::list_findings_at,
        flags::preview_flag,
        findings::list_findings,
        findings::follow_findings,
        findings::show_finding,
        findings::show_evidence,
        findings::show_evidence_key,
        sources::list_sources,
        ingests::ask_ingest,
        ingests::list_ingests,
        ingests::show_ingest,
        ingests::stop_ingest,
        ingests::follow_ingest,
        entities::list_links,
        entities::merge_entities,
        entities::undo_entities,
        identity::list_keys,
        identity::make_key,
        identity::rotate_key,
        identity::revoke_key,
        identity::list_users,
        identity::add_user,
        identity::change_user,
        operations::live,
        operations::ready,
        operations::metrics,
        verdicts::give_verdict,
        verdicts::make_statement,
        verdicts::withdraw_statement,
        investigations::ask_investigation,
        investigations::list_investigations,
        investigations::show_investigation,
        investigations::list_findings_of,
        investigations::cancel_investigation,
        crate::ws::connect,
        crate::ws::schema,
        investigations::follow_investigation,
        dossiers::report_investigation,
        dossiers::write_letter,
        dossiers::supplier_dossier,
        dossiers::buyer_dossier,
        letters::list_letters,
        letters::replay_letter,
        letters::drop_letter,
        profiles::profile_cpu,
        profiles::profile_memory,
        exports::export_contracts,
        exports::export_findings,
        auth::login,
        auth::refresh,
        auth::logout,
        auth::me,
        batch::run_batch,
        investigations::edit_plan,
        investigations::start_investigation,
        agents::list_agents,
        agents::list_pools,
        agents::show_agent,
        ask::ask,
    ),
    components(schemas(Problem)),
    modifiers(&Identities),
    security((), ("api_key" = []), ("bearer" = [])),
    tags(
        (name = "contracts", description = "What was signed."),
        (name = "suppliers", description = "Who sells."),
        (name = "buyers", description = "Who buys."),
        (name = "flags", description = "What is looked for."),
        (name = "findings", description = "What was found."),
        (name = "sources", description = "Where it comes from."),
        (name = "admin", description = "What changes the data; for programs on the same machine."),
        (name = "entities", description = "Who is one and the same."),
        (name = "investigations", description = "What was asked of all flags at once."),
        (name = "agents", description = "Who works on investigations."),
        (name = "live", description = "What happens, as it happens."),
        (name = "identity", description = "Who calls. Public data need no account."),
        (name = "operations", description = "How the program does."),
    )
)]
struct Description;

/// How a caller says who it is; public data need nothing.
struct Identities;

impl Modify for Identities {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let key = ApiKeyValue::with_description("X-API-Key", "A key that `cidadao keys create` made.");
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("api_key", SecurityScheme::ApiKey(ApiKey::Header(key)));
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
}

/// The OpenAPI document.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    Description::openapi()
}
