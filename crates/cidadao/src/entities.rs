//! `cidadao entities` and `cidadao sources`: who is one and the same, and how whole what we hold is.

use app::queries::{LinkQuery, LinkState, LinkedKind, PageLimit, PageQuery};
use app::views::{Entity, EntityLink};
use app::{App, Result};
use serde_json::json;

use crate::cli::{EntitiesCommand, EntityKindName, LinkStateName};
use crate::output::{say, table};
use crate::run::print_json;

/// Runs one of the commands.
pub fn run(app: &App, command: EntitiesCommand, json: bool) -> Result<()> {
    match command {
        EntitiesCommand::List { kind, state, limit } => list(app, kind, state, limit, json),
        EntitiesCommand::Show { id } => show(&app.entity(&id)?, json),
        EntitiesCommand::Merge { from, into, reason } => show(&app.merge_entities(&from, &into, &reason, None)?, json),
        EntitiesCommand::Undo { from, into, reason } => show(&app.undo_entities(&from, &into, &reason, None)?, json),
    }
}

fn list(app: &App, kind: Option<EntityKindName>, state: Option<LinkStateName>, limit: usize, json: bool) -> Result<()> {
    let query = LinkQuery {
        kind: kind.map(|kind| match kind {
            EntityKindName::Buyer => LinkedKind::Buyer,
            EntityKindName::Supplier => LinkedKind::Supplier,
        }),
        state: state.map(|state| match state {
            LinkStateName::Proposed => LinkState::Proposed,
            LinkStateName::Merged => LinkState::Merged,
            LinkStateName::Undone => LinkState::Undone,
        }),
    };
    let mut links: Vec<EntityLink> = Vec::new();
    let mut page = PageQuery { limit: Some(PageLimit::MAX), cursor: None };
    let more = loop {
        let found = app.entity_links(&query, &page)?;
        links.extend(found.data);
        page.cursor = found.page.next_cursor;
        if links.len() > limit || page.cursor.is_none() {
            break links.len() > limit || page.cursor.is_some();
        }
    };
    links.truncate(limit);
    if json {
        print_json(&json!({"links": links, "more": more}));
        return Ok(());
    }
    print_links(&links);
    if more {
        say!("há mais: --limit aumenta a lista");
    }
    Ok(())
}

fn print_links(links: &[EntityLink]) {
    let mut rows = table(&["tipo", "de", "para", "base", "confiança", "estado", "por", "motivo"]);
    for link in links {
        rows.add_row([
            &link.kind,
            &link.from_id,
            &link.into_id,
            &link.basis,
            &format!("{:.2}", link.confidence),
            &link.state,
            &link.decided_by,
            &link.reason,
        ]);
    }
    say!("{rows}");
}

fn show(entity: &Entity, json: bool) -> Result<()> {
    if json {
        print_json(entity);
        return Ok(());
    }
    say!("{} {}", entity.kind, entity.entity_id);
    if entity.same_as.is_empty() {
        say!("sozinho: nenhum outro código é o mesmo");
    }
    for other in &entity.same_as {
        say!("  = {other}");
    }
    print_links(&entity.links);
    for change in &entity.history {
        say!(
            "{}  {} → {}: {} ({}) {}",
            change.decided_at,
            change.from_id,
            change.into_id,
            change.state,
            change.decided_by,
            change.reason
        );
    }
    Ok(())
}

/// Prints the board of sources.
pub fn print_board(app: &App, json: bool) -> Result<()> {
    let board = app.board()?;
    if json {
        print_json(&json!({"sources": board}));
        return Ok(());
    }
    let mut rows =
        table(&["fonte", "tabela", "registros", "de", "até", "meses sem dados", "falta em", "não computável"]);
    for row in &board {
        let lacking: Vec<String> = row
            .fields
            .iter()
            .filter(|(_, presence)| presence.missing > 0)
            .map(|(field, presence)| format!("{field} {}/{}", presence.missing, presence.rows))
            .collect();
        let blocked: Vec<String> = row
            .not_computable
            .iter()
            .map(|(field, flags)| format!("{field}: {}", flags.iter().cloned().collect::<Vec<_>>().join(" ")))
            .collect();
        rows.add_row([
            row.source.clone(),
            row.table.clone().unwrap_or_default(),
            row.rows.to_string(),
            row.period.from.clone().unwrap_or_default(),
            row.period.to.clone().unwrap_or_default(),
            row.gaps.total.to_string(),
            lacking.join(", "),
            blocked.join("; "),
        ]);
    }
    say!("{rows}");
    for row in &board {
        let incomplete = row.errors.incomplete_files;
        if incomplete > 0 {
            say!("{}: {incomplete} arquivos não lidos até o fim: {}", row.source, row.errors.files.join(", "));
        }
        for (field, values) in row.unknown.iter().flatten() {
            let values: Vec<String> = values.iter().map(|(value, n)| format!("{value} ({n})")).collect();
            let of = row.table.as_deref().unwrap_or_default();
            say!("{} {of}.{field} sem mapeamento: {}", row.source, values.join(", "));
        }
    }
    Ok(())
}
