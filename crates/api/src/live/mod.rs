//! What happens, told to those who follow it: one hub for WebSocket, server-sent events and GraphQL subscriptions.
//!
//! One thread of the process follows what happens, whoever makes it happen, and hands it to all who follow. What a look at the database
//! costs does not depend on how many they are, and each message is put into bytes once for all of them: as a frame, as a compressed frame,
//! as a server-sent event. A topic that nobody follows costs nothing and keeps nothing.
//!
//! Nothing is lost in silence. Every message has a place in its topic, the same at every process ([`app::queries::Topic`]); who comes back
//! with the place of the last one is told what came behind it, or that there is a gap and where it ends. So is who reads too slowly.

mod batch;
mod channel;
mod follower;
mod hub;
mod meters;
mod receiver;
mod topic;

pub use batch::{Batch, Events, Message, events_of, put_head};
pub use hub::Hub;
pub use meters::LiveMeters;
pub use receiver::{Attached, Ending, Receiver};
pub use topic::{Kind, Named};
