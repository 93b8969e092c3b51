//! Which ids are one buyer or supplier: the list of links, and one entity with its history.

use serde::{Deserialize, Serialize};
use store::{EntityKind, LinkFilter};
use utoipa::{IntoParams, ToSchema};

use super::page::Walk;
use super::{PageLimit, PageQuery};
use crate::views::{Entity, EntityLink, List};
use crate::{App, Error, Result};

/// The most links that stand under one entity.
const LINKS_SHOWN_MAX: usize = 200;

/// What is linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum LinkedKind {
    Buyer,
    Supplier,
}

/// What became of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// Found by likeness; a person must decide.
    Proposed,
    /// The two ids are read as one.
    Merged,
    /// They were, or were proposed to be, and a person said no.
    Undone,
}

/// Which links are wanted.
#[derive(Debug, Clone, Default, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LinkQuery {
    /// Of buyers or of suppliers.
    #[param(inline)]
    pub kind: Option<LinkedKind>,
    /// What became of them.
    #[param(inline)]
    pub state: Option<LinkState>,
}

impl LinkedKind {
    fn code(self) -> &'static str {
        EntityKind::from(self).code()
    }
}

impl From<LinkedKind> for EntityKind {
    fn from(kind: LinkedKind) -> Self {
        match kind {
            LinkedKind::Buyer => Self::Buyer,
            LinkedKind::Supplier => Self::Supplier,
        }
    }
}

impl LinkState {
    fn code(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Merged => "merged",
            Self::Undone => "undone",
        }
    }
}

impl App {
    /// One page of links between ids, newest decision first.
    ///
    /// # Errors
    /// `Invalid` for a cursor of another question; the database cannot be read.
    pub fn entity_links(&self, query: &LinkQuery, page: &PageQuery) -> Result<List<EntityLink>> {
        let walk = Walk::new("entity_links", query, page, PageLimit::default())?;
        let filter = LinkFilter {
            kind: query.kind.map(|kind| kind.code().to_owned()),
            state: query.state.map(|state| state.code().to_owned()),
        };
        walk.list(self.store().entity_links(&filter, walk.after.as_ref(), walk.limit)?)
    }

    /// The entity that an id belongs to.
    ///
    /// # Errors
    /// `NotFound`; the database cannot be read.
    pub fn entity(&self, id: &str) -> Result<Entity> {
        let kind = self.kind_of(id)?;
        let ids = self.store().entity_members(kind, id)?;
        let history = self.store().link_history(kind, &ids, LINKS_SHOWN_MAX)?;
        Ok(Entity {
            id: id.to_owned(),
            kind: kind.code().to_owned(),
            entity_id: ids.first().cloned().unwrap_or_else(|| id.to_owned()),
            same_as: others(&ids, id),
            links: self.links_of(kind, &ids)?,
            history: history.into_iter().map(Into::into).collect(),
        })
    }

    /// Whether an id is a buyer's or a supplier's.
    pub(crate) fn kind_of(&self, id: &str) -> Result<EntityKind> {
        for kind in [EntityKind::Buyer, EntityKind::Supplier] {
            if self.store().holds(kind, id)? {
                return Ok(kind);
            }
        }
        Err(Error::not_found("buyer or supplier", id))
    }

    pub(super) fn links_of(&self, kind: EntityKind, ids: &[String]) -> Result<Vec<EntityLink>> {
        Ok(self.store().links_of(kind, ids, LINKS_SHOWN_MAX)?.into_iter().map(EntityLink::from).collect())
    }
}

/// The ids of an entity without one of them.
pub(super) fn others(ids: &[String], id: &str) -> Vec<String> {
    ids.iter().filter(|other| *other != id).cloned().collect()
}
