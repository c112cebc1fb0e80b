//! Who is who: nodes, clients, and either as an endpoint of the network.
//!
//! Identifiers are dense and 0-based, so that state about them lies in plain vectors. Their text forms, `n0` and `c0`, are
//! those of traces, plans and messages to people.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A node: the place where a process runs, with its disk and its clock. 0-based, shown as `n0`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u16);

/// A client of the system under test. 0-based, shown as `c0`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientId(pub u16);

/// One end of a link: a node or a client. In JSON a string, `"n0"` or `"c0"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Endpoint {
    /// A node.
    Node(NodeId),
    /// A client.
    Client(ClientId),
}

/// A text that names no endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` names no endpoint: write `n` and a number from 0 to 65535 for a node, as in `n0`, or `c` for a client, as in `c0`"
)]
pub struct EndpointError(pub String);

impl NodeId {
    /// The index of this node in dense vectors.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl ClientId {
    /// The index of this client in dense vectors.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl Endpoint {
    /// The node, if it is one.
    pub const fn node(self) -> Option<NodeId> {
        match self {
            Self::Node(node) => Some(node),
            Self::Client(_) => None,
        }
    }

    /// The client, if it is one.
    pub const fn client(self) -> Option<ClientId> {
        match self {
            Self::Node(_) => None,
            Self::Client(client) => Some(client),
        }
    }
}

impl From<NodeId> for Endpoint {
    fn from(node: NodeId) -> Self {
        Self::Node(node)
    }
}

impl From<ClientId> for Endpoint {
    fn from(client: ClientId) -> Self {
        Self::Client(client)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}", self.0)
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{}", self.0)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(node) => node.fmt(f),
            Self::Client(client) => client.fmt(f),
        }
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let refusal = || EndpointError(text.chars().take(40).collect());
        let number = |digits: &str| {
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| digits.parse::<u16>().ok()).flatten().ok_or_else(refusal)
        };
        match text.split_at_checked(1) {
            Some(("n", digits)) => Ok(Self::Node(NodeId(number(digits)?))),
            Some(("c", digits)) => Ok(Self::Client(ClientId(number(digits)?))),
            _ => Err(refusal()),
        }
    }
}

impl TryFrom<String> for Endpoint {
    type Error = EndpointError;

    fn try_from(text: String) -> Result<Self, EndpointError> {
        text.parse()
    }
}

impl From<Endpoint> for String {
    fn from(endpoint: Endpoint) -> Self {
        endpoint.to_string()
    }
}

macro_rules! id_range {
    ($name:ident, $id:ident, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, Debug)]
        pub struct $name(std::ops::Range<u16>);

        impl $name {
            pub(crate) fn new(count: u16) -> Self {
                Self(0..count)
            }
        }

        impl Iterator for $name {
            type Item = $id;

            fn next(&mut self) -> Option<$id> {
                self.0.next().map($id)
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                self.0.size_hint()
            }
        }

        impl DoubleEndedIterator for $name {
            fn next_back(&mut self) -> Option<$id> {
                self.0.next_back().map($id)
            }
        }

        impl ExactSizeIterator for $name {}
    };
}

id_range!(
    NodeIds,
    NodeId,
    "All nodes in ascending order; `len()` is their number."
);
id_range!(
    ClientIds,
    ClientId,
    "All clients in ascending order; `len()` is their number."
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_round_trip_through_their_text() {
        for endpoint in [
            Endpoint::Node(NodeId(0)),
            Endpoint::Node(NodeId(65535)),
            Endpoint::Client(ClientId(12)),
        ] {
            assert_eq!(endpoint.to_string().parse(), Ok(endpoint));
            let json = serde_json::to_string(&endpoint).unwrap();
            assert_eq!(serde_json::from_str::<Endpoint>(&json).unwrap(), endpoint);
        }
    }

    #[test]
    fn what_names_no_endpoint_is_refused() {
        for text in ["", "n", "x1", "n65536", "n-1", "n+1", "n 1", "é", "1"] {
            assert!(text.parse::<Endpoint>().is_err(), "{text:?}");
        }
    }
}
