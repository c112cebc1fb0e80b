//! Services under test, as processes of the simulated world. Each is what a real server would be around its protocol: it
//! stores, recovers, applies and answers, and leaves the network, the disk and the clock to the world.

pub mod kv;
