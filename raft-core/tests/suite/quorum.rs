//! Majorities against two judges that share no code with them: the data-driven cases of another implementation, where they
//! are present, and the definition itself, tried out on every subset of the members.
//!
//! One difference of meaning remains. There, a configuration without voters decides everything, which makes the empty half
//! of a joint one neutral. Here, [`Configuration::outgoing`] is neutral when empty, and a configuration without voters is
//! that of a node that waits to be let in: it decides nothing. See [`a_node_without_voters_decides_nothing`].

use proptest::prelude::*;
use raft_core::quorum::{Vote, majority, reached};
use raft_core::{Configuration, NodeId};
use std::collections::BTreeMap;
use std::path::Path;

/// One case of a data-driven file.
struct Case {
    place: String,
    command: String,
    /// By name: what stands in the parentheses, or the word without them.
    arguments: BTreeMap<String, Vec<String>>,
    result: String,
}

/// Reads a file of cases: a command, `----`, a drawing, and the result on the last line before an empty one.
fn cases(path: &Path) -> Vec<Case> {
    let text = std::fs::read_to_string(path).expect("a readable file");
    let mut lines = text.lines().enumerate();
    let mut cases = Vec::new();
    while let Some((nth, line)) = lines.next() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let place = format!("{}:{}", path.display(), nth + 1);
        assert_eq!(lines.next().map(|(_, line)| line), Some("----"), "{place}");
        let output = lines.by_ref().map(|(_, line)| line).take_while(|line| !line.is_empty());
        let result = output.last().expect("a result").to_owned();
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        cases.push(Case {
            place,
            command: command.to_owned(),
            arguments: arguments(rest),
            result,
        });
    }
    cases
}

/// `cfg=(1, 2) cfgj=zero` by name.
fn arguments(text: &str) -> BTreeMap<String, Vec<String>> {
    let packed = text.replace(", ", ",");
    let argument = |word: &str| {
        let (name, value) = word.split_once('=').expect("name=value");
        let value = value.trim_start_matches('(').trim_end_matches(')');
        (name.to_owned(), value.split(',').map(str::to_owned).collect())
    };
    packed.split_whitespace().map(argument).collect()
}

impl Case {
    fn list(&self, name: &str) -> &[String] {
        self.arguments.get(name).map_or(&[], Vec::as_slice)
    }

    fn voters(&self, name: &str) -> Vec<NodeId> {
        let id = |word: &String| NodeId(word.parse().expect("a node id"));
        let words = self.list(name).iter().filter(|word| *word != "zero");
        words.map(id).collect()
    }

    /// The voters of both sets in order of first mention, each with its word of the list of this name.
    fn told(&self, name: &str) -> Vec<(NodeId, &str)> {
        let mut ids: Vec<NodeId> = Vec::new();
        for id in self.voters("cfg").into_iter().chain(self.voters("cfgj")) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        assert_eq!(ids.len(), self.list(name).len(), "{}", self.place);
        ids.into_iter()
            .zip(self.list(name).iter().map(String::as_str))
            .collect()
    }

    fn outcome(&self) -> String {
        let configuration = Configuration {
            voters: self.voters("cfg"),
            outgoing: self.voters("cfgj"),
            ..Configuration::default()
        };
        match self.command.as_str() {
            "committed" => {
                let told = self.told("idx");
                let index = |id| {
                    told.iter()
                        .find(|(of, _)| *of == id)
                        .and_then(|(_, word)| word.parse().ok())
                };
                let committed = configuration.reached(majority, |id| index(id).unwrap_or(0));
                committed.to_string()
            }
            "vote" => {
                let told = self.told("votes");
                let who = |said| {
                    told.iter()
                        .filter(|(_, word)| *word == said)
                        .map(|(id, _)| *id)
                        .collect()
                };
                let (granted, refused): (Vec<_>, Vec<_>) = (who("y"), who("n"));
                format!("Vote{:?}", configuration.tally(majority, &granted, &refused))
            }
            other => panic!("{}: unknown command {other}", self.place),
        }
    }
}

#[test]
fn the_cases_of_another_implementation_come_out_the_same() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/conformance/quorum"));
    let Ok(files) = std::fs::read_dir(folder) else {
        println!("skipped: {} is not there", folder.display());
        return;
    };
    let mut paths: Vec<_> = files.map(|file| file.expect("a readable folder").path()).collect();
    paths.sort();
    let (mut compared, mut translated) = (0, 0);
    for case in paths.iter().flat_map(|path| cases(path)) {
        if case.voters("cfg").is_empty() {
            let translation = [("∞", "0"), ("VoteWon", "VoteLost")]
                .into_iter()
                .find(|(_, ours)| case.outcome() == *ours);
            assert!(
                translation.is_some_and(|(theirs, _)| case.result.ends_with(theirs)),
                "{}: {}",
                case.place,
                case.result
            );
            translated += 1;
        } else {
            assert_eq!(case.outcome(), case.result, "{}", case.place);
            compared += 1;
        }
    }
    println!("{compared} cases are the same, {translated} without voters are translated");
    assert!(compared > 0, "there are cases in {}", folder.display());
}

#[test]
fn a_node_without_voters_decides_nothing() {
    let nobody = Configuration {
        learners: vec![NodeId(1)],
        ..Configuration::default()
    };
    assert_eq!(nobody.reached(majority, |_| 9), 0);
    assert_ne!(nobody.tally(majority, &[NodeId(1)], &[]), Vote::Won);
}

/// Members are numbered from 0 to 11; sets of them are the bits of a number.
const MEMBERS: u64 = 12;

fn ids(set: u64) -> Vec<NodeId> {
    (0..MEMBERS).filter(|id| set >> id & 1 == 1).map(NodeId).collect()
}

/// A set of one to nine members.
fn voters() -> impl Strategy<Value = u64> {
    prop::sample::subsequence((0..MEMBERS).collect::<Vec<_>>(), 1..=9)
        .prop_map(|ids| ids.into_iter().fold(0, |set, id| set | 1 << id))
}

/// The definition (paper, section 5.2; thesis, section 4.3): more than half of each set of voters that is not empty.
fn is_quorum(set: u64, [voters, outgoing]: [u64; 2]) -> bool {
    let decides = |of: u64| of == 0 || 2 * (set & of).count_ones() > of.count_ones();
    decides(voters) && decides(outgoing)
}

fn configuration([voters, outgoing]: [u64; 2]) -> Configuration {
    let learners = ids(!(voters | outgoing));
    Configuration {
        voters: ids(voters),
        outgoing: ids(outgoing),
        learners,
        ..Configuration::default()
    }
}

/// What the best of all quorums has reached, each as far as its slowest member.
fn reached_by_any_quorum(sets: [u64; 2], acknowledged: &[u64]) -> u64 {
    let slowest = |set: u64| ids(set).iter().map(|id| acknowledged[id.0 as usize]).min();
    let quorums = (1..1 << MEMBERS).filter(|set| is_quorum(*set, sets) && set & !(sets[0] | sets[1]) == 0);
    quorums.filter_map(slowest).max().expect("all voters are a quorum")
}

/// Simple or joint.
fn sets() -> impl Strategy<Value = [u64; 2]> {
    (voters(), prop_oneof![Just(0), voters()]).prop_map(|(voters, outgoing)| [voters, outgoing])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_reached_is_what_the_best_quorum_has(
        sets in sets(), acknowledged in prop::collection::vec(0u64..12, MEMBERS as usize),
    ) {
        let ours = configuration(sets).reached(majority, |id| acknowledged[id.0 as usize]);
        prop_assert_eq!(ours, reached_by_any_quorum(sets, &acknowledged));
    }

    #[test]
    fn an_election_is_won_by_a_quorum_and_lost_when_none_is_left(sets in sets(), granted: u64, refused: u64) {
        let all = (1 << MEMBERS) - 1;
        let (granted, refused) = (granted & all, refused & !granted & all);
        let vote = match (is_quorum(granted, sets), is_quorum(all & !refused, sets)) {
            (true, _) => Vote::Won,
            (false, false) => Vote::Lost,
            (false, true) => Vote::Pending,
        };
        prop_assert_eq!(configuration(sets).tally(majority, &ids(granted), &ids(refused)), vote);
    }

    #[test]
    fn any_two_quorums_of_a_configuration_have_a_voter_in_common(sets in sets(), a: u64, b: u64) {
        let won = |set| configuration(sets).tally(majority, &ids(set), &[]) == Vote::Won;
        if won(a) && won(b) {
            prop_assert_ne!(a & b & sets[0], 0);
        }
    }

    #[test]
    fn a_set_of_acknowledgements_reaches_what_so_many_have(mut values in prop::collection::vec(0u64..9, 1..=9), quorum in 1usize..11) {
        let have = |value: u64| values.iter().filter(|other| **other >= value).count();
        let counted = (1..9).rev().find(|value| have(*value) >= quorum).unwrap_or(0);
        prop_assert_eq!(reached(&mut values, quorum), counted);
    }
}
