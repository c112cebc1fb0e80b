//! What a system of one's own usually needs, under one name: `use squall::prelude::*`.

pub use crate::operation::objects;
pub use crate::operation::{Key, Operation, Reply, Value};
pub use crate::records::Records;
pub use crate::scenario::{Model, Setting, SettingValue};
pub use crate::situations::{Sign, Situation, Sometimes};
pub use crate::system::{
    Advance, Answer, Attempt, Broken, Cluster, Moment, Obstacle, OwnProperty, PlantedBug, Property, Stand, Survivors,
    System, Tell,
};
pub use crate::timers::Timers;
pub use checker::properties::{EntryMark, Observation};
pub use simulator::{
    ClientId, Context, DiskError, DiskImage, Duration, LocalTime, Never, NodeId, Payload, Process, Stamp, Stream,
    SyncToken, Time,
};
