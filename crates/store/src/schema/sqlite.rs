//! The schema on SQLite, and how an older one is brought up to date.

use model::{Column, Kind, TABLES, Table};

use super::{INDEXES, VERSION, create_indexes, create_partition_indexes};
use crate::db::{Db, Lock};
use crate::keys::{has_keys, keys_table};
use crate::{Error, Result};

/// What version 3 adds, also to a new database.
const VERSION_3: &[&str] =
    &[include_str!("../../sql/migrate-3-runs.sql"), include_str!("../../sql/migrate-3-verdicts.sql")];

/// The version of what is held; 0 for an empty database.
pub(super) fn version(connection: &Db) -> Result<i64> {
    connection.query_row("pragma user_version", [], |row| row.get(0))
}

pub(super) fn migrate(connection: &Db) -> Result<()> {
    let mut connection_version = version(connection)?;
    if connection_version > VERSION {
        return Err(Error::Newer { found: connection_version, known: VERSION });
    }
    connection.execute_batch(include_str!("../../sql/entities.sql"))?;
    if connection_version == VERSION {
        return Ok(());
    }
    let transaction = connection.begin(Lock::Facts)?;
    // Another process may have made it while this one waited for the lock.
    connection_version = version(&transaction)?;
    if connection_version == 0 {
        transaction.execute_batch(include_str!("../../sql/schema.sql"))?;
        for table in TABLES {
            transaction.execute_batch(&create_table(table))?;
        }
    }
    if connection_version == 1 {
        migrate_from_1(&transaction)?;
    }
    if connection_version < 3 {
        for statements in VERSION_3 {
            transaction.execute_batch(statements)?;
        }
    }
    if connection_version < 4 {
        transaction.execute_batch(include_str!("../../sql/migrate-4-events.sql"))?;
        crate::chain::take_over_verdicts(&transaction)?;
    }
    if connection_version < 5 {
        transaction.execute_batch(include_str!("../../sql/migrate-5-streams.sql"))?;
    }
    if connection_version < 7 {
        transaction.execute_batch(include_str!("../../sql/identity.sql"))?;
    }
    if connection_version < 8 {
        transaction.execute_batch(include_str!("../../sql/snapshots.sql"))?;
    }
    if connection_version < 9 {
        transaction.execute_batch(include_str!("../../sql/findings-runs.sql"))?;
    }
    if connection_version < VERSION {
        create_partition_indexes(&transaction)?;
        create_indexes(&transaction)?;
        transaction.execute_batch(&format!("pragma user_version = {VERSION}"))?;
    }
    transaction.commit()?;
    Ok(())
}

/// Version 2: tables of keys, columns and tables that came with more sources, ingests that can be continued.
fn migrate_from_1(connection: &Db) -> Result<()> {
    connection.execute_batch(include_str!("../../sql/migrate-2.sql"))?;
    for table in TABLES {
        let name = table.name;
        let held: i64 = connection.query_row(
            "select count(*) from sqlite_master where type = 'table' and name = ?1",
            [name],
            |row| row.get(0),
        )?;
        if held == 0 {
            connection.execute_batch(&create_table(table))?;
            continue;
        }
        connection.execute_batch(&format!("alter table {name} rename to old_{name}"))?;
        for (_, index, _) in INDEXES.iter().filter(|(of, ..)| *of == name) {
            connection.execute_batch(&format!("drop index if exists {index}"))?;
        }
        connection.execute_batch(&format!("drop index if exists {name}_by_partition"))?;
        connection.execute_batch(&create_table(table))?;
        copy_rows(connection, name)?;
    }
    connection.execute_batch(include_str!("../../sql/migrate-2-fill.sql"))
}

/// Copies the rows of `old_{name}`, column by column of the same name, and their keys.
fn copy_rows(connection: &Db, name: &str) -> Result<()> {
    let columns_of = |table: &str| -> Result<Vec<String>> {
        let mut statement = connection.prepare("select name from pragma_table_info(?1)")?;
        let names = statement.query_map([table], |row| row.get(0))?;
        Ok(names.collect::<rusqlite::Result<_>>()?)
    };
    let old = columns_of(&format!("old_{name}"))?;
    let mut into: Vec<String> = columns_of(name)?.into_iter().filter(|c| old.contains(c)).collect();
    let mut from = into.clone();
    for (column, value) in [("currency", "'BRL'"), ("seen_in", "file_id")] {
        if columns_of(name)?.iter().any(|c| c == column) {
            into.push(column.to_owned());
            from.push(value.to_owned());
        }
    }
    let (into, from) = (into.join(", "), from.join(", "));
    connection.execute_batch(&format!("insert into {name} ({into}) select {from} from old_{name}"))?;
    if TABLES.iter().any(|t| t.name == name && has_keys(t)) {
        let keys = keys_table(name);
        connection
            .execute_batch(&format!("insert into {keys} (idh, rid) select idh, rid from old_{name} order by idh"))?;
    }
    connection.execute_batch(&format!("drop table old_{name}"))?;
    Ok(())
}

fn create_table(table: &Table) -> String {
    super::create_table(table, "integer", "text", sql_type)
}

fn sql_type(column: &Column) -> &'static str {
    match column.kind {
        Kind::Text | Kind::Date => "text",
        Kind::Int | Kind::Bool | Kind::Decimal => "integer",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a program of version 2 made.
    fn version_2() -> Db {
        let db =
            Db::Sqlite(crate::db::Lite::new(rusqlite::Connection::open_in_memory().unwrap(), crate::db::Role::Bulk));
        db.execute_batch(include_str!("../../sql/schema.sql")).unwrap();
        for table in TABLES {
            db.execute_batch(&create_table(table)).unwrap();
        }
        create_partition_indexes(&db).unwrap();
        create_indexes(&db).unwrap();
        db.execute_batch("pragma user_version = 2").unwrap();
        db
    }

    #[test]
    fn a_database_of_version_2_is_taken_over_with_its_runs() {
        let db = version_2();
        db.execute_batch(
            "insert into runs (judged_at, catalogue_version, program_version, law_version, segments, scope)
             values ('2026-01-01T00:00:00.000000-03:00', 'c', 'p', 'l', '12', 'all')",
        )
        .unwrap();
        migrate(&db).unwrap();
        let version = version(&db).unwrap();
        let run: (String, String) =
            db.query_row("select segments, parameters from runs", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        assert_eq!((version, run), (VERSION, ("12".to_owned(), String::new())));
        migrate(&db).unwrap();
    }

    #[test]
    fn verdicts_of_version_3_enter_the_log_in_their_order() {
        let db = version_2();
        for statements in VERSION_3 {
            db.execute_batch(statements).unwrap();
        }
        db.execute_batch(
            "insert into verdicts (finding_id, verdict, reason, who, given_at, flag, flag_version, given_on) values
             ('fnd_a', 'confirmed', 'sim', 'Ana', '2026-01-01T00:00:00.000000-03:00', 'BR05', 1, '{}'),
             ('fnd_b', 'dismissed', 'não', 'Ana', '2026-01-02T00:00:00.000000-03:00', 'BR05', 1, '{}'),
             ('fnd_a', 'dismissed', 'não', 'Bia', '2026-01-03T00:00:00.000000-03:00', 'BR05', 1, '{}');
             pragma user_version = 3;",
        )
        .unwrap();
        migrate(&db).unwrap();
        let mut statement = db.prepare("select * from events order by seq").unwrap();
        let events: Vec<_> = statement.query_map([], crate::chain::event_from).unwrap().map(|e| e.unwrap()).collect();
        let places: Vec<_> = events.iter().map(|e| (e.seq, e.stream.as_str(), e.version)).collect();
        assert_eq!(places, [(1, "finding:fnd_a", 1), (2, "finding:fnd_b", 1), (3, "finding:fnd_a", 2)]);
        assert!(events.iter().all(|event| event.reckoned() == event.hash));
        assert_eq!(events[0].previous, crate::chain::GENESIS);
        assert!(events.windows(2).all(|pair| pair[1].previous == pair[0].hash));
        assert!(events[2].payload.contains("\"who\":\"Bia\""), "{}", events[2].payload);
        assert_eq!(crate::chain::noted_head(&db).unwrap(), Some((3, events[2].hash.clone())));
    }
}
