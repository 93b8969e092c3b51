//! `cidadao keys` and `cidadao users`: who may call, and who may do what.

use app::identity::{Rate, Role, Scope, Tier};
use app::views::{ApiKey, MadeKey, User};
use app::{App, Error, MakeKey, Result};
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
            print_made(&app.make_key(&MakeKey { name, tier, scopes, expires, rate, user }, None)?, json);
        }
        KeysCommand::Rotate { id, overlap } => print_made(&app.rotate_key(&id, overlap, None)?, json),
        KeysCommand::List => print_keys(&app.keys()?, json),
        KeysCommand::Revoke { id } => print_keys(&[app.revoke_key(&id, None)?], json),
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

#[derive(Debug, Subcommand)]
pub enum UsersCommand {
    /// Make an account. Without --password-stdin a password is made and printed this once.
    Add {
        /// Its name: a–z, 0–9 and ._@-; it is shown with its verdicts.
        name: String,
        /// What it may: reader, analyst or admin.
        #[arg(long, value_name = "ROLE", default_value = "reader", value_parser = parsed::<Role>)]
        role: Role,
        /// Read the password from the first line of stdin.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Every account, by name.
    List,
    /// Close an account: its sign-ins end, its keys open nothing.
    Disable { name: String },
    /// Open a closed account again, and its keys.
    Enable { name: String },
    /// Give an account another role.
    Role {
        name: String,
        #[arg(value_parser = parsed::<Role>)]
        role: Role,
    },
    /// Give an account another password; its sign-ins end.
    Password {
        name: String,
        /// Read the password from the first line of stdin; without it one is made and printed this once.
        #[arg(long)]
        password_stdin: bool,
    },
}

/// Runs one of the commands on accounts.
pub fn users(app: &App, command: UsersCommand, json: bool) -> Result<()> {
    match command {
        UsersCommand::Add { name, role, password_stdin } => {
            let (password, made) = password(password_stdin)?;
            print_user(&app.add_user(&name, role, &password, None)?, made, json);
        }
        UsersCommand::List => print_users(&app.users()?, json),
        UsersCommand::Disable { name } => print_user(&app.set_disabled(&name, true, None)?, None, json),
        UsersCommand::Enable { name } => print_user(&app.set_disabled(&name, false, None)?, None, json),
        UsersCommand::Role { name, role } => print_user(&app.set_role(&name, role, None)?, None, json),
        UsersCommand::Password { name, password_stdin } => {
            let (password, made) = password(password_stdin)?;
            print_user(&app.set_password(&name, &password, None)?, made, json);
        }
    }
    Ok(())
}

/// The password out of stdin, or one that is made, to be shown.
fn password(stdin: bool) -> Result<(String, Option<String>)> {
    if !stdin {
        let made = app::make_password()?;
        return Ok((made.clone(), Some(made)));
    }
    let mut line = String::new();
    let read = std::io::stdin().read_line(&mut line);
    read.map_err(|e| Error::Invalid { field: "password", because: e.to_string() })?;
    Ok((line.trim_end_matches(['\r', '\n']).to_owned(), None))
}

fn print_user(user: &User, password: Option<String>, json: bool) {
    if json {
        let mut value = json!(user);
        if let Some(password) = password {
            value["password"] = json!(password);
        }
        return print_json(&value);
    }
    let closed = user.disabled_at.as_ref().map_or(String::new(), |at| format!(", fechada em {at}"));
    say!("conta {} ({}){closed}", user.name, user.role);
    if let Some(password) = password {
        say!("senha: {password}\nguarde-a agora, não será mostrada de novo");
    }
}

fn print_users(users: &[User], json: bool) {
    if json {
        return print_json(&json!({"users": users}));
    }
    let mut rows = table(&["conta", "papel", "criada", "fechada", "id"]);
    for user in users {
        rows.add_row([
            &user.name,
            &user.role,
            &user.created_at,
            user.disabled_at.as_deref().unwrap_or_default(),
            &user.id,
        ]);
    }
    say!("{rows}");
}
