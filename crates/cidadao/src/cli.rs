//! The command line, as people type it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::ConfigCommand;
use crate::dossier::{DossierCommand, WriteOptions};
use crate::identity::{KeysCommand, UsersCommand};

/// Turns public-procurement data into red flags that anyone can check.
///
/// Exit codes: 0 done, 1 failed, 2 wrong use, 3 done with quarantined rows.
#[derive(Debug, Parser)]
#[command(name = "cidadao", version, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub struct Common {
    /// Folder of the database and the lake.
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// A file with settings that differ from the defaults.
    #[arg(long, global = true, value_name = "FILE", env = "CIDADAO_CONFIG")]
    pub config: Option<PathBuf>,
    /// One JSON document on stdout; progress and messages on stderr.
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make fictitious data, ingest it, print the gravest findings and open the server.
    Demo {
        /// Contracts to make.
        #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(100..=10_000_000))]
        contracts: u64,
        /// Address and port of the server.
        #[arg(long, value_name = "ADDR")]
        listen: Option<String>,
        /// Stop after printing, without opening the server.
        #[arg(long)]
        no_serve: bool,
    },
    /// Answer REST, the page and metrics, and work off tasks.
    ///
    /// Any number of processes may share a PostgreSQL server, a Redis and the data folder; each does what its roles say.
    Serve {
        /// What this process does: answer (`api`), work off tasks (`worker`) or both.
        #[arg(long, value_enum, default_value_t = Roles::All)]
        roles: Roles,
        /// Address and port; of a worker, those at which it tells its health and metrics.
        #[arg(long, value_name = "ADDR")]
        listen: Option<String>,
    },
    /// Read files, folders and archives; judge what they touch.
    Ingest {
        /// Files, folders, ZIP archives.
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
        /// Force a source instead of knowing each file by its content.
        #[arg(long, value_name = "NAME")]
        source: Option<String>,
        /// Read CSV files that no source of ours writes, by this mapping (docs/mapping.md).
        #[arg(long, value_name = "FILE.toml", conflicts_with = "source")]
        map: Option<PathBuf>,
    },
    /// Fetch what a source published over the network, and ingest it.
    Sync {
        /// The source.
        #[arg(value_name = "SOURCE", value_parser = ["pncp"])]
        source: String,
        /// First day, AAAA-MM-DD.
        #[arg(long, value_name = "DAY")]
        from: chrono::NaiveDate,
        /// Last day, AAAA-MM-DD; today when left out.
        #[arg(long, value_name = "DAY")]
        to: Option<chrono::NaiveDate>,
        /// What was changed in these days, not what was published in them.
        #[arg(long)]
        updated: bool,
        /// Also what was fetched whole before.
        #[arg(long)]
        again: bool,
    },
    /// Write fictitious files in the layouts of real sources.
    Sample {
        /// Contracts to make.
        #[arg(long, value_parser = clap::value_parser!(u64).range(100..=100_000_000))]
        contracts: u64,
        /// The same seed gives the same files.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Folder to write to.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// The catalogue of red flags.
    #[command(subcommand)]
    Flags(FlagsCommand),
    /// Rows that could not be kept: look at them, read them again, take them out.
    #[command(subcommand)]
    Quarantine(QuarantineCommand),
    /// What is held per source and table, and how whole it is.
    Sources,
    /// Which ids are one buyer or supplier.
    #[command(subcommand)]
    Entities(EntitiesCommand),
    /// Answer a question in Portuguese at once, from what is held: nothing is judged or fetched.
    Ask {
        /// The question.
        question: String,
        /// `pt` or `en`.
        #[arg(long, default_value = "pt", value_parser = ["pt", "en"])]
        lang: String,
    },
    /// Ask every flag about a scope, or a question in Portuguese; print what is found.
    ///
    /// Ends with 0 when it completed, with 1 when it failed or a flag could not be judged. One that is broken off goes on with the next
    /// `investigate` or `serve`.
    Investigate(InvestigateOptions),
    /// Write the dossier of an investigation, ended or not, as HTML, Markdown, PDF, JSON, CSV or ZIP.
    Report {
        /// Its id.
        #[arg(value_name = "INVESTIGATION")]
        investigation: String,
        #[command(flatten)]
        options: WriteOptions,
    },
    /// Write the dossier of a supplier or a buyer.
    #[command(subcommand)]
    Dossier(DossierCommand),
    /// Who works on investigations: what each agent does, its flags, what its word rests on.
    Agents {
        /// Only this one, by key or name.
        #[arg(value_name = "NAME")]
        name: Option<String>,
    },
    /// Tasks that failed for good: look at them, try them again, drop them.
    #[command(subcommand)]
    Dlq(DlqCommand),
    /// The log of everything that was decided.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Make what is read of the log anew: verdicts, investigations, ingests that were asked for.
    Rebuild,
    /// Keys by which programs call: made, replaced, revoked.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Accounts of people: who may give verdicts, and who runs the installation.
    #[command(subcommand)]
    Users(UsersCommand),
    /// Bring the database's schema up to date, as every start does; or only say what it is, or wait for another to do it.
    Migrate {
        /// Change nothing.
        #[arg(long)]
        status: bool,
        /// Change nothing, and wait so long for the schema to be up to date.
        #[arg(long, value_name = "SECONDS", conflicts_with = "status", value_parser = clap::value_parser!(u64).range(1..=86_400))]
        wait: Option<u64>,
    },
    /// Copy everything from the data folder's SQLite file into an empty PostgreSQL database, and compare the two.
    ///
    /// All of it or nothing. Segments stay in the data folder, over which the server is used from then on.
    Copy {
        /// postgres://user:password@host:5432/database
        #[arg(long, value_name = "URL")]
        to: String,
    },
    /// Write what a shell needs to complete commands and options.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write the manual page; with a folder, a page for each command.
    Man {
        /// Folder to write the pages to, made when it is not there.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Measure the program against data whose answer is known.
    #[command(subcommand)]
    Eval(EvalCommand),
    /// The settings: where each value comes from, and whether a file of them is right.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Say in words what is wrong with a data folder or a set-up, or with a running system.
    Doctor {
        /// The address of a running system: it is looked at from outside, by its public doors.
        #[arg(value_name = "URL", conflicts_with = "repair")]
        url: Option<String>,
        /// First write damaged segments of the lake anew from the rows of the database.
        #[arg(long)]
        repair: bool,
    },
    /// Check an evidence bundle and redo its judgement, or check a dossier (JSON or ZIP); offline and without a data folder.
    ///
    /// Ends with 0 when the judgement comes out as the bundle says or the dossier is as it was issued, else with 1.
    Verify {
        /// The bundle or dossier.
        #[arg(value_name = "FILE")]
        bundle: PathBuf,
        /// The public key that must have signed it: 64 hex digits, PEM, or a file with either.
        #[arg(long, value_name = "PUBKEY")]
        key: Option<String>,
    },
}

/// What a server process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Roles {
    /// Answers requests.
    Api,
    /// Works off tasks.
    Worker,
    /// Both.
    All,
}

/// Which rows of the quarantine.
#[derive(Debug, Args)]
pub struct Which {
    /// Of this source.
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// Of this reason, such as `date` or `field_count`.
    #[arg(long, value_name = "CODE")]
    pub reason: Option<String>,
    /// Of files whose name holds this.
    #[arg(long, value_name = "TEXT")]
    pub file: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum QuarantineCommand {
    /// How many rows of which source and reason, and the first of them.
    List {
        #[command(flatten)]
        which: Which,
        /// Rows to show.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
        /// Show rows behind this number.
        #[arg(long, default_value_t = 0, value_name = "ID")]
        after: i64,
    },
    /// One row with everything that is known of it.
    Show {
        /// Its number.
        id: i64,
    },
    /// Read rows again with the mappings of this program, or with a mended mapping file.
    Retry {
        #[command(flatten)]
        which: Which,
        /// Only this row.
        #[arg(long)]
        id: Option<i64>,
        /// The mapping for rows of the source that it names.
        #[arg(long, value_name = "FILE.toml")]
        map: Option<PathBuf>,
    },
    /// Write rows as JSON Lines, one object each.
    Export {
        #[command(flatten)]
        which: Which,
        /// Where to; without it, to stdout.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub enum FlagsCommand {
    /// Every flag, in a line each.
    List,
    /// Judge everything again; with a date, flag or parameter, say what would come out and store nothing.
    Run(RunOptions),
    /// What a flag means, its formula, parameters and SQL.
    Explain {
        /// Its code, such as BR05.
        code: String,
    },
    /// How many subjects were judged, with which outcome, and what is missing.
    Coverage,
    /// Say what you concluded of a finding; the last verdict stands, all are kept.
    Verdict {
        /// The finding's id.
        finding: String,
        /// What it came to.
        verdict: VerdictName,
        /// Why; it is kept and shown.
        #[arg(long)]
        reason: String,
        /// Who says so; it is kept and shown.
        #[arg(long, value_name = "NAME")]
        who: String,
    },
    /// Write the evidence bundle of a finding: all that a stranger needs to redo its judgement with `verify`.
    Bundle {
        /// The finding's id.
        #[arg(value_name = "FINDING_ID")]
        finding: String,
        /// Where to; without it, `FINDING_ID.zip` in this folder.
        #[arg(short, long, value_name = "FILE.zip")]
        out: Option<PathBuf>,
    },
    /// One finding: what was found, what may explain it, and what people said of it.
    Finding {
        /// The finding's id.
        id: String,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum VerdictName {
    Confirmed,
    Dismissed,
}

/// A judgement that is printed and not stored.
#[derive(Debug, Args)]
pub struct RunOptions {
    /// Only facts that stood by this day, with the sanctions and the law then in force.
    #[arg(long, value_name = "AAAA-MM-DD")]
    pub as_of: Option<chrono::NaiveDate>,
    /// As the data were held at this instant, such as 2026-11-01T00:00:00-03:00.
    #[arg(long, value_name = "INSTANT")]
    pub known_at: Option<String>,
    /// Only these flags.
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    pub flag: Vec<String>,
    /// Another value of a flag's parameter, such as BR05.z_min=4.
    #[arg(long, value_name = "CODE.NAME=VALUE")]
    pub param: Vec<String>,
}

impl RunOptions {
    /// Nothing was said: everything is judged again and stored.
    pub fn are_none(&self) -> bool {
        self.as_of.is_none() && self.known_at.is_none() && self.flag.is_empty() && self.param.is_empty()
    }
}

#[derive(Debug, Subcommand)]
pub enum DlqCommand {
    /// Every dead letter, oldest first.
    List,
    /// Make a dead letter a task again; the next `serve` or `investigate` does it.
    Replay {
        /// Its number.
        id: i64,
    },
    /// Forget a dead letter.
    Drop {
        /// Its number.
        id: i64,
    },
}

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Walk the chain of hashes; name what was changed, is missing or stands in another's place.
    ///
    /// Ends with 0 when the log is as it was written, else with 1.
    Verify {
        /// The head that an earlier audit printed: up to there everything must be as it was.
        #[arg(long, value_name = "SEQ:HASH")]
        head: Option<String>,
    },
}

/// What an investigation is about.
#[derive(Debug, Args)]
pub struct InvestigateOptions {
    /// A question in Portuguese; its words become filters.
    #[arg(value_name = "QUESTION", required_unless_present_any = ["scope", "flag", "contracts", "strategy"], conflicts_with_all = ["scope", "contracts"])]
    pub question: Option<String>,
    /// A filter: body, buyer, supplier, state, municipality, from, to, value_min, value_max, modality or q; as often as needed.
    #[arg(long, value_name = "NAME=VALUE")]
    pub scope: Vec<String>,
    /// Only these flags.
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    pub flag: Vec<String>,
    /// These contracts, by id: they are split into parts, each judged by itself.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub contracts: Vec<String>,
    /// How tasks are spread over workers: scatter_gather, round_robin, map_reduce or pipeline.
    #[arg(long)]
    pub strategy: Option<app::Strategy>,
    /// Tasks under way at once; this process has as many workers at least.
    #[arg(long, value_name = "N")]
    pub max_workers: Option<usize>,
    /// What is asked of the tasks of each step: best_effort, all, first_success or quorum:N.
    #[arg(long)]
    pub policy: Option<app::Policy>,
    /// What a task is: a part of the contracts, or one flag.
    #[arg(long, value_enum)]
    pub split: Option<SplitName>,
    /// Seconds for the whole; then what there is is written up and named partial.
    #[arg(long, value_name = "SECONDS")]
    pub deadline: Option<u64>,
    /// Seconds for one task; then it counts as failed.
    #[arg(long, value_name = "SECONDS")]
    pub task_deadline: Option<u64>,
    /// Judge the facts that stood by this day, instead of taking what is stored.
    #[arg(long, value_name = "AAAA-MM-DD")]
    pub as_of: Option<chrono::NaiveDate>,
    /// Judge what was held at this instant, such as 2026-11-01T00:00:00-03:00.
    #[arg(long, value_name = "INSTANT")]
    pub known_at: Option<String>,
    /// Who asks; it is kept and shown.
    #[arg(long, value_name = "NAME")]
    pub who: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SplitName {
    Flags,
    Contracts,
}

#[derive(Debug, Subcommand)]
pub enum EntitiesCommand {
    /// Links between ids, newest decision first.
    List {
        /// Of buyers or of suppliers only.
        #[arg(long)]
        kind: Option<EntityKindName>,
        /// In this state only.
        #[arg(long)]
        state: Option<LinkStateName>,
        /// The most links to print.
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// The ids that are one with this one, its links and what became of them.
    Show {
        /// A buyer's or supplier's id.
        id: String,
    },
    /// Read two ids as one from now on.
    Merge {
        /// The id to merge.
        from: String,
        /// The id to merge it into.
        into: String,
        /// Why; it is kept and shown.
        #[arg(long)]
        reason: String,
    },
    /// Undo a merge, or turn a proposal down; the program never merges the pair again.
    Undo {
        /// One id of the link.
        from: String,
        /// The other.
        into: String,
        /// Why; it is kept and shown.
        #[arg(long, default_value = "")]
        reason: String,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum EntityKindName {
    Buyer,
    Supplier,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum LinkStateName {
    Proposed,
    Merged,
    Undone,
}

#[derive(Debug, Subcommand)]
pub enum EvalCommand {
    /// How well the screens of BR18 tell rigged bids from others.
    ///
    /// Reads a CSV file with a row for each bid. Each bid has the score of its tender, from a model over the screens that
    /// was learnt on other tenders (five folds). The same file gives the same figures.
    Screens {
        /// The CSV file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The column of the tender; several, separated by commas, name it together.
        #[arg(long, value_name = "COLUMN", required = true, value_delimiter = ',')]
        tender: Vec<String>,
        /// The column of the price. Given twice, each row holds two bids (of the winner and of another, say).
        #[arg(long, value_name = "COLUMN", required = true)]
        value: Vec<String>,
        /// The column that says whether the bid is rigged (1 or 0, true or false, yes or no); `COLUMN=TEXT` where it is for this text.
        #[arg(long, value_name = "COLUMN[=TEXT]")]
        label: String,
        /// The column of the bidder, as often as --value: of several bids of one bidder the lowest counts.
        #[arg(long, value_name = "COLUMN")]
        bidder: Vec<String>,
    },
    /// What the flags found of what a sample has planted.
    ///
    /// Compares the truth file of a folder that `cidadao sample` wrote, and that was ingested, with the outcomes of the data
    /// folder: recall, benign twins that were hit, hits that nobody planted, and every case that came out otherwise.
    Sample {
        /// The folder of the sample.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// Put the table into this Markdown file, between its two marks of the sample; makes it when it is not there.
        #[arg(long, value_name = "FILE")]
        into: Option<PathBuf>,
    },
}
