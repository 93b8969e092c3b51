//! Links between ids of one buyer or supplier.

use serde::Serialize;
use store::{LinkChange, LinkRow};
use utoipa::ToSchema;

/// A link between two ids: what it rests on, what became of it, who decided and why.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct EntityLink {
    /// `buyer` or `supplier`.
    pub kind: String,
    /// The id that is merged into the other.
    pub from_id: String,
    /// The id that it is merged into.
    pub into_id: String,
    /// `cnpj` (one CNPJ and unit code), `code` (a UASG given by PNCP), `name` (names alike in one place), `manual`.
    pub basis: String,
    /// From 0 to 1. A name alone never reaches 1.
    pub confidence: f64,
    /// `proposed`, `merged` or `undone`.
    pub state: String,
    /// `program`, `operator`, or an account as `account:NAME`.
    pub decided_by: String,
    /// When it came into this state.
    pub decided_at: String,
    /// Why, in words.
    pub reason: String,
}

/// A state that a link came into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[allow(missing_docs, reason = "as in EntityLink")]
pub struct EntityChange {
    pub from_id: String,
    pub into_id: String,
    pub state: String,
    pub basis: String,
    pub decided_by: String,
    pub decided_at: String,
    pub reason: String,
}

/// An entity: its ids and the links that touch them.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Entity {
    /// The id that was asked for.
    pub id: String,
    /// `buyer` or `supplier`.
    pub kind: String,
    /// The id that stands for the entity; its own where it is alone.
    pub entity_id: String,
    /// The other ids of the entity.
    pub same_as: Vec<String>,
    /// The links that touch any of its ids, in any state, newest decision first.
    pub links: Vec<EntityLink>,
    /// What became of these links, oldest first.
    pub history: Vec<EntityChange>,
}

impl From<LinkRow> for EntityLink {
    fn from(row: LinkRow) -> Self {
        Self {
            kind: row.kind,
            from_id: row.from_id,
            into_id: row.into_id,
            basis: row.basis,
            confidence: row.confidence,
            state: row.state,
            decided_by: row.decided_by,
            decided_at: row.decided_at,
            reason: row.reason,
        }
    }
}

impl From<LinkChange> for EntityChange {
    fn from(row: LinkChange) -> Self {
        Self {
            from_id: row.from_id,
            into_id: row.into_id,
            state: row.state,
            basis: row.basis,
            decided_by: row.decided_by,
            decided_at: row.decided_at,
            reason: row.reason,
        }
    }
}
