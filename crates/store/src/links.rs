//! Links between ids of one buyer or supplier: what was proposed, merged and undone, by whom and why.
//!
//! A link never changes a canonical row. What is merged is read together (lists, sums, findings), and comes apart
//! again when the link is undone. Merged links make groups; each group is known by one of its ids.

use std::collections::{BTreeMap, BTreeSet};

use crate::db::{Db, Lock, OptionalExtension, Row};
use rusqlite::params;

use crate::read::{Conditions, Cursor, Page, Walk, walk};
use crate::{Result, Store, id_hash};

/// What is linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum EntityKind {
    Buyer,
    Supplier,
}

impl EntityKind {
    /// Its code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Buyer => "buyer",
            Self::Supplier => "supplier",
        }
    }

    /// The table of its records.
    fn table(self) -> &'static str {
        match self {
            Self::Buyer => "buyers",
            Self::Supplier => "suppliers",
        }
    }
}

/// A link as it stands.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the names are the table's own")]
pub struct LinkRow {
    pub kind: String,
    pub from_id: String,
    pub into_id: String,
    /// `cnpj`, `code`, `name` or `manual`.
    pub basis: String,
    /// From 0 to 1; 1 for what is certain or was decided by a person.
    pub confidence: f64,
    /// `proposed`, `merged` or `undone`.
    pub state: String,
    /// `program`, `operator`, or an account as `account:NAME`.
    pub decided_by: String,
    pub decided_at: String,
    pub reason: String,
}

/// A state that a link was in.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the table's own")]
pub struct LinkChange {
    pub from_id: String,
    pub into_id: String,
    pub state: String,
    pub basis: String,
    pub decided_by: String,
    pub decided_at: String,
    pub reason: String,
}

/// Which links are asked for.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the names are the query parameters'")]
pub struct LinkFilter {
    pub kind: Option<String>,
    pub state: Option<String>,
}

/// Who decided what, when and why.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "the names are the table's own")]
pub struct Decision<'a> {
    pub state: &'a str,
    pub by: &'a str,
    pub at: &'a str,
    pub reason: &'a str,
}

fn link_from(row: &Row<'_>) -> rusqlite::Result<LinkRow> {
    Ok(LinkRow {
        kind: row.get("kind")?,
        from_id: row.get("from_id")?,
        into_id: row.get("into_id")?,
        basis: row.get("basis")?,
        confidence: row.get("confidence")?,
        state: row.get("state")?,
        decided_by: row.get("decided_by")?,
        decided_at: row.get("decided_at")?,
        reason: row.get("reason")?,
    })
}

/// Every id of the entity that `id` belongs to, the one that stands for it first; `id` alone when it is linked to none.
pub(crate) fn members(db: &Db, kind: EntityKind, id: &str) -> Result<Vec<String>> {
    let mut statement = db.prepare(
        "select id from entity_members where kind = ?1
         and entity_id = (select entity_id from entity_members where kind = ?1 and id = ?2) order by id <> entity_id, id",
    )?;
    let ids = statement.query_map(params![kind.code(), id], |row| row.get(0))?;
    let ids: Vec<String> = ids.collect::<rusqlite::Result<_>>()?;
    Ok(if ids.is_empty() { vec![id.to_owned()] } else { ids })
}

/// Adds the condition that `column` is one of `values`; of one value an equality, which keeps an index's order.
pub(crate) fn add_one_of<T: rusqlite::ToSql + 'static>(conditions: &mut Conditions, column: &str, values: Vec<T>) {
    let marks = vec!["?"; values.len()].join(", ");
    let sql = if values.len() == 1 { format!("{column} = ?") } else { format!("{column} in ({marks})") };
    conditions.add(&sql, values.into_iter().map(|v| Box::new(v) as Box<dyn rusqlite::ToSql>).collect());
}

impl Store {
    /// Every id of the entity that `id` belongs to, the one that stands for it first; `id` alone when it is linked to
    /// none.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn entity_members(&self, kind: EntityKind, id: &str) -> Result<Vec<String>> {
        self.read(|db| members(db, kind, id))
    }

    /// Every buyer's id that is not alone, with the id that stands for its entity.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn merged_buyers(&self) -> Result<Vec<(String, String)>> {
        self.read(|db| {
            let mut statement =
                db.prepare("select id, entity_id from entity_members where kind = 'buyer' order by id")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })
    }

    /// Whether there is a record with this id.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn holds(&self, kind: EntityKind, id: &str) -> Result<bool> {
        self.read(|db| {
            let sql = format!("select exists (select 1 from {} where idh = ?1 and id = ?2)", kind.table());
            db.prepare(&sql)?.query_row(params![id_hash(id), id], |row| row.get(0))
        })
    }

    /// One page of links, newest decision first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn entity_links(&self, filter: &LinkFilter, after: Option<&Cursor>, limit: usize) -> Result<Page<LinkRow>> {
        let mut conditions = Conditions::default();
        conditions.add_some("p.kind = ?", filter.kind.as_ref());
        conditions.add_some("p.state = ?", filter.state.as_ref());
        self.read(|db| {
            let by = Walk { column: "p.decided_at", descending: true, after, limit };
            walk(db, SELECT, &conditions, &by, link_from)
        })
    }

    /// The links that touch an entity, of any state, newest decision first; at most `limit`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn links_of(&self, kind: EntityKind, ids: &[String], limit: usize) -> Result<Vec<LinkRow>> {
        self.read(|db| {
            let mut found: BTreeMap<(String, String), LinkRow> = BTreeMap::new();
            for sql in [LINKS_FROM, LINKS_INTO] {
                let mut statement = db.prepare(sql)?;
                for id in ids {
                    for link in statement.query_map(params![kind.code(), id, limit.cast_signed()], link_from)? {
                        let link = link?;
                        found.insert((link.from_id.clone(), link.into_id.clone()), link);
                    }
                }
            }
            let mut links: Vec<LinkRow> = found.into_values().collect();
            links.sort_by(|a, b| b.decided_at.cmp(&a.decided_at));
            links.truncate(limit);
            Ok(links)
        })
    }

    /// What became of the links that touch an entity, oldest first; at most `limit`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn link_history(&self, kind: EntityKind, ids: &[String], limit: usize) -> Result<Vec<LinkChange>> {
        let links = self.links_of(kind, ids, limit)?;
        self.read(|db| {
            let mut changes: Vec<(i64, LinkChange)> = Vec::new();
            let mut statement = db.prepare(
                "select h.id, h.state, h.basis, h.decided_by, h.decided_at, h.reason
                 from entity_links l join entity_link_history h on h.link_rid = l.rid
                 where l.kind = ?1 and l.from_id = ?2 and l.into_id = ?3",
            )?;
            for link in links {
                let rows = statement.query_map(params![kind.code(), link.from_id, link.into_id], |row| {
                    Ok((
                        row.get(0)?,
                        LinkChange {
                            from_id: link.from_id.clone(),
                            into_id: link.into_id.clone(),
                            state: row.get(1)?,
                            basis: row.get(2)?,
                            decided_by: row.get(3)?,
                            decided_at: row.get(4)?,
                            reason: row.get(5)?,
                        },
                    ))
                })?;
                changes.extend(rows.collect::<rusqlite::Result<Vec<_>>>()?);
            }
            changes.sort_by_key(|(id, _)| *id);
            changes.truncate(limit);
            Ok(changes.into_iter().map(|(_, change)| change).collect())
        })
    }

    /// The link between two ids, whichever way it points.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn link_between(&self, kind: EntityKind, a: &str, b: &str) -> Result<Option<LinkRow>> {
        self.read(|db| Ok(between(db, kind, a, b)?.map(|(_, link)| link)))
    }

    /// Merges two ids by an operator's decision; gives the link.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn merge_by_hand(&self, kind: EntityKind, from: &str, into: &str, by: &Decision<'_>) -> Result<()> {
        self.change_links(kind, |db| match between(db, kind, from, into)? {
            Some((rid, link)) => decide(db, rid, &link.basis, by),
            None => {
                let link = NewLink { kind, from, into, basis: "manual", confidence: 1.0 };
                add_link(db, &link, by)?;
                Ok(())
            }
        })
    }

    /// Undoes the link between two ids, or turns a proposal down; false when there is none.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn undo_link(&self, kind: EntityKind, a: &str, b: &str, by: &Decision<'_>) -> Result<bool> {
        self.change_links(kind, |db| match between(db, kind, a, b)? {
            Some((rid, link)) => decide(db, rid, &link.basis, by).map(|()| true),
            None => Ok(false),
        })
    }

    /// Changes links and derives the groups anew, in one transaction.
    fn change_links<T>(&self, kind: EntityKind, change: impl FnOnce(&Db) -> Result<T>) -> Result<T> {
        let connection = self.writer()?;
        let transaction = connection.begin(Lock::Facts)?;
        let outcome = change(&transaction)?;
        derive_members(&transaction, kind)?;
        transaction.commit()?;
        Ok(outcome)
    }
}

const SELECT: &str = "select p.* from entity_links p";
const LINKS_FROM: &str = "select * from entity_links where kind = ?1 and from_id = ?2 limit ?3";
const LINKS_INTO: &str = "select * from entity_links where kind = ?1 and into_id = ?2 limit ?3";

/// A link that is not there yet.
pub(crate) struct NewLink<'a> {
    pub(crate) kind: EntityKind,
    pub(crate) from: &'a str,
    pub(crate) into: &'a str,
    pub(crate) basis: &'a str,
    pub(crate) confidence: f64,
}

/// The link between two ids, whichever way it points, with its number.
pub(crate) fn between(db: &Db, kind: EntityKind, a: &str, b: &str) -> Result<Option<(i64, LinkRow)>> {
    let mut statement = db.prepare("select * from entity_links where kind = ?1 and from_id = ?2 and into_id = ?3")?;
    for (from, into) in [(a, b), (b, a)] {
        let found = statement
            .query_row(params![kind.code(), from, into], |row| Ok((row.get("rid")?, link_from(row)?)))
            .optional()?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

pub(crate) fn add_link(db: &Db, link: &NewLink<'_>, by: &Decision<'_>) -> Result<()> {
    let rid = db.query_row(
        "insert into entity_links (kind, from_id, into_id, basis, confidence, state, decided_by, decided_at, reason)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) returning rid",
        params![link.kind.code(), link.from, link.into, link.basis, link.confidence, by.state, by.by, by.at, by.reason],
        |row| row.get(0),
    )?;
    note(db, rid, link.basis, by)
}

/// Brings a link into another state.
pub(crate) fn decide(db: &Db, rid: i64, basis: &str, by: &Decision<'_>) -> Result<()> {
    db.prepare("update entity_links set state = ?2, decided_by = ?3, decided_at = ?4, reason = ?5 where rid = ?1")?
        .execute(params![rid, by.state, by.by, by.at, by.reason])?;
    note(db, rid, basis, by)
}

fn note(db: &Db, rid: i64, basis: &str, by: &Decision<'_>) -> Result<()> {
    db.prepare(
        "insert into entity_link_history (link_rid, state, basis, decided_by, decided_at, reason) values (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![rid, by.state, basis, by.by, by.at, by.reason])?;
    Ok(())
}

/// Ids in groups: which are one.
#[derive(Default)]
pub(crate) struct Groups {
    leader: BTreeMap<String, String>,
}

impl Groups {
    /// The groups that the merged links make.
    pub(crate) fn load(db: &Db, kind: EntityKind) -> Result<Self> {
        let mut groups = Self::default();
        let mut statement =
            db.prepare("select from_id, into_id from entity_links where kind = ?1 and state = 'merged'")?;
        let mut rows = statement.query([kind.code()])?;
        while let Some(row) = rows.next()? {
            groups.join(&row.get::<_, String>(0)?, &row.get::<_, String>(1)?);
        }
        Ok(groups)
    }

    /// The id under which `id`'s group is found.
    pub(crate) fn leader(&self, id: &str) -> String {
        let mut at = id;
        while let Some(next) = self.leader.get(at).filter(|next| *next != at) {
            at = next;
        }
        at.to_owned()
    }

    /// Makes two groups one: `into`'s leader leads.
    pub(crate) fn join(&mut self, from: &str, into: &str) {
        let (follower, leader) = (self.leader(from), self.leader(into));
        // Paths are shortened on the way, so that chains stay short.
        for id in [from, into, &follower, &leader] {
            self.leader.insert(id.to_owned(), leader.clone());
        }
    }
}

/// Writes the groups that merged links make, and who stands for each: an id that is merged into no other, else the
/// least, so that the same links give the same entity whatever their order.
pub(crate) fn derive_members(db: &Db, kind: EntityKind) -> Result<()> {
    let groups = Groups::load(db, kind)?;
    let mut statement = db.prepare("select distinct from_id from entity_links where kind = ?1 and state = 'merged'")?;
    let followers = statement.query_map([kind.code()], |row| row.get(0))?;
    let followers: BTreeSet<String> = followers.collect::<rusqlite::Result<_>>()?;
    let mut by_leader: BTreeMap<String, Vec<&String>> = BTreeMap::new();
    for id in groups.leader.keys() {
        by_leader.entry(groups.leader(id)).or_default().push(id);
    }
    db.prepare("delete from entity_members where kind = ?1")?.execute([kind.code()])?;
    let mut insert = db.prepare("insert into entity_members (kind, id, entity_id) values (?1, ?2, ?3)")?;
    for ids in by_leader.values().filter(|ids| ids.len() > 1) {
        let Some(entity) = ids.iter().find(|id| !followers.contains(**id)).or(ids.first()) else { continue };
        for id in ids {
            insert.execute(params![kind.code(), id, entity])?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database() -> Db {
        let db =
            Db::Sqlite(crate::db::Lite::new(rusqlite::Connection::open_in_memory().unwrap(), crate::db::Role::Bulk));
        crate::schema::migrate(&db).unwrap();
        db
    }

    fn link(db: &Db, from: &str, into: &str, state: &str) {
        let by = Decision { state, by: "program", at: "2026-11-25T10:00:00-03:00", reason: "" };
        add_link(db, &NewLink { kind: EntityKind::Buyer, from, into, basis: "cnpj", confidence: 1.0 }, &by).unwrap();
        derive_members(db, EntityKind::Buyer).unwrap();
    }

    #[test]
    fn merged_links_make_groups_known_by_the_id_that_follows_none() {
        let db = database();
        link(&db, "b", "a", "merged");
        link(&db, "c", "b", "merged");
        link(&db, "x", "a", "proposed");
        assert_eq!(members(&db, EntityKind::Buyer, "c").unwrap(), ["a", "b", "c"]);
        assert_eq!(members(&db, EntityKind::Buyer, "x").unwrap(), ["x"]);
        assert_eq!(members(&db, EntityKind::Supplier, "c").unwrap(), ["c"]);
        link(&db, "a", "c", "merged");
        assert_eq!(members(&db, EntityKind::Buyer, "b").unwrap(), ["a", "b", "c"], "a ring has its least id");
    }

    #[test]
    fn what_is_undone_comes_apart_and_its_history_stays() {
        let db = database();
        link(&db, "b", "a", "merged");
        let (rid, found) = between(&db, EntityKind::Buyer, "a", "b").unwrap().unwrap();
        let by = Decision { state: "undone", by: "operator", at: "2026-11-25T11:00:00-03:00", reason: "two bodies" };
        decide(&db, rid, &found.basis, &by).unwrap();
        derive_members(&db, EntityKind::Buyer).unwrap();
        assert_eq!(members(&db, EntityKind::Buyer, "b").unwrap(), ["b"]);
        let states: i64 = db.query_row("select count(*) from entity_link_history", [], |row| row.get(0)).unwrap();
        assert_eq!(states, 2);
    }

    #[test]
    fn no_list_scans_and_none_is_sorted() {
        let db = database();
        let order = "p.decided_at is not null order by p.decided_at desc, p.rid desc limit 21";
        let filters = ["true", "p.kind = 'buyer'", "p.state = 'merged'", "p.kind = 'buyer' and p.state = 'merged'"];
        let mut queries: Vec<String> = filters.iter().map(|f| format!("{SELECT} where {f} and {order}")).collect();
        queries.extend([LINKS_FROM, LINKS_INTO].map(str::to_owned));
        queries.push("select rid from contracts where buyer_h in (1, 2)".to_owned());
        queries.push("select rid from findings where buyer_id in ('1', '2') and state = 'open'".to_owned());
        for sql in queries {
            let mut statement = db.sqlite().unwrap().prepare(&format!("explain query plan {sql}")).unwrap();
            let plan: Vec<String> = statement.raw_query().mapped(|row| row.get("detail")).map(|l| l.unwrap()).collect();
            for line in plan {
                let indexed = line.contains("INDEX") || line.starts_with("LIST SUBQUERY");
                assert!(indexed && !line.contains("TEMP B-TREE"), "{sql}: {line}");
            }
        }
    }
}
