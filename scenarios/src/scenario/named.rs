//! Nodes and links that a fault names: groups that fall apart, and links that are cut.
//!
//! Owns the types, reading and writing them, and which nodes they part. A scenario has at most [`NODES_MAX`] nodes, so a set of them
//! is a mask.

use super::Result;
use super::document::{Mark, Node};
use super::error::{Misfit, shown};
use super::section::Section;
use super::spec::Cluster;
use std::fmt;

/// Most nodes of a cluster, spares included.
pub(super) const NODES_MAX: usize = 10;

/// Groups of nodes, written `"n0 n1 n2 | n3"`: two nodes hear each other when they are in a group together. A node may be in several
/// groups; those that no group names are in one more group together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Groups {
    /// A mask for each group; bit 0 is node 0.
    masks: [u16; NODES_MAX],
    /// How many there are.
    count: usize,
}

/// Links that are cut, written `["n0-n1", "n2>n3"]`: both ways, and from the first node to the second only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CutLinks {
    /// For each node a mask of those that it no longer reaches.
    beyond: [u16; NODES_MAX],
}

impl Groups {
    /// The groups in a cluster of so many nodes, with the one of those that are not named.
    pub fn of(&self, nodes: u16) -> Vec<Vec<u16>> {
        let named = self.masks.iter().fold(0, |all, mask| all | mask);
        let all = self.masks[..self.count].iter().copied().chain([!named]);
        let members = |mask: u16| (0..nodes).filter(move |node| mask & 1 << node != 0).collect();
        all.map(members).filter(|group: &Vec<u16>| !group.is_empty()).collect()
    }

    /// The pairs of nodes that no longer hear each other, the lower number first.
    pub fn apart(&self, nodes: u16) -> Vec<(u16, u16)> {
        let groups = self.of(nodes);
        let together = |one, other| {
            groups
                .iter()
                .any(|group| group.contains(&one) && group.contains(&other))
        };
        let pairs = (0..nodes).flat_map(|one| (one + 1..nodes).map(move |other| (one, other)));
        pairs.filter(|(one, other)| !together(*one, *other)).collect()
    }
}

impl fmt::Display for Groups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mask) in self.masks[..self.count].iter().enumerate() {
            f.write_str(if index == 0 { "" } else { " | " })?;
            for (place, node) in nodes_of(*mask).enumerate() {
                write!(f, "{}n{node}", if place == 0 { "" } else { " " })?;
            }
        }
        Ok(())
    }
}

impl CutLinks {
    /// Each link once: the sender, the receiver, and whether only this direction is cut.
    pub fn links(&self) -> impl Iterator<Item = (u16, u16, bool)> + '_ {
        let of = |(from, mask): (usize, &u16)| nodes_of(*mask).map(move |to| (from as u16, to));
        let cuts = self.beyond.iter().enumerate().flat_map(of);
        let is_cut = |from: u16, to: u16| self.beyond[usize::from(from)] & 1 << to != 0;
        cuts.map(move |(from, to)| (from, to, !is_cut(to, from)))
            .filter(|(from, to, is_one_way)| *is_one_way || from < to)
    }

    /// As they are written.
    pub fn names(&self) -> Vec<String> {
        self.links()
            .map(|(from, to, is_one_way)| format!("n{from}{}n{to}", if is_one_way { '>' } else { '-' }))
            .collect()
    }
}

fn nodes_of(mask: u16) -> impl Iterator<Item = u16> {
    (0..NODES_MAX as u16).filter(move |node| mask & 1 << node != 0)
}

/// Reads the groups out of the text of `split`.
pub(super) fn groups(node: &Node, path: &str, text: &str, cluster: &Cluster) -> Result<Groups> {
    let mut groups = Groups {
        masks: [0; NODES_MAX],
        count: 0,
    };
    for group in text.split('|') {
        let mut mask = 0;
        for name in group.split([' ', ',']).filter(|name| !name.is_empty()) {
            mask |= 1 << number(node.mark, path, name, cluster)?;
        }
        if mask == 0 || groups.count == NODES_MAX {
            let what = if mask == 0 {
                "names an empty group"
            } else {
                "names too many groups"
            };
            return Err(Misfit::unfit(
                node.mark,
                format!("`{path}` {what}"),
                format!("write 1 to {NODES_MAX} groups of nodes, such as \"n0 n1 | n2\""),
            ));
        }
        groups.masks[groups.count] = mask;
        groups.count += 1;
    }
    let (fewest, most) = (
        cluster.nodes.smallest() + cluster.spares.smallest(),
        cluster.nodes.largest() + cluster.spares.largest(),
    );
    if let Some(count) = (fewest..=most).find(|count| groups.apart(*count as u16).is_empty()) {
        return Err(Misfit::unfit(
            node.mark,
            format!("`{path}` parts nobody in a cluster of {count} nodes"),
            "write at least two groups of nodes, such as \"n0 n1 | n2\"",
        ));
    }
    Ok(groups)
}

/// Reads `links`, which has no default.
pub(super) fn cut_links(section: &Section<'_>, cluster: &Cluster) -> Result<CutLinks> {
    const EXAMPLE: &str = "links = [\"n0-n1\", \"n2>n3\"]";
    let Some(words) = section.words("links", EXAMPLE)? else {
        return Err(section.missing("links", "links = [\"n0-n1\"], the links that are cut"));
    };
    let path = section.path("links");
    let mut links = CutLinks { beyond: [0; NODES_MAX] };
    for (word, mark) in &words {
        let (from, to, is_one_way) = match (word.split_once('-'), word.split_once('>')) {
            (Some((from, to)), None) => (from, to, false),
            (None, Some((from, to))) => (from, to, true),
            _ => {
                return Err(Misfit::unfit(
                    *mark,
                    format!("`{path}`: \"{}\" is no link", shown(word)),
                    "write n0-n1 for a link that is cut both ways, and n0>n1 for what n0 sends to n1 alone",
                ));
            }
        };
        let from = number(*mark, &path, from.trim(), cluster)?;
        let to = number(*mark, &path, to.trim(), cluster)?;
        if from == to {
            return Err(Misfit::unfit(
                *mark,
                format!("`{path}`: \"{}\" joins a node with itself", shown(word)),
                "name two nodes",
            ));
        }
        links.beyond[from as usize] |= 1 << to;
        if !is_one_way {
            links.beyond[to as usize] |= 1 << from;
        }
    }
    if words.is_empty() {
        return Err(Misfit::unfit(
            section.mark_of(&["links"]),
            format!("`{path}` is an empty list"),
            format!("name at least one link, such as {EXAMPLE}"),
        ));
    }
    Ok(links)
}

/// The number in a name such as `n2`, of a node that every choice of `cluster.nodes` and `cluster.spares` has.
pub(super) fn number(mark: Mark, path: &str, name: &str, cluster: &Cluster) -> Result<u32> {
    let digits = name
        .strip_prefix('n')
        .filter(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
        .filter(|digits| *digits == "0" || !digits.starts_with('0'));
    let Some(digits) = digits else {
        return Err(Misfit::unfit(
            mark,
            format!("`{path}`: \"{}\" is not the name of a node", shown(name)),
            "write n0, n1 and so on",
        ));
    };
    let fewest = cluster.nodes.smallest() + cluster.spares.smallest();
    let number = digits.parse().ok().filter(|number: &u32| *number < fewest);
    number.ok_or_else(|| {
        Misfit::unfit(
            mark,
            format!(
                "`{path}` names \"{}\", but there may be only {fewest} nodes, spares included, and numbers start at 0",
                shown(name)
            ),
            format!("name nodes from n0 to n{}, or raise `cluster.nodes`", fewest - 1),
        )
    })
}

#[cfg(test)]
mod tests {
    use crate::raft_kv::known;
    use crate::scenario::{FaultKind, Scenario, Split, parse};

    fn read(body: &str) -> Result<Scenario, String> {
        let text = format!("schema = \"squall-scenario/1\"\nname = \"named\"\n{body}\nat = \"1s\"\nfor = \"1s\"\n");
        parse("named.toml", &text, &[], &known()).map_err(|error| error.to_string())
    }

    fn apart(nodes: u32, split: &str) -> Result<Vec<(u16, u16)>, String> {
        let body = format!("[cluster]\nnodes = {nodes}\n[[fault]]\nkind = \"partition\"\nsplit = \"{split}\"");
        let scenario = read(&body)?;
        assert_eq!(parse("again", &scenario.to_toml(), &[], &known()).unwrap(), scenario);
        match scenario.faults[0].kind {
            FaultKind::Partition {
                split: Split::Named(groups),
                ..
            } => Ok(groups.apart(nodes as u16)),
            kind => panic!("{kind:?}"),
        }
    }

    #[test]
    fn groups_fall_apart_and_those_that_nobody_names_stay_together() {
        assert_eq!(apart(3, "n0 n1 | n2").unwrap(), [(0, 2), (1, 2)]);
        assert_eq!(apart(3, "n2").unwrap(), [(0, 2), (1, 2)]);
        assert_eq!(apart(4, "n3,n0").unwrap(), [(0, 1), (0, 2), (1, 3), (2, 3)]);
    }

    #[test]
    fn a_node_in_two_groups_is_a_bridge() {
        let cut = apart(5, "n0 n1 n2 | n1 n3 | n2 n4").unwrap();
        assert_eq!(cut, [(0, 3), (0, 4), (1, 4), (2, 3), (3, 4)]);
    }

    #[test]
    fn links_are_cut_both_ways_or_one() {
        let body = "[[fault]]\nkind = \"cut-links\"\nlinks = [\"n0-n1\", \"n2>n1\"]";
        let scenario = read(body).unwrap();
        let FaultKind::CutLinks { links, .. } = scenario.faults[0].kind else {
            panic!("{:?}", scenario.faults[0]);
        };
        assert_eq!(links.names(), ["n0-n1", "n2>n1"]);
        assert_eq!(parse("again", &scenario.to_toml(), &[], &known()).unwrap(), scenario);
    }

    #[test]
    fn names_that_do_not_do_are_refused_with_a_remedy() {
        let says = |result: Result<Vec<(u16, u16)>, String>, what: &str| {
            let error = result.unwrap_err();
            assert!(error.contains(what) && error.contains("fault.0.split"), "{error}");
        };
        says(apart(3, "n0 n1 n2"), "parts nobody in a cluster of 3 nodes");
        says(apart(3, "n0 | n3"), "only 3 nodes");
        says(apart(3, "n0 || n1"), "empty group");
        says(apart(3, "n0 | x"), "\"x\" is not the name of a node");
        says(apart(3, "evne"), "even");
        let link = |link: &str| read(&format!("[[fault]]\nkind = \"cut-links\"\nlinks = [{link}]")).unwrap_err();
        assert!(link("\"n0\"").contains("is no link"));
        assert!(link("\"n0-n0\"").contains("with itself"));
        assert!(link("\"n0-n7\"").contains("only 3 nodes"));
        assert!(link("").contains("empty list"));
    }
}
