//! Writing segments inside an ingest's transaction.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use sha2::{Digest, Sha256};
use store::{Ingest, NewSegment, Scanner, Store, TouchedPartition};

use crate::columns::{Batch, schema_of};
use crate::{Error, Lake, Result};

/// Rows gathered before they are encoded; bounds memory.
const BATCH_ROWS: usize = 8_192;
/// Rows of a row group.
const ROW_GROUP_ROWS: usize = 131_072;
/// A partition with this many live segments is written anew as one.
const LIVE_SEGMENTS_MAX: u64 = 12;

/// Threads that write segments at once.
const WRITERS_MAX: usize = 4;

impl Lake {
    /// Writes the segments of everything that `ingest` touched and enters them in its manifest; beside that, the store's
    /// secondary indexes are made. Segments count once the ingest is committed.
    ///
    /// # Errors
    /// A full disk, a folder that cannot be written. Nothing that counted before is changed.
    pub fn write_segments(&self, store: &Store, ingest: &Ingest, at: &str) -> Result<u64> {
        let mut touched = ingest.touched();
        for partition in &mut touched {
            partition.rewrite |= ingest.live_segments(partition)? >= LIVE_SEGMENTS_MAX;
        }
        let segments = if ingest.is_split() {
            self.write_beside(store, ingest, &touched)?
        } else {
            let scanner = ingest.scanner();
            let write = |partition| self.write_segment(&scanner, ingest.id(), partition);
            let segments = touched.iter().map(write).collect::<Result<Vec<_>>>()?;
            ingest.finish_indexes()?;
            segments
        };
        let mut written = 0;
        for (partition, segment) in touched.iter().zip(segments) {
            if partition.rewrite {
                ingest.close_segments(partition, at)?;
            }
            if let Some(segment) = segment {
                ingest.add_segment(partition, &segment, at)?;
                written += 1;
            }
        }
        Ok(written)
    }

    /// Rows that are committed are read by several threads while this one makes the indexes.
    fn write_beside(
        &self,
        store: &Store,
        ingest: &Ingest,
        touched: &[TouchedPartition],
    ) -> Result<Vec<Option<NewSegment>>> {
        let processors = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let (next, id) = (AtomicUsize::new(0), ingest.id());
        let write_some = || -> Result<Vec<(usize, Option<NewSegment>)>> {
            let scanner = store.scanner(id)?;
            let mut written = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(partition) = touched.get(at) else { return Ok(written) };
                written.push((at, self.write_segment(&scanner, id, partition)?));
            }
        };
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..processors.min(WRITERS_MAX)).map(|_| scope.spawn(write_some)).collect();
            ingest.finish_indexes()?;
            let mut segments: Vec<Option<NewSegment>> = touched.iter().map(|_| None).collect();
            for writer in writers {
                for (at, segment) in writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))? {
                    segments[at] = segment;
                }
            }
            Ok(segments)
        })
    }

    pub(crate) fn write_segment(
        &self,
        scanner: &Scanner<'_>,
        number: i64,
        touched: &TouchedPartition,
    ) -> Result<Option<NewSegment>> {
        let relative = PathBuf::from(touched.table.name)
            .join(&touched.source)
            .join(&touched.partition)
            .join(format!("{number:08}.parquet"));
        let path = self.root().join(&relative);
        let folder = path.parent().expect("a segment lies in a folder");
        std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
        let mut segment = SegmentWriter::create(&path, &touched.table)?;
        let mut batch = Batch::new(&touched.table);
        scanner.scan::<Error>(touched, |row| {
            batch.push(row)?;
            if batch.rows() >= BATCH_ROWS {
                segment.write(&mut batch)?;
            }
            Ok(())
        })?;
        segment.write(&mut batch)?;
        if segment.rows == 0 {
            drop(segment);
            std::fs::remove_file(&path).map_err(|e| Error::io(&path, e))?;
            return Ok(None);
        }
        let (rows, bounds) = (segment.rows, segment.bounds.clone());
        let (bytes, sha256) = segment.finish(&path)?;
        let (min_on, max_on) = bounds.unzip();
        Ok(Some(NewSegment { path: relative.to_string_lossy().into_owned(), rows, bytes, min_on, max_on, sha256 }))
    }
}

struct SegmentWriter {
    writer: ArrowWriter<HashingFile>,
    rows: u64,
    /// The first and last day of the rows.
    bounds: Option<(String, String)>,
}

impl SegmentWriter {
    fn create(path: &Path, table: &model::Table) -> Result<Self> {
        let file = File::create(path).map_err(|e| Error::io(path, e))?;
        let sink = HashingFile { file: BufWriter::with_capacity(1 << 18, file), hash: Sha256::new(), bytes: 0 };
        let level = ZstdLevel::try_new(1).expect("1 is a level of zstd");
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .set_created_by("cidadao".to_owned())
            .build();
        let writer = ArrowWriter::try_new(sink, schema_of(table), Some(properties))?;
        Ok(Self { writer, rows: 0, bounds: None })
    }

    fn write(&mut self, batch: &mut Batch) -> Result<()> {
        if batch.rows() == 0 {
            return Ok(());
        }
        let batch = batch.take()?;
        self.rows += batch.num_rows() as u64;
        self.widen(&batch);
        self.writer.write(&batch)?;
        Ok(())
    }

    fn widen(&mut self, batch: &arrow::array::RecordBatch) {
        use arrow::array::{Array, Date32Array};
        let Some(days) = batch.column_by_name("partition_on").and_then(|c| c.as_any().downcast_ref::<Date32Array>())
        else {
            return;
        };
        let day = |n: Option<i32>| {
            n.and_then(|n| chrono::NaiveDate::from_num_days_from_ce_opt(n + 719_163)).map(|d| d.to_string())
        };
        let (Some(low), Some(high)) = (day(days.iter().flatten().min()), day(days.iter().flatten().max())) else {
            return;
        };
        self.bounds = Some(match self.bounds.take() {
            None => (low, high),
            Some((l, h)) => (l.min(low), h.max(high)),
        });
    }

    fn finish(self, path: &Path) -> Result<(u64, String)> {
        let sink = self.writer.into_inner()?;
        let HashingFile { file, hash, bytes } = sink;
        let file = file.into_inner().map_err(|e| Error::io(path, e.into_error()))?;
        file.sync_data().map_err(|e| Error::io(path, e))?;
        Ok((bytes, hex(&hash.finalize())))
    }
}

/// A file that hashes what goes into it.
struct HashingFile {
    file: BufWriter<File>,
    hash: Sha256,
    bytes: u64,
}

impl Write for HashingFile {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let written = self.file.write(buffer)?;
        self.hash.update(&buffer[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}
