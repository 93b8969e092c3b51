//! One small file of every format, the seeds of the parsers' fuzzing.

use std::path::PathBuf;

use testkit::House;

#[path = "../../../sources/tests/fuzz/local_seeds.rs"]
mod local_seeds;
#[path = "../../../sources/tests/fuzz/seeds.rs"]
mod seeds;

/// Writes them all into one folder.
pub fn write(house: &House) -> PathBuf {
    let mut folder = house.root().to_owned();
    for (name, bytes) in seeds::all().into_iter().chain(local_seeds::all()) {
        folder = house.file(&format!("formats/{name}"), bytes).parent().unwrap().to_owned();
    }
    folder
}
