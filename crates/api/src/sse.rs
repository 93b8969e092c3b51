//! Following something as server-sent events, from where the client says it was.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use app::App;
use app::queries::Told;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use prometheus::IntGauge;

use crate::door::Door;
use crate::problem::Problem;

/// How often events are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A comment is sent when nothing happened for so long.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// What to a client is a stream of events.
pub type Events = Sse<KeptAlive>;
type KeptAlive =
    axum::response::sse::KeepAliveStream<std::pin::Pin<Box<dyn Stream<Item = Result<Event, Infallible>> + Send>>>;

/// Follows what `look` tells behind an event: its events, and whether nothing more will come.
///
/// # Errors
/// `Last-Event-ID` is no number; the first look fails.
pub async fn follow<L>(door: Door, headers: &HeaderMap, look: L) -> Result<Events, Problem>
where
    L: Fn(&App, u64) -> app::Result<(Vec<Told>, bool)> + Clone + Send + Sync + 'static,
{
    let seen = match headers.get("last-event-id").map(|value| value.to_str().unwrap_or("?").trim()) {
        None | Some("") => 0,
        Some(text) => text.parse().map_err(|_| Problem::invalid("Last-Event-ID", "not the id of an event"))?,
    };
    let first = look.clone();
    door.inspect(move |app| first(app, seen)).await??;
    let following = Following::count(&door.metrics().live.streams);
    let events = door.metrics().live.events.clone();
    let follower = Follower { door, look, seen, waiting: VecDeque::new(), ended: false, _following: following };
    let stream = futures_util::stream::unfold(follower, move |mut follower| {
        let events = events.clone();
        async move {
            let told = follower.next().await?;
            events.inc();
            let event = Event::default().id(told.seq.to_string()).event(told.kind).data(told.data.to_string());
            Some((Ok(event), follower))
        }
    });
    let stream: std::pin::Pin<Box<dyn Stream<Item = Result<Event, Infallible>> + Send>> = Box::pin(stream);
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(HEARTBEAT)))
}

/// One who follows.
struct Follower<L> {
    door: Door,
    look: L,
    /// The last event that was told.
    seen: u64,
    waiting: VecDeque<Told>,
    ended: bool,
    _following: Following,
}

/// A stream that is followed; counted until it ends.
struct Following(IntGauge);

impl Following {
    fn count(streams: &IntGauge) -> Self {
        streams.inc();
        Self(streams.clone())
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl<L> Follower<L>
where
    L: Fn(&App, u64) -> app::Result<(Vec<Told>, bool)> + Clone + Send + Sync + 'static,
{
    /// The next event, once it happens; `None` when nothing more will.
    async fn next(&mut self) -> Option<Told> {
        while self.waiting.is_empty() {
            if self.ended {
                return None;
            }
            let (look, seen) = (self.look.clone(), self.seen);
            let (events, ended) = self.door.inspect(move |app| look(app, seen)).await.ok()?.ok()?;
            self.ended = ended;
            self.waiting.extend(events);
            if self.waiting.is_empty() && !ended {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
        let told = self.waiting.pop_front()?;
        self.seen = told.seq;
        Some(told)
    }
}
