//! The HTTP doors: REST under `/api/v1`, health, metrics, documentation and the web page.
//!
//! A door reads parameters, asks [`app::App`] one question and returns the answer; it never touches the database.
//! It promises that every answer is bounded (in time, in size, in number of questions at once), that every refusal is
//! problem+json with a stable `type`, and that nothing of the program's inside shows in an error.

mod address;
mod answer;
mod archive;
mod authority;
mod batch;
mod caller;
mod coding;
mod command;
mod cors;
mod docs;
mod door;
mod dossiers;
mod export;
mod forms;
mod gate;
mod graphql;
mod kept;
mod limits;
mod listen;
mod live;
mod metrics;
mod openapi;
mod operator;
mod pack;
mod page;
mod params;
mod problem;
mod rate;
mod recent;
mod robots;
mod routes;
mod sign_in;
mod sse;
mod stack;
mod tls;
mod traced;
mod unpack;
mod ws;

use app::App;
use axum::{Extension, Router};

pub use graphql::sdl;
pub use listen::{Doors, serve};
pub use openapi::document;

/// Whether a start would take the files of TLS.
///
/// # Errors
/// They cannot be read, or do not belong together; with the setting's name.
pub fn check_tls(http: &app::settings::Http) -> std::io::Result<()> {
    tls::acceptor(http).map(|_| ())
}

/// Every route over `app`, with limits, metrics, compression and headers around them.
///
/// # Panics
/// Never: the names of metrics are constants that the tests have seen accepted.
pub fn router(app: App) -> Router {
    routes_behind(&door::Door::new(app))
}

/// What is told of a process that answers nothing else.
fn operations_behind(door: &door::Door) -> Router {
    stack::around(routes::of_operators(), door.clone())
}

fn routes_behind(door: &door::Door) -> Router {
    let of_batches = routes::of_batches(door).with_state(door.clone());
    let operations =
        batch::Operations::over(of_batches, door.metrics()).expect("metric names are well formed and differ");
    stack::around(routes::all(door).layer(Extension(operations)), door.clone())
}
