//! Who works here, and how the pools stand.

use app::queries::PageQuery;
use app::views::List;
use app::{AgentPool, AgentShape};
use axum::extract::State;

use crate::answer::{Answer, Encoded};
use crate::door::Door;
use crate::params::{Asked, Id};
use crate::problem::{ListProblems, OneProblems};

/// Lists the agents that do real work here: what each can be asked to do, its flags, what its word rests on.
#[utoipa::path(get, path = "/api/v1/agents", tag = "agents", params(PageQuery),
    responses((status = 200, description = "The roster", body = List<AgentShape>), ListProblems))]
pub async fn list_agents(State(door): State<Door>, Asked((), page): Asked<()>) -> Answer {
    Encoded::json(&door.inspect(move |app| app.agents(&page)).await??)
}

/// Shows one agent, by its key or name.
#[utoipa::path(get, path = "/api/v1/agents/{name}", tag = "agents",
    params(("name" = String, Path, description = "The agent's key, such as `obaluaie`, or its name")),
    responses((status = 200, description = "The agent", body = AgentShape), OneProblems))]
pub async fn show_agent(State(door): State<Door>, Id(name): Id) -> Answer {
    Encoded::json(&door.inspect(move |app| app.agent(&name)).await??)
}

/// Shows how the pool of each agent stands in this process.
#[utoipa::path(get, path = "/api/v1/agents/pool", tag = "agents", params(PageQuery),
    responses((status = 200, description = "The pools", body = List<AgentPool>), ListProblems))]
pub async fn list_pools(State(door): State<Door>, Asked((), page): Asked<()>) -> Answer {
    Encoded::json(&door.inspect(move |app| app.pools(&page)).await??)
}
