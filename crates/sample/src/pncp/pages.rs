//! Pages of an answer: `{"data":[…],"totalRegistros":…}`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::FileSummary;

/// The pages of one query, of which the current one is in memory.
pub(super) struct Pages {
    out: PathBuf,
    name: String,
    source: &'static str,
    page_size: u64,
    total: u64,
    written: u64,
    page: Vec<u8>,
    files: Vec<FileSummary>,
}

impl Pages {
    /// Pages named `{name}_pNNN.json` below `out`, which will hold `total` records.
    pub(super) fn new(out: &Path, name: String, source: &'static str, page_size: u64, total: u64) -> Self {
        let page = Vec::with_capacity(1 << 20);
        Self { out: out.to_owned(), name, source, page_size, total, written: 0, page, files: Vec::new() }
    }

    /// The file and the place within it, from 0, of the next record.
    pub(super) fn place(&self) -> (String, u64) {
        (self.file_name(self.written / self.page_size + 1), self.written % self.page_size)
    }

    /// Adds the record that `write` appends.
    pub(super) fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        let opening: &[u8] = if self.page.is_empty() { b"{\"data\":[" } else { b"," };
        self.page.extend_from_slice(opening);
        write(&mut self.page);
        self.written += 1;
        if self.written.is_multiple_of(self.page_size) { self.close_page(self.page_size) } else { Ok(()) }
    }

    /// Writes the last page; a query that found nothing has one empty page.
    pub(super) fn finish(mut self, files: &mut Vec<FileSummary>) -> io::Result<()> {
        debug_assert_eq!(self.written, self.total, "the total stands on every page");
        let left = self.written % self.page_size;
        if left > 0 {
            self.close_page(left)?;
        } else if self.written == 0 {
            self.page.extend_from_slice(b"{\"data\":[");
            self.close_page(0)?;
        }
        files.append(&mut self.files);
        Ok(())
    }

    fn close_page(&mut self, rows: u64) -> io::Result<()> {
        let number = self.written.div_ceil(self.page_size).max(1);
        let pages = self.total.div_ceil(self.page_size);
        let envelope = format!(
            "],\"totalRegistros\":{},\"totalPaginas\":{pages},\"numeroPagina\":{number},\"paginasRestantes\":{},\"empty\":{}}}",
            self.total,
            pages.saturating_sub(number),
            self.total == 0,
        );
        self.page.extend_from_slice(envelope.as_bytes());
        let path = self.file_name(number);
        fs::write(self.out.join(&path), &self.page)?;
        self.page.clear();
        self.files.push(FileSummary { path: path.into(), source: self.source, rows });
        Ok(())
    }

    fn file_name(&self, number: u64) -> String {
        format!("{}_p{number:03}.json", self.name)
    }
}
