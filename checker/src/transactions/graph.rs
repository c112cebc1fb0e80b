//! Dependencies as a graph: who must come before whom, and why; whether it has cycles.
//!
//! Owns strongly connected components (Tarjan 1972); what the nodes are, it does not know.

/// Why one node comes before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Edge {
    /// The second overwrote what the first wrote, or appended after it.
    WriteWrite(u32),
    /// The second read what the first wrote.
    WriteRead(u32),
    /// The second overwrote what the first read.
    ReadWrite(u32),
    /// Both are of one client, in this order.
    Session,
    /// The first had returned before the second was called.
    RealTime,
    /// The second, of which the third transaction (the number) read the key, must be later than the first, which the third has seen.
    Seen(u32, u32),
    /// No reason of its own: a step between two nodes that stand for one thing.
    Step,
}

/// A graph that is being built.
#[derive(Clone, Debug, Default)]
pub(super) struct Graph {
    nodes: usize,
    edges: Vec<(u32, u32, Edge)>,
}

/// A graph whose edges are sorted by where they begin.
#[derive(Clone, Debug)]
pub(super) struct Sorted {
    starts: Vec<u32>,
    ends: Vec<(u32, Edge)>,
}

impl Graph {
    pub(super) fn new(nodes: usize) -> Self {
        Graph {
            nodes,
            edges: Vec::new(),
        }
    }

    /// A node that stands for several edges.
    pub(super) fn node(&mut self) -> u32 {
        self.nodes += 1;
        self.nodes as u32 - 1
    }

    pub(super) fn add(&mut self, from: u32, to: u32, edge: Edge) {
        if from != to {
            self.edges.push((from, to, edge));
        }
    }

    pub(super) fn sorted(&self) -> Sorted {
        let mut starts = vec![0u32; self.nodes + 1];
        for &(from, _, _) in &self.edges {
            starts[from as usize + 1] += 1;
        }
        for node in 0..self.nodes {
            starts[node + 1] += starts[node];
        }
        let mut places = starts.clone();
        let mut ends = vec![(0, Edge::Step); self.edges.len()];
        for &(from, to, edge) in &self.edges {
            let place = &mut places[from as usize];
            ends[*place as usize] = (to, edge);
            *place += 1;
        }
        Sorted { starts, ends }
    }
}

impl Sorted {
    pub(super) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    pub(super) fn after(&self, node: u32) -> &[(u32, Edge)] {
        &self.ends[self.starts[node as usize] as usize..self.starts[node as usize + 1] as usize]
    }

    /// All nodes in an order that every edge keeps; else the components of more than one node.
    pub(super) fn order(&self) -> Result<Vec<u32>, Vec<Vec<u32>>> {
        let mut before = vec![0u32; self.len()];
        for &(to, _) in &self.ends {
            before[to as usize] += 1;
        }
        let mut order: Vec<u32> = (0..self.len() as u32)
            .filter(|&node| before[node as usize] == 0)
            .collect();
        let mut next = 0;
        while let Some(&node) = order.get(next) {
            next += 1;
            for &(to, _) in self.after(node) {
                before[to as usize] -= 1;
                if before[to as usize] == 0 {
                    order.push(to);
                }
            }
        }
        if order.len() == self.len() {
            Ok(order)
        } else {
            Err(self.components())
        }
    }

    /// The strongly connected components of more than one node.
    fn components(&self) -> Vec<Vec<u32>> {
        const NONE: u32 = u32::MAX;
        let mut index = vec![NONE; self.len()];
        let mut low = vec![0u32; self.len()];
        let mut is_open = vec![false; self.len()];
        let (mut count, mut open, mut found) = (0, Vec::new(), Vec::new());
        let mut calls: Vec<(u32, u32)> = Vec::new();
        for root in 0..self.len() as u32 {
            if index[root as usize] != NONE {
                continue;
            }
            calls.push((root, 0));
            while let Some(&mut (node, ref mut next)) = calls.last_mut() {
                let at = node as usize;
                if *next == 0 {
                    (index[at], low[at]) = (count, count);
                    count += 1;
                    open.push(node);
                    is_open[at] = true;
                }
                if let Some(&(to, _)) = self.after(node).get(*next as usize) {
                    *next += 1;
                    if index[to as usize] == NONE {
                        calls.push((to, 0));
                    } else if is_open[to as usize] {
                        low[at] = low[at].min(index[to as usize]);
                    }
                    continue;
                }
                *next = u32::MAX;
                calls.pop();
                if let Some(&(parent, _)) = calls.last() {
                    low[parent as usize] = low[parent as usize].min(low[at]);
                }
                if low[at] == index[at] {
                    let start = open.iter().rposition(|&one| one == node).expect("it is open");
                    let component = open.split_off(start);
                    component.iter().for_each(|&one| is_open[one as usize] = false);
                    if component.len() > 1 {
                        found.push(component);
                    }
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::{Edge, Graph};

    #[test]
    fn an_order_or_the_components() {
        let mut graph = Graph::new(5);
        for (from, to) in [(0, 1), (1, 2), (2, 3), (0, 4), (4, 3)] {
            graph.add(from, to, Edge::Session);
        }
        let order = graph.sorted().order().expect("no cycle");
        let place = |node| order.iter().position(|&one| one == node);
        assert!(graph.edges.iter().all(|&(from, to, _)| place(from) < place(to)));
        graph.add(3, 1, Edge::RealTime);
        graph.add(2, 1, Edge::Step);
        let sorted = graph.sorted();
        let mut found = sorted.order().expect_err("a cycle");
        found[0].sort_unstable();
        assert_eq!(found, [[1, 2, 3]]);
    }
}
