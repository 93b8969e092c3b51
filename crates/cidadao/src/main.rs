//! The binary: command line, configuration, wiring, graceful stop.

mod agents;
mod ask;
mod bundle;
mod cli;
mod config;
mod database;
mod dossier;
mod entities;
mod evaluation;
mod identity;
mod investigate;
mod lines;
mod log;
mod manual;
mod moment;
mod output;
mod quarantine;
mod run;
mod sync;
mod verdicts;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: profile::Watched<mimalloc::MiMalloc> = profile::Watched(mimalloc::MiMalloc);

fn main() -> ExitCode {
    if let Err(message) = check_processor() {
        eprintln!("cidadao: {message}");
        return ExitCode::from(1);
    }
    let arguments = match <cli::Cli as clap::Parser>::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let wrong = error.use_stderr();
            // A closed pipe is no reason to fail.
            let _ = error.print();
            return if wrong { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    match run::run(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("cidadao: {error}");
            ExitCode::from(if matches!(error, app::Error::Invalid { .. } | app::Error::Settings(_)) { 2 } else { 1 })
        }
    }
}

/// The program is built for x86-64-v3: says so where the processor is older, instead of dying on an instruction.
fn check_processor() -> Result<(), String> {
    #[cfg(target_arch = "x86_64")]
    {
        let missing: Vec<&str> = [
            ("avx2", std::arch::is_x86_feature_detected!("avx2")),
            ("bmi2", std::arch::is_x86_feature_detected!("bmi2")),
            ("fma", std::arch::is_x86_feature_detected!("fma")),
            ("pclmulqdq", std::arch::is_x86_feature_detected!("pclmulqdq")),
        ]
        .into_iter()
        .filter_map(|(name, there)| (!there).then_some(name))
        .collect();
        if !missing.is_empty() {
            return Err(format!(
                "este processador não tem {0}; compile com `-Ctarget-cpu=native` / this processor lacks {0}; build with `-Ctarget-cpu=native`",
                missing.join(", ")
            ));
        }
    }
    Ok(())
}
