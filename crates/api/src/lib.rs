//! The HTTP doors: REST under `/api/v1`, health, metrics, documentation and the web page.
//!
//! A door reads parameters, asks [`app::App`] one question and returns the answer; it never touches the database.
//! It promises that every answer is bounded (in time, in size, in number of questions at once), that every refusal is
//! problem+json with a stable `type`, and that nothing of the program's inside shows in an error.

mod answer;
mod archive;
mod coding;
mod command;
mod cors;
mod docs;
mod door;
mod export;
mod forms;
mod gate;
mod kept;
mod limits;
mod listen;
mod metrics;
mod openapi;
mod operator;
mod pack;
mod page;
mod params;
mod problem;
mod robots;
mod routes;
mod sse;
mod stack;
mod tls;
mod unpack;

use app::App;
use axum::Router;

pub use listen::serve;
pub use openapi::document;

/// Every route over `app`, with limits, metrics, compression and headers around them.
pub fn router(app: App) -> Router {
    routes_behind(&door::Door::new(app))
}

fn routes_behind(door: &door::Door) -> Router {
    stack::around(routes::all(door), door.clone())
}
