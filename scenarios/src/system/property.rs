//! Properties of a system's own: whatever must hold of its nodes at every event.
//!
//! A [`Property`] looks at the nodes after each event, and remembers what it has seen. One that is broken ends the run with a safety
//! violation under the property's name. A run has instances of its own, each made by [`OwnProperty`].

use super::{Cluster, Nodes};
use simulator::{NodeId, Process, Step, Time};

/// What must hold of a system's nodes.
///
/// ```
/// use simulator::{NodeId, Process};
/// use squall::system::{Broken, Moment, Property};
/// use std::collections::BTreeMap;
///
/// /// A process that counts.
/// trait Counts {
///     fn count(&self) -> u64;
/// }
///
/// /// No node's count goes down, unless it starts again.
/// #[derive(Clone, Default)]
/// struct NeverLess(BTreeMap<NodeId, u64>);
///
/// impl<P: Process + Counts> Property<P> for NeverLess {
///     fn judge(&mut self, moment: &Moment<'_, P>) -> Result<(), Broken> {
///         let Some((node, process)) = moment.node() else { return Ok(()) };
///         let before = self.0.insert(node, process.count()).unwrap_or(0);
///         if process.count() < before && !moment.has_restarted() {
///             return Err(Broken::new("less", format!("{node} counts {}, after {before}", process.count())).of(node));
///         }
///         Ok(())
///     }
/// }
/// ```
pub trait Property<P: Process>: Clone + 'static {
    /// Looks at the nodes after an event.
    ///
    /// # Errors
    /// When the property is broken.
    fn judge(&mut self, moment: &Moment<'_, P>) -> Result<(), Broken>;

    /// Looks at the nodes when the run is over and all is at rest. By default nothing.
    ///
    /// # Errors
    /// When the property is broken.
    fn at_rest(&mut self, moment: &Moment<'_, P>) -> Result<(), Broken> {
        let _ = moment;
        Ok(())
    }
}

/// How a property was broken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// Which part of it, for the failure's signature: lower-case words with dashes between them.
    pub rule: &'static str,
    /// The same in a sentence.
    pub message: String,
    /// The nodes that it is about, the one to look at first.
    pub nodes: Vec<NodeId>,
}

impl Broken {
    /// In these words.
    pub fn new(rule: &'static str, message: impl Into<String>) -> Self {
        Self {
            rule,
            message: message.into(),
            nodes: Vec::new(),
        }
    }

    /// About this node, too.
    #[must_use]
    pub fn of(mut self, node: NodeId) -> Self {
        self.nodes.push(node);
        self
    }
}

/// The nodes of a run just after an event.
pub struct Moment<'a, P: Process> {
    pub(crate) step: Option<&'a Step>,
    pub(crate) now: Time,
    pub(super) nodes: &'a dyn Nodes<P>,
}

impl<'a, P: Process> Moment<'a, P> {
    pub(crate) fn new<C: simulator::ClientOf<P>>(world: &'a simulator::World<P, C>, step: Option<&'a Step>) -> Self {
        Self {
            step,
            now: world.now(),
            nodes: world,
        }
    }

    /// What has happened; `None` before the first event, and at the end.
    pub fn step(&self) -> Option<&'a Step> {
        self.step
    }

    /// True time.
    pub fn now(&self) -> Time {
        self.now
    }

    /// The node that the event happened on, with its process, if it is one that is up.
    pub fn node(&self) -> Option<(NodeId, &'a P)> {
        let node = self.step?.node?;
        Some((node, self.nodes.process(node)?))
    }

    /// Whether the event is that a node runs again.
    pub fn has_restarted(&self) -> bool {
        self.step
            .is_some_and(|step| step.kind == simulator::StepKind::Restarted)
    }

    /// The process of a node, if it is up.
    pub fn process(&self, node: NodeId) -> Option<&'a P> {
        self.nodes.process(node)
    }

    /// Every node that is up.
    pub fn up(&self) -> impl Iterator<Item = (NodeId, &'a P)> + '_ {
        let nodes = (0..self.nodes.count()).map(NodeId);
        nodes.filter_map(|node| Some((node, self.nodes.process(node)?)))
    }
}

/// A property of a system's own, and how it is made for a run.
pub struct OwnProperty<P: Process> {
    /// Its name in `[expect] properties` and in reports: lower-case words with dashes between them.
    pub name: &'static str,
    /// What it demands, in one line.
    pub about: &'static str,
    make: Box<Make<P>>,
}

/// Makes an instance for a run.
type Make<P> = dyn Fn(&Cluster<'_>) -> Box<dyn Judge<P>>;

impl<P: Process> OwnProperty<P> {
    /// One that begins as its default.
    pub fn new<J: Property<P> + Default>(name: &'static str, about: &'static str) -> Self {
        Self::with(name, about, |_| J::default())
    }

    /// One that is made of what is known of the cluster.
    pub fn with<J: Property<P>>(
        name: &'static str,
        about: &'static str,
        make: impl Fn(&Cluster<'_>) -> J + 'static,
    ) -> Self {
        Self {
            name,
            about,
            make: Box::new(move |cluster| Box::new(make(cluster))),
        }
    }

    /// An instance for a run.
    pub(crate) fn judge(&self, cluster: &Cluster<'_>) -> Box<dyn Judge<P>> {
        (self.make)(cluster)
    }
}

/// A property whatever its type.
pub(crate) trait Judge<P: Process> {
    fn judge(&mut self, moment: &Moment<'_, P>) -> Result<(), Broken>;
    fn at_rest(&mut self, moment: &Moment<'_, P>) -> Result<(), Broken>;
    fn copied(&self) -> Box<dyn Judge<P>>;
}

impl<P: Process, J: Property<P>> Judge<P> for J {
    fn judge(&mut self, moment: &Moment<'_, P>) -> Result<(), Broken> {
        Property::judge(self, moment)
    }

    fn at_rest(&mut self, moment: &Moment<'_, P>) -> Result<(), Broken> {
        Property::at_rest(self, moment)
    }

    fn copied(&self) -> Box<dyn Judge<P>> {
        Box::new(self.clone())
    }
}
