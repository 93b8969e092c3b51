//! A full disk: a clear error, everything as it was, and the same command works once there is room.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use testkit::state::assert_same;
use testkit::{House, Run, state_of};

use super::sample;

/// A small file system in memory; unmounted when dropped.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    /// `None` where this user may not mount.
    fn mount(at: &'a Path, mebibytes: u32) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let size = format!("size={mebibytes}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "cidadao-test"]).arg(at).output();
        mounted.is_ok_and(|o| o.status.success()).then_some(Self(at))
    }

    fn grow(&self, mebibytes: u32) {
        let size = format!("remount,size={mebibytes}m");
        assert!(Command::new("mount").args(["-o", &size]).arg(self.0).status().unwrap().success());
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

/// An ingest none of whose files may grow beyond a number of KiB; the signal that comes with it is ignored.
fn ingest_with_small_files(house: &House, folder: &Path, kibibytes: u32) -> Run {
    let program = house.program().args(["ingest", "--json"]).arg(folder).into_command();
    let mut shell = Command::new("bash");
    shell
        .arg0("bash")
        .arg("-c")
        .arg(format!("trap '' XFSZ; ulimit -f {kibibytes}; exec \"$0\" \"$@\""))
        .arg(program.get_program())
        .args(program.get_args());
    shell.output().unwrap().into()
}

#[track_caller]
fn says_what_is_wrong(run: &Run) {
    assert_eq!(run.code, Some(1), "{run:?}");
    let said = run.stderr.to_lowercase();
    assert!(["full", "no space", "file too large", "i/o", "disk"].iter().any(|w| said.contains(w)), "{said}");
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn a_file_that_cannot_grow_leaves_everything_as_it_was() {
    let house = House::new();
    let (first, second) = (sample(&house, 200, 3), sample(&house, 2_000, 4));
    let _ = house.ingest(&[&first]).ends_with(3);
    let before = house.state();
    // SQLite's log reaches the limit first at one size, a segment or the judging at others.
    for kibibytes in [64, 1_000, 3_000] {
        let run = ingest_with_small_files(&house, &second, kibibytes);
        says_what_is_wrong(&run);
        let after = house.program().args(["doctor", "--json"]).run();
        assert!(!after.stdout.contains("fault"), "{}", after.stdout);
        assert_eq!(contracts(&house), before["contracts"].len(), "at {kibibytes} KiB something was kept");
    }
    let _ = house.ingest(&[&second]).ends_with(3);
    let whole = {
        let other = House::new();
        let _ = other.ingest(&[&first]);
        let _ = other.ingest(&[&second]);
        other.state()
    };
    assert_same(&whole, &house.state(), "with room again");
}

fn contracts(house: &House) -> usize {
    let db = rusqlite::Connection::open_with_flags(
        house.data().join("cidadao.db"),
        rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
    )
    .unwrap();
    let count: i64 = db.query_row("select count(*) from contracts", [], |row| row.get(0)).unwrap();
    usize::try_from(count).unwrap()
}

#[test]
fn a_full_disk_leaves_everything_as_it_was() {
    let house = House::new();
    let (first, second) = (sample(&house, 200, 3), sample(&house, 6_000, 4));
    let at = house.data();
    let Some(disk) = SmallDisk::mount(&at, 48) else {
        println!("this user may not mount: the limit on the size of files stands in (see the test above)");
        return;
    };
    let _ = house.ingest(&[&first]).ends_with(3);
    let before = state_of(&at);
    let run = house.ingest(&[&second]);
    says_what_is_wrong(&run);
    let after = house.program().args(["doctor", "--json"]).run().json();
    let named: Vec<String> = after["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|c| c["gravity"] == "problem")
        .map(|c| c["about"].to_string())
        .collect();
    assert_eq!(named, ["\"disk\""], "{after:#}");
    disk.grow(512);
    // Orphans of the failed one are removed by the next ingest, whatever that reads.
    let _ = house.ingest(&[&first]);
    assert_same(&before, &state_of(&at), "after a full disk");
    let _ = house.ingest(&[&second]).ends_with(3);
    assert!(state_of(&at)["contracts"].len() > 6_000);
}
