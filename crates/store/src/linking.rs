//! Who is one and the same: finds links between the ids that new records brought and those held.
//!
//! Only what a number says is merged, and visibly: one CNPJ with one unit code, or a federal unit of PNCP whose code is
//! a UASG and whose name, or whose body's name, says so too. A name is never enough: names that are alike within one place are proposed, for a person to decide. What a
//! person undid is never merged again by the program.
//!
//! Bounded: buyers are compared within one state, municipality and first word only, and at least one of a pair is
//! new; persons and foreigners within one number.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::db::{Db, Lock, OptionalExtension};
use rusqlite::params;

use crate::likeness::{LIKENESS_MIN, first_word, likeness, words};
use crate::links::{Decision, EntityKind, Groups, NewLink, add_link, between, decide, derive_members};
use crate::{Result, Store};

/// The most ids of one state, municipality and first word that are compared by likeness; of more, only equal names.
const BLOCK_MAX: usize = 300;
/// The most ids of one number that are compared.
const NUMBER_MAX: usize = 100;
/// Confidence of a code that nothing but itself says is one unit: some federal bodies give PNCP codes of their own that
/// look like a UASG.
const UNCONFIRMED: f64 = 0.8;
/// Confidence of a code that says one unit while the states differ.
const CONTRADICTED: f64 = 0.5;

/// What a linking did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LinkedReport {
    /// Links that a number makes certain, merged.
    pub merged: u64,
    /// Links that a person must decide.
    pub proposed: u64,
}

/// A buyer, as far as links need it.
#[derive(Debug, Clone, Default)]
struct Unit {
    id: String,
    name: String,
    code: Option<String>,
    cnpj: Option<String>,
    sphere: Option<String>,
    state: Option<String>,
    municipality: Option<String>,
    parent_name: Option<String>,
    superior_name: Option<String>,
    new: bool,
}

impl Unit {
    fn source(&self) -> &str {
        self.id.split(':').next().unwrap_or_default()
    }
}

/// A link that was found.
#[derive(Debug, Clone, PartialEq)]
struct Found {
    from: String,
    into: String,
    basis: &'static str,
    confidence: f64,
    certain: bool,
    reason: String,
}

impl Store {
    /// Links what came since the last linking; does nothing when nothing came.
    ///
    /// # Errors
    /// The database cannot be written; nothing is changed then.
    pub fn link_entities(&self, at: &str) -> Result<LinkedReport> {
        let connection = self.loader()?;
        let newest: i64 = connection.query_row("select coalesce(max(id), 0) from ingests", [], |row| row.get(0))?;
        let since = mark(&connection, "linked_ingest")?;
        if since >= newest {
            return Ok(LinkedReport::default());
        }
        // Persons are sought by the number in their id; companies are one by their CNPJ already.
        connection.execute_batch(
            "create index if not exists suppliers_not_companies on suppliers (id) where kind <> 'company'",
        )?;
        let transaction = connection.begin(Lock::Facts)?;
        let units = units(&transaction, since)?;
        let mut found = certain_links(&units);
        found.extend(alike_units(&units));
        let mut report = write(&transaction, EntityKind::Buyer, &found, at)?;
        let people = alike_people(&transaction, since)?;
        report.proposed += write(&transaction, EntityKind::Supplier, &people, at)?.proposed;
        set_mark(&transaction, "linked_ingest", newest)?;
        transaction.commit()?;
        Ok(report)
    }
}

fn mark(db: &Db, key: &str) -> Result<i64> {
    let text: Option<String> =
        db.query_row("select value from meta where key = ?1", [key], |row| row.get(0)).optional()?;
    Ok(text.and_then(|text| text.parse().ok()).unwrap_or(0))
}

fn set_mark(db: &Db, key: &str, value: i64) -> Result<()> {
    db.execute(crate::SET_META, params![key, value.to_string()])?;
    Ok(())
}

fn units(db: &Db, since: i64) -> Result<Vec<Unit>> {
    let mut statement = db.prepare(
        "select id, name, code, cnpj, sphere, state, municipality, parent_name, superior_name, ingest_id
         from buyers order by id",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(Unit {
            id: row.get(0)?,
            name: row.get(1)?,
            code: row.get(2)?,
            cnpj: row.get(3)?,
            sphere: row.get(4)?,
            state: row.get(5)?,
            municipality: row.get(6)?,
            parent_name: row.get(7)?,
            superior_name: row.get(8)?,
            new: row.get::<_, i64>(9)? > since,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
}

/// Which of two ids the other is merged into: a UASG, else the lesser text.
fn directed<'a>(a: &'a Unit, b: &'a Unit) -> (&'a Unit, &'a Unit) {
    let rank = |unit: &'a Unit| (unit.source() != "uasg", unit.id.as_str());
    if rank(a) <= rank(b) { (b, a) } else { (a, b) }
}

/// Links that a number makes certain.
fn certain_links(units: &[Unit]) -> Vec<Found> {
    let mut found = Vec::new();
    let mut by_number: BTreeMap<(&str, &str), Vec<&Unit>> = BTreeMap::new();
    let mut uasgs: HashMap<&str, &Unit> = HashMap::new();
    for unit in units {
        let Some(code) = unit.code.as_deref() else { continue };
        if let Some(cnpj) = unit.cnpj.as_deref() {
            by_number.entry((cnpj, code)).or_default().push(unit);
        }
        if unit.source() == "uasg" {
            uasgs.insert(code, unit);
        }
    }
    for ((cnpj, code), same) in by_number.iter().filter(|(_, same)| same.len() > 1 && same.iter().any(|u| u.new)) {
        let into = same.iter().copied().reduce(|a, b| directed(a, b).1).expect("a group has members");
        for from in same.iter().filter(|unit| unit.id != into.id) {
            let reason = format!("same CNPJ {cnpj} and same unit code {code}");
            found.push(link(from, into, "cnpj", 1.0, reason));
        }
    }
    for unit in units.iter().filter(|u| u.source() == "pncp" && u.sphere.as_deref() == Some("F")) {
        let Some(code) = unit.code.as_deref().filter(|c| c.len() == 6 && c.bytes().all(|b| b.is_ascii_digit())) else {
            continue;
        };
        let Some(uasg) = uasgs.get(code).filter(|uasg| unit.new || uasg.new) else { continue };
        let mut one = link(unit, uasg, "code", 1.0, format!("PNCP gives this federal unit the code {code}, a UASG"));
        if differ(unit.state.as_deref(), uasg.state.as_deref()) {
            (one.certain, one.confidence) = (false, CONTRADICTED);
            one.reason.push_str("; but the states differ");
        } else if !names_confirm(unit, uasg) {
            (one.certain, one.confidence) = (false, UNCONFIRMED);
            one.reason.push_str("; but neither the unit nor its body is named alike");
        }
        found.push(one);
    }
    found
}

fn link(from: &Unit, into: &Unit, basis: &'static str, confidence: f64, reason: String) -> Found {
    Found { from: from.id.clone(), into: into.id.clone(), basis, confidence, certain: confidence >= 1.0, reason }
}

/// Whether the names of two units, or of the bodies above them, are alike.
fn names_confirm(a: &Unit, b: &Unit) -> bool {
    let alike = |x: &str, y: &str| likeness(&words(x), &words(y)) >= LIKENESS_MIN;
    let above = |unit: &Unit| [unit.parent_name.clone(), unit.superior_name.clone()].into_iter().flatten();
    alike(&a.name, &b.name) || above(a).any(|x| above(b).any(|y| alike(&x, &y)))
}

fn differ<T: PartialEq>(a: Option<T>, b: Option<T>) -> bool {
    matches!((a, b), (Some(a), Some(b)) if a != b)
}

/// Buyers of different sources in one place whose names are alike. A unit whose state is not stated is in no place.
fn alike_units(units: &[Unit]) -> Vec<Found> {
    let mut blocks: BTreeMap<(String, String, String), Vec<&Unit>> = BTreeMap::new();
    for unit in units {
        let (Some(state), Some(first)) = (unit.state.clone(), first_word(&unit.name)) else { continue };
        let municipality = unit.municipality.as_deref().map(model::text::normal_name).unwrap_or_default();
        blocks.entry((state, municipality, first)).or_default().push(unit);
    }
    let mut found = Vec::new();
    for block in blocks.values().filter(|b| b.iter().any(|u| u.new)) {
        if block.len() > BLOCK_MAX {
            let mut by_name: BTreeMap<String, Vec<&Unit>> = BTreeMap::new();
            for unit in block {
                by_name.entry(model::text::normal_name(&unit.name)).or_default().push(unit);
            }
            for same in by_name.values().filter(|same| same.len() <= BLOCK_MAX) {
                compare(same, &mut found);
            }
        } else {
            compare(block, &mut found);
        }
    }
    found
}

/// Compares each pair of which one is new.
fn compare(block: &[&Unit], found: &mut Vec<Found>) {
    let names: Vec<BTreeSet<String>> = block.iter().map(|unit| words(&unit.name)).collect();
    for (at, a) in block.iter().enumerate() {
        for (b, other) in block[at + 1..].iter().zip(&names[at + 1..]) {
            if !(a.new || b.new) || !may_be_one(a, b) {
                continue;
            }
            let likeness = likeness(&names[at], other);
            if likeness >= LIKENESS_MIN {
                let (from, into) = directed(a, b);
                let reason = format!("names alike in one place: \"{}\" and \"{}\"", from.name, into.name);
                // A name is never certain, however equal.
                found.push(Found { certain: false, ..link(from, into, "name", likeness.min(0.99), reason) });
            }
        }
    }
}

/// One source tells its own units apart; two spheres, or two legal persons, are two bodies.
fn may_be_one(a: &Unit, b: &Unit) -> bool {
    let root = |unit: &Unit| unit.cnpj.as_deref().and_then(|cnpj| cnpj.get(..8)).map(str::to_owned);
    a.source() != b.source() && !differ(a.sphere.as_deref(), b.sphere.as_deref()) && !differ(root(a), root(b))
}

/// Persons and foreigners whose ids hold one number and whose names are alike. Companies are one by their CNPJ.
fn alike_people(db: &Db, since: i64) -> Result<Vec<Found>> {
    let newest: i64 = db.query_row("select coalesce(max(rid), 0) from suppliers", [], |row| row.get(0))?;
    let seen = if since == 0 { 0 } else { mark(db, "linked_supplier")? };
    let mut fresh = db.prepare("select id, name from suppliers where rid > ?1 and kind <> 'company'")?;
    let mut of_number = db.prepare(
        "select id, name from suppliers indexed by suppliers_not_companies
         where kind <> 'company' and id >= ?1 and id < ?2 order by id limit ?3",
    )?;
    let pair = |row: &crate::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
    let mut found: BTreeMap<(String, String), Found> = BTreeMap::new();
    for person in fresh.query_map([seen], pair)? {
        let (id, name) = person?;
        let Some(end) = id.find('|') else { continue };
        let (low, high) = (format!("{}|", &id[..end]), format!("{}}}", &id[..end]));
        let own = words(&name);
        for other in of_number.query_map(params![low, high, NUMBER_MAX.cast_signed()], pair)? {
            let (other_id, other_name) = other?;
            let likeness = likeness(&own, &words(&other_name));
            if other_id == id || likeness < LIKENESS_MIN {
                continue;
            }
            let (from, into) = if id < other_id { (&other_id, &id) } else { (&id, &other_id) };
            let reason = "one number and names alike".to_owned();
            let (from, into) = (from.clone(), into.clone());
            let confidence = likeness.min(0.99);
            found.entry((from.clone(), into.clone())).or_insert(Found {
                from,
                into,
                basis: "name",
                confidence,
                certain: false,
                reason,
            });
        }
    }
    set_mark(db, "linked_supplier", newest)?;
    Ok(found.into_values().collect())
}

/// Writes what is new of what was found. What a person decided stands.
fn write(db: &Db, kind: EntityKind, found: &[Found], at: &str) -> Result<LinkedReport> {
    let mut report = LinkedReport::default();
    let mut groups = Groups::load(db, kind)?;
    let parted = parted(db, kind)?;
    for one in found {
        let held = between(db, kind, &one.from, &one.into)?;
        let together = groups.leader(&one.from) == groups.leader(&one.into);
        let merges = one.certain && !would_join_parted(&groups, &parted, &one.from, &one.into);
        let state = if merges { "merged" } else { "proposed" };
        let by = Decision { state, by: "program", at, reason: &one.reason };
        match held {
            Some((rid, link)) if merges && link.state == "proposed" => decide(db, rid, one.basis, &by)?,
            Some(_) => continue,
            // Those that are one already need no proposal.
            None if together && !merges => continue,
            None => {
                let link =
                    NewLink { kind, from: &one.from, into: &one.into, basis: one.basis, confidence: one.confidence };
                add_link(db, &link, &by)?;
            }
        }
        if merges {
            groups.join(&one.from, &one.into);
            report.merged += 1;
        } else {
            report.proposed += 1;
        }
    }
    if report.merged > 0 {
        derive_members(db, kind)?;
    }
    Ok(report)
}

/// The pairs that a person said are not one.
fn parted(db: &Db, kind: EntityKind) -> Result<Vec<(String, String)>> {
    let mut statement = db.prepare("select from_id, into_id from entity_links where kind = ?1 and state = 'undone'")?;
    let rows = statement.query_map([kind.code()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
}

/// Whether joining two groups would bring together, by a third id, what a person parted.
fn would_join_parted(groups: &Groups, parted: &[(String, String)], a: &str, b: &str) -> bool {
    let (a, b) = (groups.leader(a), groups.leader(b));
    parted.iter().any(|(x, y)| {
        let (x, y) = (groups.leader(x), groups.leader(y));
        (x == a && y == b) || (x == b && y == a)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(id: &str, name: &str, code: &str, cnpj: &str, place: (&str, &str, &str)) -> Unit {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Unit {
            id: id.to_owned(),
            name: name.to_owned(),
            code: some(code),
            cnpj: some(cnpj),
            sphere: some(place.0),
            state: some(place.1),
            municipality: some(place.2),
            parent_name: None,
            superior_name: None,
            new: true,
        }
    }

    fn pairs(found: &[Found]) -> Vec<(&str, &str, &str, bool)> {
        found.iter().map(|f| (f.from.as_str(), f.into.as_str(), f.basis, f.certain)).collect()
    }

    #[test]
    fn a_number_is_certain_and_a_contradiction_is_only_proposed() {
        let units = [
            unit("compras:1-7", "A", "7", "11222333000181", ("", "", "")),
            unit("pncp:1-7", "B", "7", "11222333000181", ("", "", "")),
            unit("pncp:2-153065", "C", "153065", "", ("F", "PB", "")),
            unit("pncp:3-200005", "D", "200005", "", ("F", "DF", "")),
            unit("pncp:5-700100", "REGIAO FISCAL", "700100", "", ("F", "", "")),
            unit("pncp:4-200005", "E", "200005", "", ("M", "SP", "")),
            unit("uasg:153065", "C", "153065", "", ("", "PB", "")),
            unit("uasg:200005", "D", "200005", "", ("", "RJ", "")),
            unit("uasg:700100", "PORTO", "700100", "", ("", "", "")),
        ];
        let found = certain_links(&units);
        let expected = [
            ("pncp:1-7", "compras:1-7", "cnpj", true),
            ("pncp:2-153065", "uasg:153065", "code", true),
            ("pncp:3-200005", "uasg:200005", "code", false),
            ("pncp:5-700100", "uasg:700100", "code", false),
        ];
        assert_eq!(pairs(&found), expected);
    }

    #[test]
    fn a_name_in_one_place_is_proposed_and_never_certain() {
        let sp = ("M", "SP", "Itu");
        let units = [
            unit("pncp:1-1", "PREFEITURA MUNICIPAL DE ITU", "1", "11222333000181", sp),
            unit("tce:35-9", "Prefeitura Municipal de Itú", "9", "", sp),
            unit("tce:35-8", "Prefeitura Municipal de Itu", "8", "", ("M", "SP", "Salto")),
            unit("tce:35-7", "Prefeitura Municipal de Itu", "7", "00000000000191", sp),
            unit("pncp:2-1", "PREFEITURA MUNICIPAL DE ITU", "1", "", ("E", "SP", "Itu")),
        ];
        let found = alike_units(&units);
        assert_eq!(pairs(&found), [("tce:35-9", "pncp:1-1", "name", false)]);
        assert!(found[0].confidence < 1.0);
    }

    #[test]
    fn what_was_there_before_is_not_compared_again() {
        let mut units = [
            unit("pncp:1-1", "CAMARA DE ITU", "1", "", ("M", "SP", "Itu")),
            unit("tce:1", "CAMARA DE ITU", "2", "", ("M", "SP", "Itu")),
        ];
        units.iter_mut().for_each(|unit| unit.new = false);
        assert_eq!(alike_units(&units), []);
    }

    #[test]
    fn what_a_person_parted_is_not_joined_by_a_third() {
        let db =
            Db::Sqlite(crate::db::Lite::new(rusqlite::Connection::open_in_memory().unwrap(), crate::db::Role::Bulk));
        crate::schema::migrate(&db).unwrap();
        let found = |from: &str, into: &str| Found {
            from: from.to_owned(),
            into: into.to_owned(),
            basis: "cnpj",
            confidence: 1.0,
            certain: true,
            reason: String::new(),
        };
        let at = "2026-11-25T10:00:00-03:00";
        write(&db, EntityKind::Buyer, &[found("b", "a")], at).unwrap();
        let (rid, _) = between(&db, EntityKind::Buyer, "b", "a").unwrap().unwrap();
        decide(&db, rid, "cnpj", &Decision { state: "undone", by: "operator", at, reason: "two" }).unwrap();
        let report = write(&db, EntityKind::Buyer, &[found("b", "a"), found("a", "c"), found("b", "c")], at).unwrap();
        assert_eq!(report, LinkedReport { merged: 1, proposed: 1 });
    }
}
