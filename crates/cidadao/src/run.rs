//! What each command does: one call of the application, then its words.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use app::identity::Tier;
use app::{App, CheckState, Error, Exporter, Gravity, IngestRequest, LabelledFile, Result, Settings, SyncRequest};
use serde_json::json;

use crate::bundle;
use crate::cli::{AuditCommand, Cli, Command, Common, EvalCommand, FlagsCommand, Roles};
use crate::config::{self, ConfigCommand};
use crate::output::{Progress, print_advice, print_checks, print_findings, print_ingest, say, table};
use crate::verdicts::{self, share};
use crate::{
    agents, ask, database, dossier, entities, evaluation, identity, investigate, lines, log, manual, moment,
    quarantine, sync,
};

/// Threads that may wait for the database or compress, beside one for each connection to a server: each holds on to some 15 MB of what it
/// worked with (128 of them held 1.9 GB), and more of them than processors only wait.
const BLOCKING_THREADS_MAX: usize = 32;
const DONE: ExitCode = ExitCode::SUCCESS;

pub fn run(arguments: Cli) -> Result<ExitCode> {
    let Cli { common, command } = arguments;
    // What packages are made of does not depend on settings.
    match &command {
        Command::Completions { shell } => {
            manual::completions(*shell);
            return Ok(DONE);
        }
        Command::Man { out } => return manual::pages(out.as_deref()).map(|()| DONE),
        Command::Config(ConfigCommand::Check { file }) => return config::check(file, common.json).map(|()| DONE),
        _ => {}
    }
    let read = reader(&common, &command);
    let settings = read()?;
    start_log(&settings)?;
    match command {
        Command::Demo { contracts, no_serve, .. } => demo(settings, contracts, no_serve, common.json, read),
        Command::Serve { roles, .. } => {
            // First, for until then a SIGHUP ends the process, and opening may take its time.
            let reloads = Reloads::by(read);
            config::try_out(&settings)?;
            warn_of_risks(&settings);
            serve(App::open(of_roles(settings, roles))?, roles, reloads)
        }
        Command::Config(_) => {
            config::show(&settings, common.json);
            Ok(DONE)
        }
        Command::Migrate { wait: Some(seconds), .. } => database::wait(&settings, seconds, common.json).map(|()| DONE),
        Command::Migrate { status, .. } => database::migrate(&settings, status, common.json).map(|()| DONE),
        Command::Copy { to } => database::copy(&settings, &to, common.json).map(|()| DONE),
        Command::Ingest { paths, source, map } => {
            let mapping = map.as_deref().map(app::load_mapping).transpose()?;
            ingest(settings, &IngestRequest { paths, source, mapping, stop: stop_at_signal() }, common.json)
        }
        Command::Sync { from, to, updated, again, .. } => {
            let to = to.unwrap_or_else(app::today);
            let request = SyncRequest { from, to, updated, again, stop: stop_at_signal() };
            sync::run(&App::open(settings)?, &request, common.json)
        }
        Command::Sample { contracts, seed, out } => sample(contracts, seed, &out, common.json),
        Command::Flags(command) => flags(settings, &command, common.json),
        Command::Quarantine(command) => quarantine::run(&App::open(settings)?, command, common.json),
        Command::Eval(EvalCommand::Screens { file, tender, value, label, bidder }) => {
            eval_screens(&LabelledFile { file, tender, value, label, bidder }, common.json)
        }
        Command::Eval(EvalCommand::Sample { folder, into }) => {
            evaluation::run(&App::open(settings)?, &folder, into.as_deref(), common.json)
        }
        Command::Doctor { url: Some(url), .. } => check_up(&url, common.json),
        Command::Doctor { repair, url: None } => doctor(&settings, repair, common.json),
        Command::Verify { bundle, key } => bundle::verify(&bundle, key.as_deref(), common.json),
        Command::Sources => entities::print_board(&App::open(settings)?, common.json).map(|()| DONE),
        Command::Dlq(command) => log::dlq(&App::open(settings)?, &command, common.json).map(|()| DONE),
        Command::Audit(AuditCommand::Verify { head }) => {
            log::verify(&App::open(settings)?, head.as_deref(), common.json)
        }
        Command::Rebuild => log::rebuild(&App::open(settings)?, common.json).map(|()| DONE),
        Command::Ask { question, lang } => ask::run(&App::open(settings)?, question, &lang, common.json),
        Command::Investigate(options) => investigate::run(&App::open(settings)?, options, common.json),
        Command::Report { investigation, options } => {
            dossier::report(&App::open(settings)?, &investigation, &options, common.json).map(|()| DONE)
        }
        Command::Dossier(command) => dossier::party(&App::open(settings)?, &command, common.json).map(|()| DONE),
        Command::Agents { name } => agents::run(&App::open(settings)?, name.as_deref(), common.json).map(|()| DONE),
        Command::Keys(command) => identity::keys(&App::open(settings)?, command, common.json).map(|()| DONE),
        Command::Users(command) => identity::users(&App::open(settings)?, command, common.json).map(|()| DONE),
        Command::Entities(command) => entities::run(&App::open(settings)?, command, common.json).map(|()| DONE),
        Command::Completions { .. } | Command::Man { .. } => Ok(DONE),
    }
}

/// The address that a command line asks for, and the setting that it is of.
fn listen_of(command: &Command) -> Option<(&'static str, String)> {
    let (setting, listen) = match command {
        Command::Serve { roles: Roles::Worker, listen } => ("work.listen", listen),
        Command::Demo { listen, .. } | Command::Serve { listen, .. } => ("http.listen", listen),
        _ => return None,
    };
    listen.clone().map(|listen| (setting, listen))
}

/// Reads the settings as this command line asks for them; again at each call.
fn reader(common: &Common, command: &Command) -> impl Fn() -> Result<Settings> + Send + Sync + 'static {
    let (config, data_dir) = (common.config.clone(), common.data_dir.clone());
    let listen = listen_of(command);
    let is_demo = matches!(command, Command::Demo { .. });
    move || {
        let folder = data_dir.as_ref().map(|folder| ("--data-dir", "data_dir", folder.to_string_lossy().into_owned()));
        let listen = listen.clone().map(|(setting, listen)| ("--listen", setting, listen));
        let options: Vec<_> = folder.into_iter().chain(listen).collect();
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let environment = std::env::vars_os().map(|(name, value)| (text(name), text(value)));
        let settings = Settings::load_under(config.as_deref(), environment, &options)?;
        Ok(if is_demo { without_anonymous_limit(settings) } else { settings })
    }
}

/// A worker answers nothing that could be kept.
fn of_roles(mut settings: Settings, roles: Roles) -> Settings {
    if roles == Roles::Worker {
        settings.cache.strategy = app::settings::CacheStrategy::Off;
    }
    settings
}

/// Who tries the program out on fictitious data is not counted, unless they say so.
fn without_anonymous_limit(mut settings: Settings) -> Settings {
    if !settings.changed.iter().any(|change| change.starts_with("limits.anonymous ")) {
        settings.limits.anonymous = Tier::Unlimited;
    }
    settings
}

fn start_log(settings: &Settings) -> Result<()> {
    lines::start(settings)?;
    for change in &settings.changed {
        tracing::info!("setting {change}");
        if change.starts_with("http.json_encoder") && change.contains("orjson") {
            tracing::warn!("orjson is a library of Python: JSON is written by sonic-rs");
        }
    }
    Ok(())
}

/// Names what is risky, where it matters: before something is served.
fn warn_of_risks(settings: &Settings) {
    for risk in settings.risks() {
        tracing::warn!("risky setting: {risk}");
    }
}

pub fn print_json(value: &impl serde::Serialize) {
    // Our own answers have no map keys other than text and no numbers that JSON lacks.
    say!("{}", serde_json::to_string_pretty(value).expect("answers can be written as JSON"));
}

fn demo(
    settings: Settings,
    contracts: u64,
    no_serve: bool,
    json: bool,
    read: impl Fn() -> Result<Settings> + Send + Sync + 'static,
) -> Result<ExitCode> {
    let app = App::open(settings)?;
    let progress = Progress::new();
    let report = app.demo(contracts, &mut |p| progress.tell(p));
    progress.end();
    let report = report?;
    if json {
        print_json(&report);
    } else {
        say!("Dados fictícios em {}", report.files.display());
        print_ingest(&report.ingest);
        print_findings(&report.gravest);
    }
    if no_serve {
        return Ok(DONE);
    }
    config::try_out(app.settings())?;
    warn_of_risks(app.settings());
    serve(app, Roles::All, Reloads::by(read))
}

fn serve(app: App, roles: Roles, reloads: Reloads) -> Result<ExitCode> {
    app.look_at_segments()?;
    app.prepare_names();
    tracing::info!("sized by {}", app.settings().sized);
    let exporter = Exporter::start(app.settings())?;
    let served = if roles == Roles::Worker { work(&app, reloads) } else { serve_http(app, roles, reloads) };
    if let Some(exporter) = exporter {
        exporter.stop();
    }
    served
}

fn serve_http(app: App, roles: Roles, reloads: Reloads) -> Result<ExitCode> {
    app.take_over_ingests()?;
    let listen = app.settings().http.listen.clone();
    let connections = app.settings().database.server().map_or(0, |server| server.size);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS_MAX + connections)
        .build()
        .map_err(|e| Error::Settings(format!("the runtime cannot start: {e}")))?;
    runtime.block_on(async {
        let (listener, address) = listen_on("http.listen", &listen, app.settings()).await?;
        reloads.take(&app);
        let mut stops = Stops::hear()?;
        eprintln!("Servidor em {address}/ (Ctrl-C encerra) · API em {address}/docs");
        let workers = (roles == Roles::All).then(|| app.start_workers());
        let served = api::serve(app, listener, api::Doors::All, async || stops.next().await).await;
        // Tasks in hand are put back, for the next start to go on with.
        if let Some(workers) = workers {
            workers.stop();
        }
        served.map_err(|e| Error::Settings(format!("server: {e}")))
    })?;
    Ok(DONE)
}

/// Works off tasks until it is told to stop, and tells how it is where the settings say; it can come and go at will.
fn work(app: &App, reloads: Reloads) -> Result<ExitCode> {
    // One thread answers; what asks the database may block it only where there could be others.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(|e| Error::Settings(format!("the runtime cannot start: {e}")))?;
    let listen = app.settings().work.listen.clone();
    runtime.block_on(async {
        reloads.take(app);
        let mut stops = Stops::hear()?;
        if listen.is_empty() {
            let workers = app.start_workers();
            eprintln!("Trabalhando (Ctrl-C encerra)");
            stops.next().await;
            workers.stop();
            return Ok(());
        }
        let (listener, address) = listen_on("work.listen", &listen, app.settings()).await?;
        let workers = app.start_workers();
        eprintln!("Trabalhando (Ctrl-C encerra) · saúde e métricas em {address}/metrics");
        let served = api::serve(app.clone(), listener, api::Doors::Operations, async || stops.next().await).await;
        workers.stop();
        served.map_err(|e| Error::Settings(format!("work.listen: {e}")))
    })?;
    Ok(DONE)
}

/// Takes an address that a setting names; gives the address that it got, as people write it.
async fn listen_on(name: &str, listen: &str, settings: &Settings) -> Result<(tokio::net::TcpListener, String)> {
    let refused = |e: std::io::Error| settings.refuse(format!("{name} = \"{listen}\": {e}"));
    let listener = tokio::net::TcpListener::bind(listen).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    let scheme = if settings.http.tls_key.as_os_str().is_empty() { "http" } else { "https" };
    Ok((listener, format!("{scheme}://{address}")))
}

/// How the settings are read anew at each SIGHUP. One that comes because the terminal went away ends the process.
struct Reloads {
    read: Arc<dyn Fn() -> Result<Settings> + Send + Sync>,
    had_terminal: bool,
    #[cfg(unix)]
    hangups: Option<tokio::signal::unix::Signal>,
}

impl Reloads {
    /// Hears signals from now on.
    fn by(read: impl Fn() -> Result<Settings> + Send + Sync + 'static) -> Self {
        use std::io::IsTerminal as _;
        // The signal is heard by whatever runtime there is; to ask for it there must be one.
        #[cfg(unix)]
        let hangups = tokio::runtime::Builder::new_current_thread().enable_all().build().ok().and_then(|runtime| {
            let _within = runtime.enter();
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).ok()
        });
        Self {
            read: Arc::new(read),
            had_terminal: std::io::stdin().is_terminal(),
            #[cfg(unix)]
            hangups,
        }
    }

    /// Takes what changes, on a thread of its own.
    fn take(self, app: &App) {
        #[cfg(unix)]
        {
            use std::io::IsTerminal as _;
            let Self { read, had_terminal, hangups: Some(mut hangups) } = self else { return };
            let app = app.clone();
            tokio::spawn(async move {
                while hangups.recv().await.is_some() {
                    if had_terminal && !std::io::stdin().is_terminal() {
                        std::process::exit(129);
                    }
                    let (app, read) = (app.clone(), Arc::clone(&read));
                    let _ = tokio::task::spawn_blocking(move || config::reload(&app, &*read)).await;
                }
            });
        }
    }
}

/// Ctrl-C and SIGTERM, heard from when this is made: who announces itself first could be ended by one before it listens.
struct Stops {
    #[cfg(unix)]
    either: [tokio::signal::unix::Signal; 2],
}

impl Stops {
    /// Hears them from now on; there must be a runtime.
    fn hear() -> Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let heard = |kind| signal(kind).map_err(|e| Error::Settings(format!("signals cannot be heard: {e}")));
            Ok(Self { either: [heard(SignalKind::interrupt())?, heard(SignalKind::terminate())?] })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Ends at the next one.
    async fn next(&mut self) {
        #[cfg(unix)]
        {
            let [interrupt, terminate] = &mut self.either;
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    }
}

/// A mark that the first Ctrl-C or SIGTERM sets; the second ends the process at once.
fn stop_at_signal() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let mark = Arc::clone(&stop);
    std::thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            let Ok(mut stops) = Stops::hear() else { return };
            stops.next().await;
            mark.store(true, Ordering::Relaxed);
            eprintln!(
                "parando depois da linha em curso; o mesmo comando continua de onde parou (Ctrl-C outra vez: já)"
            );
            stops.next().await;
            std::process::exit(130);
        });
    });
    stop
}

fn ingest(settings: Settings, request: &IngestRequest, json: bool) -> Result<ExitCode> {
    let app = App::open(settings)?;
    let progress = Progress::new();
    let report = app.ingest(request, &mut |p| progress.tell(p));
    progress.end();
    let report = report?;
    if json {
        print_json(&report);
    } else {
        print_ingest(&report);
    }
    let failed = report.interrupted || report.files.iter().any(|f| f.status == "failed");
    Ok(match (failed, report.totals.quarantined) {
        (true, _) => ExitCode::from(1),
        (false, 0) => DONE,
        (false, _) => ExitCode::from(3),
    })
}

fn sample(contracts: u64, seed: u64, out: &std::path::Path, json: bool) -> Result<ExitCode> {
    let summary = app::write_sample(contracts, seed, out)?;
    if json {
        print_json(&summary);
    } else {
        let rows: u64 = summary.files.iter().map(|f| f.rows).sum();
        say!("{} arquivos fictícios, {rows} linhas, em {}", summary.files.len(), out.display());
    }
    Ok(DONE)
}

fn flags(settings: Settings, command: &FlagsCommand, json: bool) -> Result<ExitCode> {
    let app = App::open(settings)?;
    match command {
        FlagsCommand::List => list_flags(&app, json),
        FlagsCommand::Run(options) if options.are_none() => run_flags(&app, json)?,
        FlagsCommand::Run(options) => moment::run_at(&app, options, json)?,
        FlagsCommand::Explain { code } => explain_flag(&app, code, json)?,
        FlagsCommand::Coverage => coverage(&app, json)?,
        FlagsCommand::Verdict { finding, verdict, reason, who } => {
            verdicts::give(&app, finding, *verdict, reason, who, json)?;
        }
        FlagsCommand::Finding { id } => verdicts::show(&app, id, json)?,
        FlagsCommand::Bundle { finding, out } => bundle::write(&app, finding, out.as_deref(), json)?,
    }
    Ok(DONE)
}

fn list_flags(app: &App, json: bool) {
    let catalogue = app.catalogue();
    if json {
        return print_json(&json!({"version": catalogue.version(), "flags": catalogue.flags()}));
    }
    let mut rows = table(&["código", "sinal", "tipo", "gravidade", "agente", "precisa de"]);
    for flag in catalogue.flags() {
        rows.add_row([&flag.code, &flag.name.pt, &flag.kind, &flag.severity, &flag.agent, &flag.needs.join(", ")]);
    }
    say!("{rows}");
}

fn run_flags(app: &App, json: bool) -> Result<()> {
    let report = app.judge_all(&mut |flag| eprintln!("julgando {flag}"))?;
    if json {
        print_json(&report);
        return Ok(());
    }
    let mut rows = table(&["código", "sinais", "segundos"]);
    for flag in &report.flags {
        rows.add_row([flag.code.clone(), flag.hits.to_string(), format!("{:.2}", flag.seconds)]);
    }
    say!("{rows}");
    Ok(())
}

fn explain_flag(app: &App, code: &str, json: bool) -> Result<()> {
    let flag = app.catalogue().flag(code).ok_or_else(|| Error::NotFound { what: "flag", id: code.to_owned() })?;
    if json {
        let mut value = serde_json::to_value(flag).expect("a flag can be written as JSON");
        value["sql"] = json!(flag.sql);
        value["peers_sql"] = json!(flag.peers_sql());
        print_json(&value);
        return Ok(());
    }
    say!("{} · {} ({}, versão {})\n", flag.code, flag.name.pt, flag.kind, flag.version);
    say!("{}\n", flag.summary.pt);
    say!("Fórmula: {}\n", flag.formula.pt);
    say!("Base legal: {}\n", flag.legal_basis.join("; "));
    say!("Precisa de: {}\n", flag.needs.join(", "));
    for parameter in &flag.parameters {
        say!(
            "Parâmetro {} = {} ({} a {} {}): {}",
            parameter.name,
            parameter.default,
            parameter.min,
            parameter.max,
            parameter.unit,
            parameter.description.pt
        );
    }
    for exclusion in &flag.exclusions {
        say!("Fica de fora: {}", exclusion.pt);
    }
    say!("\nO que pode explicar:");
    for explanation in &flag.explanations {
        say!("  - {}", explanation.pt);
    }
    say!("\nSQL:\n\n{}", flag.sql);
    Ok(())
}

fn coverage(app: &App, json: bool) -> Result<()> {
    let coverage = app.coverage()?;
    if json {
        print_json(&json!({"flags": coverage}));
        return Ok(());
    }
    let mut rows = table(&["código", "sinal", "limpo", "não computável", "por falta de", "confirmados"]);
    for flag in &coverage {
        let counts = &flag.counts.whole;
        let missing: Vec<String> = counts.not_computable.iter().map(|(field, n)| format!("{field} {n}")).collect();
        let sum: i64 = counts.not_computable.values().sum();
        rows.add_row([
            flag.code.clone(),
            counts.hit.to_string(),
            counts.clear.to_string(),
            sum.to_string(),
            missing.join(", "),
            flag.precision.as_ref().map_or(String::new(), |precision| share(&precision.all)),
        ]);
    }
    say!("{rows}");
    Ok(())
}

fn eval_screens(asked: &LabelledFile, json: bool) -> Result<ExitCode> {
    let report = app::evaluate_screens(asked)?;
    if json {
        print_json(&report);
        return Ok(DONE);
    }
    let found = &report.evaluation;
    let written =
        |auc: Option<f64>| auc.map_or("não computável".to_owned(), |auc| format!("{auc:.4}").replace('.', ","));
    say!(
        "AUC {} em {} lances de {} licitações ({} marcados)",
        written(found.auc),
        found.n,
        found.tenders,
        found.rigged
    );
    for (k, precision) in &found.precision_at {
        say!("  precisão nos {k} primeiros: {}", format!("{precision:.4}").replace('.', ","));
    }
    say!("  só com o número de lances: AUC {}", written(found.auc_of_the_number_of_bids));
    say!("  só licitações com 4 lances ou mais: AUC {}", written(found.auc_from_four_prices));
    say!(
        "  {} licitações têm menos de 4 lances; {} linhas ficaram de fora",
        found.tenders_under_four_prices,
        report.left_out
    );
    Ok(DONE)
}

/// Looks at a running system from outside.
fn check_up(url: &str, json: bool) -> Result<ExitCode> {
    let checks = app::check_up(url)?;
    if json {
        print_json(&json!({"url": url, "checks": checks}));
    } else {
        print_checks(&checks);
    }
    let problem = checks.iter().any(|check| check.gravity == CheckState::Problem);
    Ok(if problem { ExitCode::from(1) } else { DONE })
}

fn doctor(settings: &Settings, repair: bool, json: bool) -> Result<ExitCode> {
    let repaired = if repair { App::open(settings.clone())?.repair()? } else { Vec::new() };
    let advice = App::doctor(settings);
    if json {
        print_json(&json!({"repaired": repaired, "checks": advice}));
    } else {
        for segment in &repaired {
            say!("escrito de novo: {segment}");
        }
        print_advice(&advice);
    }
    let problem = advice.iter().any(|a| a.gravity == Gravity::Problem);
    Ok(if problem { ExitCode::from(1) } else { DONE })
}
