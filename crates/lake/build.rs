//! Puts the DuckDB shared library beside what is built, so that binary and tests find it (rpath `$ORIGIN`).

use std::path::{Path, PathBuf};

fn main() {
    let native = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../../native/lib");
    println!("cargo:rerun-if-changed={}", native.display());
    let Some(profile) =
        std::env::var_os("OUT_DIR").and_then(|out| PathBuf::from(out).ancestors().nth(3).map(Path::to_owned))
    else {
        return;
    };
    let Ok(entries) = std::fs::read_dir(&native) else {
        println!("cargo:warning=native/lib is not there: run `make native` once");
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if !name.to_string_lossy().contains("duckdb") {
            continue;
        }
        let target = profile.join(&name);
        let same = |a: &Path, b: &Path| matches!((a.metadata(), b.metadata()), (Ok(a), Ok(b)) if a.len() == b.len() && a.modified().ok() <= b.modified().ok());
        if !same(&entry.path(), &target) {
            // A program that runs from there keeps its old file; a new one takes the name.
            let _ = std::fs::remove_file(&target);
            if let Err(error) = std::fs::copy(entry.path(), &target) {
                println!("cargo:warning={} could not be copied: {error}", target.display());
            }
        }
    }
}
