//! Fictitious procurement files in the layouts of real sources, with planted cases and the truth about them.
//!
//! For trying the program without a network, for measuring it at any size, and for proving that its red flags
//! find what is there and nothing else: the files hold ordinary purchases with realistic frequencies and the
//! quirks of the sources, cases planted in every year beside benign twins that only look like them, and a
//! `truth.jsonl` that says of each what must come out.
//!
//! Promises:
//! - One seed and one number of contracts give the same bytes, always.
//! - Memory does not grow with the number of contracts; what is held is one month's open files, tables over
//!   buyers, and the planted cases, all of which are capped.
//! - Nobody real appears: names say that they are fictitious, and numbers lie in ranges that no register uses.
//!
//! The two large sources are independent streams of random numbers and are written side by side.

mod buyers;
mod bytes;
mod catalog;
mod csv;
mod days;
mod licitacon;
mod lines;
mod objects;
mod page_export;
mod party;
mod payments;
mod places;
mod plan;
mod pncp;
mod portal;
mod readme;
mod receita;
mod rng;
mod sanctions;
mod world;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::plan::{Plan, Source};
use crate::pncp::Pncp;
use crate::portal::Portal;
use crate::sanctions::{LISTED_ON, Register};
use crate::world::World;

/// The most contracts that one run writes.
pub const CONTRACTS_MAX: u64 = 20_000_000;

/// What to write, and where.
#[derive(Debug, Clone)]
pub struct Options {
    /// Contracts in all, planted ones included; three in five in the Portal's files, one in twenty in LicitaCon's, the
    /// others in PNCP's.
    /// Below some two thousand the planted cases alone are about as many, and there are more than asked for.
    pub contracts: u64,
    /// The same seed gives the same files.
    pub seed: u64,
    /// The folder to write into; made when it is missing, and empty otherwise.
    pub out: PathBuf,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// Contracts with a number of their own; repeated and broken rows are not counted.
    pub contracts: u64,
    /// Every file (of an archive: every member, as `archive.zip!member.csv`).
    pub files: Vec<FileSummary>,
    /// How many cases of each kind are planted.
    pub planted: Vec<PlantedCount>,
}

/// One file that was written.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FileSummary {
    /// Below the folder written into.
    pub path: PathBuf,
    /// Which source's layout it has.
    pub source: &'static str,
    /// Rows or records, without the header; repeated and broken ones included.
    pub rows: u64,
}

/// How many cases of one kind stand in one year.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct PlantedCount {
    /// The flag that must judge them, such as `BR01`; `quarantine` for rows that must not be read.
    pub flag: &'static str,
    /// The year in which their contracts are signed.
    pub year: i32,
    /// What kind it is.
    pub case: &'static str,
    /// `hit`, `clear`, `not_computable`, or `quarantined`.
    pub expect: &'static str,
    /// How many.
    pub count: u64,
}

/// Why nothing, or not everything, was written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The number of contracts is zero or above [`CONTRACTS_MAX`].
    #[error("o número de contratos deve estar entre 1 e {CONTRACTS_MAX}, e não {0}")]
    Contracts(u64),
    /// Files of an earlier sample would mix with the new ones.
    #[error("a pasta {0} não está vazia; indique outra ou esvazie-a")]
    NotEmpty(PathBuf),
    /// A file cannot be written.
    #[error("não foi possível gravar em {path}: {cause}")]
    Io {
        /// The folder written into.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
}

/// Writes a sample. `progress` is told now and then how many contracts are written.
///
/// # Errors
/// [`Error::Contracts`] for a number out of range, [`Error::NotEmpty`] when the folder holds something already,
/// [`Error::Io`] when a file cannot be written; what was written until then is left.
pub fn write(options: &Options, progress: &mut dyn FnMut(u64)) -> Result<Summary, Error> {
    if !(1..=CONTRACTS_MAX).contains(&options.contracts) {
        return Err(Error::Contracts(options.contracts));
    }
    let out = &options.out;
    let io_error = |cause| Error::Io { path: out.clone(), cause };
    let holds_something = |mut listed: fs::ReadDir| listed.next().is_some();
    if fs::read_dir(out).is_ok_and(holds_something) {
        return Err(Error::NotEmpty(out.clone()));
    }
    write_files(options, progress).map_err(io_error)
}

fn write_files(options: &Options, progress: &mut dyn FnMut(u64)) -> io::Result<Summary> {
    let out = &options.out;
    for folder in ["compras", "licitacoes", "portal-ui", "pncp", "sancoes", "receita", "despesas", "licitacon"] {
        fs::create_dir_all(out.join(folder))?;
    }
    let world = World::new(options.contracts, options.seed);
    let mut plan = Plan::new(&world);
    sanctions::add_ordinary(&world, &mut plan.sanctions);

    let mut files = Vec::new();
    write_registers(out, &world, &plan, &mut files)?;
    page_export::write(out, &world, &mut files)?;
    licitacon::write(out, &world, &mut plan, &mut files)?;
    payments::write(out, &world, &plan, &mut files)?;
    receita::write(out, &world, &plan, &mut files)?;

    let (mut portal, mut pncp) = (Portal::new(&world, &plan), Pncp::new(&world, &plan));
    write_side_by_side(out, &world, &plan, &mut portal, &mut pncp, progress)?;

    let contracts = shares(&world, &plan).iter().map(|share| share.ordinary + share.planted).sum::<u64>()
        + licitacon::contracts(&world);
    files.append(&mut portal.files);
    files.append(&mut pncp.files);
    let broken = [std::mem::take(&mut portal.truth), std::mem::take(&mut pncp.truth)].concat();
    files.push(write_truth(out, &plan, &broken)?);
    readme::write(out, &world)?;
    Ok(Summary { contracts, files, planted: count_planted(&plan, &broken) })
}

/// How the contracts of one source come about.
struct Share {
    ordinary: u64,
    planted: u64,
    broken: u64,
}

/// The Portal's share and PNCP's: what is planted is part of it, but at least half of it is ordinary.
fn shares(world: &World, plan: &Plan) -> [Share; 2] {
    let portal = world.contracts * 3 / 5;
    let pncp = (world.contracts - portal).saturating_sub(licitacon::contracts(world));
    [(Source::Portal, portal, 4), (Source::Pncp, pncp, 3)].map(|(source, whole, kinds)| {
        let planted = plan.planted(source);
        // One broken row in ten thousand, and at least one of each kind.
        Share { ordinary: whole.saturating_sub(planted).max(whole / 2), planted, broken: (whole / 10_000).max(kinds) }
    })
}

/// Writes both sources, each on a thread of its own; the caller's thread tells the progress.
fn write_side_by_side(
    out: &Path,
    world: &World,
    plan: &Plan,
    portal: &mut Portal<'_>,
    pncp: &mut Pncp<'_>,
    progress: &mut dyn FnMut(u64),
) -> io::Result<()> {
    let [portal_share, pncp_share] = shares(world, plan);
    // LicitaCon's are written already.
    let done = AtomicU64::new(licitacon::contracts(world));
    let tick = |count: u64| {
        done.fetch_add(count, Ordering::Relaxed);
    };
    std::thread::scope(|scope| {
        let by_pncp = scope.spawn(|| pncp.write(out, pncp_share.ordinary, pncp_share.broken, &tick));
        let by_portal = scope.spawn(|| portal.write(out, portal_share.ordinary, portal_share.broken, &tick));
        while !(by_pncp.is_finished() && by_portal.is_finished()) {
            std::thread::sleep(Duration::from_millis(10));
            progress(done.load(Ordering::Relaxed));
        }
        progress(done.load(Ordering::Relaxed));
        let ended = |result: std::thread::Result<io::Result<()>>| {
            result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        ended(by_pncp.join()).and(ended(by_portal.join()))
    })
}

fn write_registers(out: &Path, world: &World, plan: &Plan, files: &mut Vec<FileSummary>) -> io::Result<()> {
    let (year, month, day) = LISTED_ON;
    for register in [Register::Ceis, Register::Cnep] {
        let path = PathBuf::from(format!("sancoes/{year}{month:02}{day:02}_{}.csv", register.name()));
        let rows = sanctions::write(&out.join(&path), register, world, &plan.sanctions)?;
        let source = if register == Register::Ceis { "ceis" } else { "cnep" };
        files.push(FileSummary { path, source, rows });
    }
    Ok(())
}

fn write_truth(out: &Path, plan: &Plan, broken: &[String]) -> io::Result<FileSummary> {
    let mut lines = String::new();
    for line in plan.truth.iter().chain(broken) {
        lines.push_str(line);
        lines.push('\n');
    }
    fs::write(out.join("truth.jsonl"), lines)?;
    let rows = (plan.truth.len() + broken.len()) as u64;
    Ok(FileSummary { path: PathBuf::from("truth.jsonl"), source: "truth", rows })
}

fn count_planted(plan: &Plan, broken: &[String]) -> Vec<PlantedCount> {
    let mut planted: Vec<PlantedCount> = plan
        .counts
        .iter()
        .map(|(key, count)| PlantedCount {
            flag: key.flag,
            year: key.year,
            case: key.case,
            expect: key.expect,
            count: *count,
        })
        .collect();
    for year in days::YEAR_MIN..=2025 {
        let of_year = format!("\"year\":{year},");
        let count = broken.iter().filter(|line| line.contains(&of_year)).count() as u64;
        if count > 0 {
            planted.push(PlantedCount { flag: "quarantine", year, case: "broken_row", expect: "quarantined", count });
        }
    }
    planted
}
