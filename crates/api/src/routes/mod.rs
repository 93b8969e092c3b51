//! Every path and who answers it. Handlers stand beside what they document; none is longer than its question.

pub mod agents;
pub mod ask;
pub mod auth;
pub mod batch;
pub mod buyers;
pub mod contracts;
pub mod dossiers;
pub mod entities;
pub mod exports;
pub mod findings;
pub mod flags;
pub mod identity;
pub mod ingests;
pub mod investigations;
pub mod letters;
pub mod operations;
pub mod profiles;
pub mod sources;
pub mod suppliers;
pub mod tenders;
pub mod verdicts;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, patch, post, put};

use crate::door::Door;
use crate::problem::Problem;
use crate::{docs, kept, page, robots, ws};

/// All routes; what none of them serves is a page, or a 404.
pub fn all(door: &Door) -> Router<Door> {
    operators()
        .nest("/api/v1", public(door).merge(api()).merge(files()).route("/batch", post(batch::run_batch)))
        .route("/api/v1/ws", get(ws::connect))
        .route("/api/v1/ws/schema.json", get(ws::schema))
        .route("/openapi.json", get(operations::openapi))
        .route("/robots.txt", get(robots::txt))
        .route("/docs", get(docs::page))
        .route("/docs/docs.js", get(docs::script))
        .route("/docs/docs.css", get(docs::style))
        .merge(crate::graphql::routes(door))
        .fallback(page::serve)
        .method_not_allowed_fallback(operations::method_not_allowed)
}

/// The routes of a process that answers nothing but how it is.
pub fn of_operators() -> Router<Door> {
    let none = async || Problem::no_route();
    operators().fallback(none).method_not_allowed_fallback(operations::method_not_allowed)
}

fn operators() -> Router<Door> {
    Router::new()
        .route("/health/live", get(operations::live))
        .route("/health/ready", get(operations::ready))
        .route("/metrics", get(operations::metrics))
}

/// The routes of which a batch may be made.
pub fn of_batches(door: &Door) -> Router<Door> {
    let none = async || Problem::no_route();
    let routes = Router::new().nest("/api/v1", public(door).merge(api())).fallback(none);
    routes.method_not_allowed_fallback(operations::method_not_allowed)
}

/// What anyone may read, and all read alike: kept.
fn public(door: &Door) -> Router<Door> {
    Router::new()
        .route("/contracts", get(contracts::list_contracts))
        .route("/contracts/{id}", get(contracts::show_contract))
        .route("/tenders", get(tenders::list_tenders))
        .route("/tenders/{id}", get(tenders::show_tender))
        .route("/suppliers", get(suppliers::list_suppliers))
        .route("/suppliers/{id}", get(suppliers::show_supplier))
        .route("/buyers", get(buyers::list_buyers))
        .route("/buyers/{id}", get(buyers::show_buyer))
        .route("/flags", get(flags::list_flags))
        .route("/flags/{code}", get(flags::show_flag))
        .route("/flags/{code}/findings", get(flags::list_findings_at))
        .route("/flags/{code}/preview", get(flags::preview_flag))
        .route("/findings", get(findings::list_findings))
        .route("/findings/{id}", get(findings::show_finding))
        .route("/findings/{id}/evidence", get(findings::show_evidence))
        .route("/sources", get(sources::list_sources))
        .route("/entities/links", get(entities::list_links))
        .route("/suppliers/{id}/dossier", get(dossiers::supplier_dossier))
        .route("/buyers/{id}/dossier", get(dossiers::buyer_dossier))
        .route_layer(from_fn_with_state(door.clone(), kept::answer))
}

/// Lists as files.
fn files() -> Router<Door> {
    exports::ENDINGS.iter().fold(Router::new(), |router, ending| {
        router
            .route(&format!("/exports/contracts.{ending}"), get(exports::export_contracts))
            .route(&format!("/exports/findings.{ending}"), get(exports::export_findings))
    })
}

fn api() -> Router<Door> {
    Router::new()
        .route("/findings/events", get(findings::follow_findings))
        .route("/evidence/key", get(findings::show_evidence_key))
        .route("/admin/ingests", post(ingests::ask_ingest).get(ingests::list_ingests))
        .route("/admin/ingests/{id}", get(ingests::show_ingest))
        .route("/admin/ingests/{id}/cancel", post(ingests::stop_ingest))
        .route("/admin/ingests/{id}/events", get(ingests::follow_ingest))
        .route("/findings/{id}/verdict", post(verdicts::give_verdict))
        .route("/findings/{id}/statements", post(verdicts::make_statement))
        .route("/statements/{id}/withdraw", post(verdicts::withdraw_statement))
        .route("/investigations", post(investigations::ask_investigation).get(investigations::list_investigations))
        .route("/investigations/{id}", get(investigations::show_investigation))
        .route("/investigations/{id}/findings", get(investigations::list_findings_of))
        .route("/investigations/{id}/cancel", post(investigations::cancel_investigation))
        .route("/investigations/{id}/events", get(investigations::follow_investigation))
        .route("/investigations/{id}/report", get(dossiers::report_investigation))
        .route("/investigations/{id}/lai", get(dossiers::write_letter))
        .route("/investigations/{id}/plan", put(investigations::edit_plan))
        .route("/investigations/{id}/start", post(investigations::start_investigation))
        .route("/agents", get(agents::list_agents))
        .route("/agents/pool", get(agents::list_pools))
        .route("/agents/{name}", get(agents::show_agent))
        .route("/ask", post(ask::ask))
        .route("/admin/dlq", get(letters::list_letters))
        .route("/admin/dlq/{id}/replay", post(letters::replay_letter))
        .route("/admin/dlq/{id}/drop", post(letters::drop_letter))
        .route("/admin/profile/cpu", get(profiles::profile_cpu))
        .route("/admin/profile/memory", get(profiles::profile_memory))
        .route("/entities/links/merge", post(entities::merge_entities))
        .route("/entities/links/undo", post(entities::undo_entities))
        .route("/admin/keys", get(identity::list_keys).post(identity::make_key))
        .route("/admin/keys/{id}/rotate", post(identity::rotate_key))
        .route("/admin/keys/{id}/revoke", post(identity::revoke_key))
        .route("/admin/users", get(identity::list_users).post(identity::add_user))
        .route("/admin/users/{name}", patch(identity::change_user))
        .route("/auth/login", post(auth::login))
        .route("/auth/refresh", post(auth::refresh))
        .route("/auth/logout", post(auth::logout))
        .route("/auth/me", get(auth::me))
}
