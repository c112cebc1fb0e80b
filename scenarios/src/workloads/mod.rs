//! What clients and operators do, and what they remember of it for the checker.
//!
//! They are the engine's, whatever the system: it says only how an operation becomes its request and what its response means
//! ([`System::request`], [`System::answer`]), and they ask it through a line to the nodes.

pub mod client;
pub mod history;
pub mod online;
pub mod operator;
pub mod script;
pub mod scripted;
pub mod tasks;

use crate::operation::Operation;
use crate::scenario::ScriptedOrder;
use crate::system::{Attempt, RequestOf, ResponseOf, System};
use client::{Client, Work};
use operator::{Operator, Orders};
use scripted::Scripted;
use simulator::{ClientContext, NodeId, Time, World};
use std::ops::{Deref, DerefMut};

/// The world that a system runs in.
pub type WorldOf<S> = World<<S as System>::Process, Actor<S>>;

/// Who sends requests to a system.
#[derive(Debug)]
pub struct Actor<S: System> {
    system: &'static S,
    part: Part,
}

impl<S: System> Clone for Actor<S> {
    fn clone(&self) -> Self {
        Self {
            system: self.system,
            part: self.part.clone(),
        }
    }
}

/// What somebody does who sends requests.
#[derive(Clone, Debug)]
enum Part {
    /// A client.
    Client(Client),
    /// An operator who gives orders one after another.
    Operator(Operator),
    /// An operator with one order at its time.
    Scripted(Scripted),
}

/// The line of a client or an operator to the nodes.
pub(crate) struct Line<'a, 'c, S: System> {
    system: &'static S,
    ctx: &'a mut ClientContext<'c, Actor<S>>,
}

impl<'c, S: System> Deref for Line<'_, 'c, S> {
    type Target = ClientContext<'c, Actor<S>>;

    fn deref(&self) -> &Self::Target {
        self.ctx
    }
}

impl<S: System> DerefMut for Line<'_, '_, S> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.ctx
    }
}

impl<S: System> Line<'_, '_, S> {
    /// Whether an operation may be asked for again while its outcome is open.
    fn may_repeat(&self, operation: &Operation) -> bool {
        self.system.is_idempotent(operation)
    }

    /// Asks a node for an operation. Whether the system has it.
    fn ask(&mut self, node: NodeId, operation: Operation, attempt: Attempt) -> bool {
        let request = self.system.request(operation, attempt);
        let has = request.is_some();
        if let Some(request) = request {
            self.ctx.send(node, request);
        }
        has
    }
}

impl<S: System> simulator::Client for Actor<S> {
    type Request = RequestOf<S>;
    type Response = ResponseOf<S>;

    fn on_start(&mut self, ctx: &mut ClientContext<'_, Self>) {
        let line = &mut Line {
            system: self.system,
            ctx,
        };
        match &mut self.part {
            Part::Client(client) => client.start(line),
            Part::Operator(operator) => operator.start(line),
            Part::Scripted(operator) => operator.start(line),
        }
    }

    fn on_response(&mut self, from: NodeId, response: ResponseOf<S>, ctx: &mut ClientContext<'_, Self>) {
        let answer = self.system.answer(response);
        let line = &mut Line {
            system: self.system,
            ctx,
        };
        match &mut self.part {
            Part::Client(client) => client.answered(answer, line),
            Part::Operator(operator) => operator.answered(from, &answer, line),
            Part::Scripted(operator) => operator.answered(from, &answer, line),
        }
    }

    fn on_timer(&mut self, ctx: &mut ClientContext<'_, Self>) {
        let line = &mut Line {
            system: self.system,
            ctx,
        };
        match &mut self.part {
            Part::Client(client) => client.woken(line),
            Part::Operator(operator) => operator.woken(line),
            Part::Scripted(operator) => operator.woken(line),
        }
    }
}

impl<S: System> Actor<S> {
    /// A client of a system.
    pub fn client_of(system: &'static S, work: Work) -> Self {
        let part = Part::Client(Client::new(work));
        Self { system, part }
    }

    /// An operator of a system that so many nodes found.
    pub fn operator_of(system: &'static S, orders: Orders, founders: u16) -> Self {
        let part = Part::Operator(Operator::new(orders, founders));
        Self { system, part }
    }

    /// An operator of a system with one order.
    pub fn scripted_of(system: &'static S, order: &ScriptedOrder, faults_end: Time) -> Self {
        let part = Part::Scripted(Scripted::new(order, faults_end));
        Self { system, part }
    }

    /// The client, if it is one.
    pub fn client(&self) -> Option<&Client> {
        match &self.part {
            Part::Client(client) => Some(client),
            Part::Operator(_) | Part::Scripted(_) => None,
        }
    }

    /// The operator who gives orders one after another, if it is one.
    pub fn operator(&self) -> Option<&Operator> {
        match &self.part {
            Part::Operator(operator) => Some(operator),
            Part::Client(_) | Part::Scripted(_) => None,
        }
    }

    /// The operator with one order, if it is one.
    pub fn scripted(&self) -> Option<&Scripted> {
        match &self.part {
            Part::Scripted(operator) => Some(operator),
            Part::Client(_) | Part::Operator(_) => None,
        }
    }
}
