//! What the register of companies says of a supplier.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{Provenance, take_text};

/// What the register says of an establishment, of its legal person, or of the tax regime of that.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Registration {
    /// `establishment`, `company` or `simples`.
    pub scope: Option<String>,
    /// Registered name.
    pub name: Option<String>,
    /// Trade name.
    pub trade_name: Option<String>,
    /// `active`, `null`, `suspended`, `unfit` or `closed`.
    pub status: Option<String>,
    /// The day from which that status holds.
    pub status_on: Option<String>,
    /// Beginning of activity.
    pub opened_on: Option<String>,
    /// CNAE of the main activity.
    pub main_activity: Option<String>,
    /// Code of the legal nature.
    pub legal_nature: Option<String>,
    /// `ME`, `EPP` or `other`.
    pub size: Option<String>,
    /// Share capital, BRL.
    pub capital: Option<String>,
    /// Two letters.
    pub state: Option<String>,
    /// MEI from and until.
    pub mei_from: Option<String>,
    /// MEI until.
    pub mei_until: Option<String>,
    /// When the register was published, as its file's name says.
    pub published_on: Option<String>,
    /// Where it stands.
    pub provenance: Provenance,
}

/// Who owns or runs the company.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Partner {
    /// Keyed as suppliers are.
    pub id: Option<String>,
    /// `company`, `person` or `foreign`.
    pub kind: Option<String>,
    /// CPFs masked.
    pub name: Option<String>,
    /// Code of the role.
    pub role: Option<String>,
    /// In the company since.
    pub since_on: Option<String>,
    /// Where it stands.
    pub provenance: Provenance,
}

impl From<Map<String, Value>> for Registration {
    fn from(mut row: Map<String, Value>) -> Self {
        let provenance = Provenance::take(&mut row);
        let mut text = |column: &str| take_text(&mut row, column);
        Self {
            scope: text("scope"),
            name: text("name"),
            trade_name: text("trade_name"),
            status: text("status"),
            status_on: text("status_on"),
            opened_on: text("opened_on"),
            main_activity: text("main_activity"),
            legal_nature: text("legal_nature"),
            size: text("size"),
            capital: text("capital"),
            state: text("state"),
            mei_from: text("mei_from"),
            mei_until: text("mei_until"),
            published_on: text("updated_at"),
            provenance,
        }
    }
}

impl From<Map<String, Value>> for Partner {
    fn from(mut row: Map<String, Value>) -> Self {
        let provenance = Provenance::take(&mut row);
        let mut text = |column: &str| take_text(&mut row, column);
        Self {
            id: text("partner_id"),
            kind: text("kind"),
            name: text("name"),
            role: text("role"),
            since_on: text("since_on"),
            provenance,
        }
    }
}
