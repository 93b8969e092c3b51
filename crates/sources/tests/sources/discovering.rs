//! Files, folders, archives and links.

use std::io::{Cursor, Write};
use std::path::Path;

use sources::{Error, discover};
use zip::write::SimpleFileOptions;

use super::portal_compras::{ROW, file_of};
use super::{contract, day, read_input};

fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn names(root: &Path) -> Vec<String> {
    let root_name = format!("{}/", root.display());
    discover(&[root.to_owned()]).unwrap().into_iter().map(|i| i.name.replace(&root_name, "")).collect()
}

#[test]
fn folders_and_archives_are_expanded_in_order() {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(root.path().join("b/c")).unwrap();
    std::fs::create_dir_all(root.path().join(".git")).unwrap();
    std::fs::write(root.path().join(".git/config"), "x").unwrap();
    std::fs::write(root.path().join("z.csv"), "x").unwrap();
    std::fs::write(root.path().join("b/c/d.json"), "x").unwrap();
    let zip = archive(&[("202402_Licitação.csv", b"l"), ("202402_Compras.csv", b"cc")]);
    std::fs::write(root.path().join("b/a.zip"), &zip).unwrap();
    std::fs::write(root.path().join("b/without-suffix"), &zip).unwrap();
    assert_eq!(
        names(root.path()),
        [
            "b/a.zip!202402_Compras.csv",
            "b/a.zip!202402_Licitação.csv",
            "b/c/d.json",
            "b/without-suffix!202402_Compras.csv",
            "b/without-suffix!202402_Licitação.csv",
            "z.csv"
        ]
    );
    let inputs = discover(&[root.path().join("b/a.zip")]).unwrap();
    assert_eq!((inputs[0].bytes, inputs[0].member.as_deref()), (2, Some("202402_Compras.csv")));
}

#[test]
fn a_member_is_streamed_and_its_name_gives_the_month() {
    let root = tempfile::tempdir().unwrap();
    let row = ROW.replace("05/02/2024", "").replace("07/02/2024", "");
    let path = root.path().join("compras.zip");
    std::fs::write(&path, archive(&[("dados/202403_Compras.csv", &file_of(&[row]))])).unwrap();
    let inputs = discover(&[path]).unwrap();
    let outcome = read_input(&inputs[0], None);
    assert_eq!(contract(&outcome.only().sourced).partition_on, day("2024-03-01"));
}

#[test]
fn a_broken_archive_is_an_error_of_its_own_input_only() {
    let root = tempfile::tempdir().unwrap();
    let whole = archive(&[("202402_Compras.csv", &file_of(&[ROW.to_owned()]))]);
    std::fs::write(root.path().join("a-cut.zip"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(root.path().join("b-garbage.zip"), b"not a zip").unwrap();
    std::fs::write(root.path().join("c-empty.zip"), b"").unwrap();
    std::fs::write(root.path().join("d-good.zip"), &whole).unwrap();
    let inputs = discover(&[root.path().to_owned()]).unwrap();
    assert_eq!(inputs.len(), 4);
    for broken in &inputs[..3] {
        assert!(broken.error.is_some());
        assert!(matches!(read_input(broken, None).result, Err(Error::Archive { .. })));
    }
    assert_eq!(read_input(&inputs[3], None).rows().len(), 1);
}

#[test]
fn a_member_with_a_wrong_checksum_is_an_error_behind_its_rows() {
    let root = tempfile::tempdir().unwrap();
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("202402_Compras.csv", stored).unwrap();
    writer.write_all(&file_of(&[ROW.to_owned()])).unwrap();
    let mut bytes = writer.finish().unwrap().into_inner();
    let at = bytes.windows(5).position(|w| w == b"papel").unwrap();
    bytes[at] = b'P';
    let path = root.path().join("a.zip");
    std::fs::write(&path, bytes).unwrap();
    let outcome = read_input(&discover(&[path]).unwrap()[0], None);
    assert!(matches!(outcome.result, Err(Error::Io { .. })), "{:?}", outcome.result);
}

#[test]
fn a_path_that_is_not_there_is_named() {
    let error = discover(&["/nowhere/at/all.csv".into()]).unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }));
    assert!(error.to_string().contains("/nowhere/at/all.csv"));
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_loops_are_left() {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("a")).unwrap();
    std::fs::write(root.path().join("a/x.csv"), "x").unwrap();
    std::os::unix::fs::symlink(root.path(), root.path().join("a/loop")).unwrap();
    std::os::unix::fs::symlink("/nowhere/at/all", root.path().join("a/dangling")).unwrap();
    assert_eq!(names(root.path()), ["a/x.csv"]);
}
