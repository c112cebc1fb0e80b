//! What clients and operators do, and what they remember of it for the checker.

pub mod client;
pub mod history;
pub mod online;
pub mod operator;
pub mod script;
pub mod scripted;
pub mod tasks;

use crate::systems::kv::{Request, Response};
use client::KvClient;
use operator::Operator;
use scripted::Scripted;
use simulator::{Client, ClientContext, NodeId};

/// Who sends requests to the service.
#[derive(Clone, Debug)]
pub enum Actor {
    /// A client.
    Client(KvClient),
    /// An operator who gives orders one after another.
    Operator(Operator),
    /// An operator with one order at its time.
    Scripted(Scripted),
}

impl Client for Actor {
    type Request = Request;
    type Response = Response;

    fn on_start(&mut self, ctx: &mut ClientContext<'_, Self>) {
        match self {
            Self::Client(client) => client.start(ctx),
            Self::Operator(operator) => operator.start(ctx),
            Self::Scripted(operator) => operator.start(ctx),
        }
    }

    fn on_response(&mut self, from: NodeId, response: Response, ctx: &mut ClientContext<'_, Self>) {
        match self {
            Self::Client(client) => client.answered(response, ctx),
            Self::Operator(operator) => operator.answered(from, &response, ctx),
            Self::Scripted(operator) => operator.answered(from, &response, ctx),
        }
    }

    fn on_timer(&mut self, ctx: &mut ClientContext<'_, Self>) {
        match self {
            Self::Client(client) => client.woken(ctx),
            Self::Operator(operator) => operator.woken(ctx),
            Self::Scripted(operator) => operator.woken(ctx),
        }
    }
}

impl Actor {
    /// The client, if it is one.
    pub fn client(&self) -> Option<&KvClient> {
        match self {
            Self::Client(client) => Some(client),
            Self::Operator(_) | Self::Scripted(_) => None,
        }
    }

    /// The operator who gives orders one after another, if it is one.
    pub fn operator(&self) -> Option<&Operator> {
        match self {
            Self::Client(_) | Self::Scripted(_) => None,
            Self::Operator(operator) => Some(operator),
        }
    }
}
