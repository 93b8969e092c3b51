//! From what a user names (files, folders, archives) to single inputs, in an order that never changes.
//!
//! A path that is not there is an error at once; an archive that cannot be opened is an input that carries its
//! error, so that one bad download does not keep the others from being read.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use walkdir::WalkDir;
use zip::ZipArchive;

use crate::Error;

/// Bytes read from the disk at once.
const READ_BUFFER: usize = 256 * 1024;
/// Members looked at in one archive.
const MEMBERS_MAX: usize = 10_000;
/// Beyond this a member is refused (or cut, when its stated size lies).
const UNPACKED_BYTES_MAX: u64 = 64 << 30;
/// How a gzip file begins: its mark, and deflate as its method.
const GZIP: &[u8] = &[0x1F, 0x8B, 8];

/// One file, or one member of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The file (of the archive, for a member).
    pub path: PathBuf,
    /// The member's name inside the archive.
    pub member: Option<String>,
    /// For people: `a.csv`, `a.zip!b.csv`.
    pub name: String,
    /// Its size, unpacked.
    pub bytes: u64,
    /// Why it cannot be read, where that is known already.
    pub error: Option<String>,
    /// Its bytes, where it is no file but a text at hand.
    text: Option<String>,
}

impl Input {
    /// A text at hand, under the name of the file that it is from.
    pub(crate) fn of_text(name: &str, text: String) -> Self {
        let (path, bytes) = (PathBuf::from(name), text.len() as u64);
        Self { path, member: None, name: name.to_owned(), bytes, error: None, text: Some(text) }
    }

    /// The name of the file itself, without folders and archive.
    #[must_use]
    pub fn file_name(&self) -> &str {
        let whole = self.member.as_deref().unwrap_or(&self.name);
        whole.rsplit(['/', '\\']).next().unwrap_or(whole)
    }

    /// Opens it and hands the stream of its (unpacked) bytes to `use_it`.
    pub(crate) fn with_bytes<T>(&self, use_it: impl FnOnce(&mut dyn Read) -> Result<T, Error>) -> Result<T, Error> {
        if let Some(text) = &self.text {
            return use_it(&mut text.as_bytes());
        }
        if let Some(detail) = &self.error {
            return Err(Error::Archive { name: self.name.clone(), detail: detail.clone() });
        }
        let file = File::open(&self.path).map_err(|cause| Error::io(&self.name, cause))?;
        let Some(member) = &self.member else {
            return unpacked(file, use_it).map_err(|cause| Error::io(&self.name, cause))?;
        };
        let archive_error =
            |cause: zip::result::ZipError| Error::Archive { name: self.name.clone(), detail: cause.to_string() };
        let mut archive = ZipArchive::new(BufReader::with_capacity(READ_BUFFER, file)).map_err(archive_error)?;
        let bytes = archive.by_name(member).map_err(archive_error)?;
        unpacked(bytes.take(UNPACKED_BYTES_MAX), use_it).map_err(|cause| Error::io(&self.name, cause))?
    }
}

/// Hands on the bytes, unpacked where they begin as gzip does.
fn unpacked<T>(bytes: impl Read, use_it: impl FnOnce(&mut dyn Read) -> T) -> std::io::Result<T> {
    let mut bytes = BufReader::with_capacity(READ_BUFFER, bytes);
    let is_gzip = bytes.fill_buf()?.starts_with(GZIP);
    Ok(if is_gzip { use_it(&mut MultiGzDecoder::new(bytes).take(UNPACKED_BYTES_MAX)) } else { use_it(&mut bytes) })
}

/// Expands files, folders (recursively, in order of name) and ZIP archives into inputs.
///
/// Hidden files and folders inside a folder are left out; links are followed, and a loop of links is left.
///
/// # Errors
/// [`Error::NotFound`] for a path that is not there, [`Error::Io`] for a folder that cannot be listed.
pub fn discover(paths: &[PathBuf]) -> Result<Vec<Input>, Error> {
    let mut inputs = Vec::new();
    for path in paths {
        let kind = std::fs::metadata(path).map_err(|cause| match cause.kind() {
            std::io::ErrorKind::NotFound => Error::NotFound { path: path.clone() },
            _ => Error::io(&path.display().to_string(), cause),
        })?;
        if kind.is_dir() {
            list_folder(path, &mut inputs)?;
        } else {
            list_file(path, kind.len(), &mut inputs);
        }
    }
    Ok(inputs)
}

fn list_folder(folder: &Path, inputs: &mut Vec<Input>) -> Result<(), Error> {
    let visible =
        |entry: &walkdir::DirEntry| entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with('.');
    for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter().filter_entry(visible) {
        let entry = match entry {
            Ok(entry) => entry,
            // A loop of links leads to files that are listed already, a dangling link to none.
            Err(error) if error.loop_ancestor().is_some() => continue,
            Err(error) if is_dangling(&error) => continue,
            Err(error) => {
                let name = error.path().unwrap_or(folder).display().to_string();
                return Err(Error::io(&name, error.into()));
            }
        };
        if entry.file_type().is_file() {
            let bytes = entry.metadata().map_or(0, |m| m.len());
            list_file(entry.path(), bytes, inputs);
        }
    }
    Ok(())
}

fn is_dangling(error: &walkdir::Error) -> bool {
    error.io_error().is_some_and(|e| e.kind() == std::io::ErrorKind::NotFound)
}

fn list_file(path: &Path, bytes: u64, inputs: &mut Vec<Input>) {
    let name = path.display().to_string();
    let plain = Input { path: path.to_owned(), member: None, name, bytes, error: None, text: None };
    let named_zip = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("zip"));
    if !named_zip && !begins_as_zip(path) {
        inputs.push(plain);
        return;
    }
    match list_members(&plain) {
        Ok(members) => inputs.extend(members),
        Err(detail) => inputs.push(Input { error: Some(detail), ..plain }),
    }
}

fn begins_as_zip(path: &Path) -> bool {
    let mut magic = [0u8; 4];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut magic));
    read.is_ok() && matches!(&magic, b"PK\x03\x04" | b"PK\x05\x06")
}

fn list_members(archive_file: &Input) -> Result<Vec<Input>, String> {
    let file = File::open(&archive_file.path).map_err(|cause| cause.to_string())?;
    let mut archive =
        ZipArchive::new(BufReader::with_capacity(READ_BUFFER, file)).map_err(|cause| cause.to_string())?;
    if archive.len() > MEMBERS_MAX {
        return Err(format!("it has {} members; {MEMBERS_MAX} is the limit", archive.len()));
    }
    let mut members = Vec::with_capacity(archive.len());
    for at in 0..archive.len() {
        let member = archive.by_index_raw(at).map_err(|cause| cause.to_string())?;
        if member.is_dir() {
            continue;
        }
        let inner = member.name().to_owned();
        let error = match () {
            () if member.encrypted() => Some("this member is encrypted".to_owned()),
            () if member.size() > UNPACKED_BYTES_MAX => Some(format!("this member unpacks to {} bytes", member.size())),
            () => None,
        };
        members.push(Input {
            path: archive_file.path.clone(),
            name: format!("{}!{inner}", archive_file.name),
            member: Some(inner),
            bytes: member.size(),
            error,
            text: None,
        });
    }
    members.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(members)
}
