//! `cidadao keys`: who may call.

use app::identity::{Rate, Scope, Tier};
use app::views::{ApiKey, MadeKey};
use app::{App, MakeKey, Result};
use clap::{Args, Subcommand};
use serde_json::json;

use crate::output::{say, table};
use crate::run::print_json;

#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make a key; it is printed this once and cannot be had again.
    Create(CreateKey),
    /// Every key, newest first, without what opens it.
    List,
    /// Make a key in another's place; the old one still opens for a while.
    Rotate {
        /// The old key's id.
        id: String,
        /// Hours for which the old one still opens.
        #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u32).range(0..=720))]
        overlap: u32,
    },
    /// Let a key open nothing any more.
    Revoke {
        /// Its id.
        id: String,
    },
}

/// A key to make.
#[derive(Debug, Args)]
pub struct CreateKey {
    /// How much it may ask for: free, basic, pro, enterprise or unlimited.
    #[arg(long, value_name = "TIER", default_value = "free", value_parser = parsed::<Tier>)]
    tier: Tier,
    /// What it is for.
    #[arg(long, default_value = "sem nome")]
    name: String,
    /// What it opens: read, investigate, verdict, admin; as often as needed. Without it, read and investigate.
    #[arg(long, value_name = "SCOPE", value_delimiter = ',', value_parser = parsed::<Scope>)]
    scope: Vec<Scope>,
    /// Until when: a day (2027-01-31), days from now (90d) or an instant.
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
    /// Limits of its own, such as "5/s burst 10, 50/min".
    #[arg(long, value_name = "RATE", value_parser = parsed::<Rate>)]
    rate: Option<Rate>,
    /// The account that it acts for.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
}

fn parsed<T: std::str::FromStr<Err = app::Error>>(text: &str) -> std::result::Result<T, String> {
    text.parse().map_err(|e: app::Error| e.to_string())
}

/// Runs one of the commands on keys.
pub fn keys(app: &App, command: KeysCommand, json: bool) -> Result<()> {
    match command {
        KeysCommand::Create(asked) => {
            let CreateKey { tier, name, scope: scopes, expires, rate, user } = asked;
            print_made(&app.make_key(&MakeKey { name, tier, scopes, expires, rate, user })?, json);
        }
        KeysCommand::Rotate { id, overlap } => print_made(&app.rotate_key(&id, overlap)?, json),
        KeysCommand::List => print_keys(&app.keys()?, json),
        KeysCommand::Revoke { id } => print_keys(&[app.revoke_key(&id)?], json),
    }
    Ok(())
}

fn print_made(made: &MadeKey, json: bool) {
    if json {
        return print_json(made);
    }
    say!("{}", made.key);
    say!(
        "chave {} ({}): guarde-a agora, não será mostrada de novo; envie-a em X-API-Key",
        made.about.id,
        made.about.tier
    );
}

fn print_keys(keys: &[ApiKey], json: bool) {
    if json {
        return print_json(&json!({"keys": keys}));
    }
    let mut rows = table(&["id", "começa com", "nome", "nível", "abre", "conta", "criada", "até", "estado"]);
    for key in keys {
        let state = match (&key.revoked_at, &key.rotated_into) {
            (Some(at), _) => format!("revogada em {at}"),
            (None, Some(by)) => format!("trocada por {by}"),
            (None, None) => String::new(),
        };
        let tier = key.rate.as_ref().map_or(key.tier.clone(), |rate| format!("{} ({rate})", key.tier));
        rows.add_row([
            &key.id,
            &key.prefix,
            &key.name,
            &tier,
            &key.scopes.join(" "),
            key.user.as_deref().unwrap_or_default(),
            &key.created_at,
            key.expires_at.as_deref().unwrap_or_default(),
            &state,
        ]);
    }
    say!("{rows}");
}
