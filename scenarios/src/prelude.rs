//! What a system of one's own usually needs, under one name: `use squall::prelude::*`.

pub use crate::operation::objects;
pub use crate::operation::{Key, Operation, Reply, Value};
pub use crate::records::Records;
pub use crate::scenario::Model;
pub use crate::situations::{Sign, Situation};
pub use crate::system::{Advance, Answer, Attempt, Cluster, Obstacle, PlantedBug, Stand, Survivors, System, Tell};
pub use checker::properties::{EntryMark, Observation};
pub use simulator::{
    ClientId, Context, DiskError, DiskImage, Duration, LocalTime, Never, NodeId, Payload, Process, Stamp, Stream,
    SyncToken, Time,
};
