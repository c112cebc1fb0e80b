//! What becomes of the rates of `[expect]` when an override changes what a swarm draws from.
//!
//! The rates that a file names are those of its own share and classes. Under another share they are scaled to what they are at least, if
//! nothing that is expected needs more than three classes to be on, or off. Of other classes nothing is known: whoever draws from
//! those says himself what must come about.

use super::rate::{Expected, Rate};
use super::read::WHOLE;
use super::spec::{Scenario, Swarm};

/// So many classes must be on together, or off, for what is expected to come about.
const CLASSES_TOGETHER: u32 = 3;

/// Adjusts the rates of a scenario to overrides of `[swarm]`; `of_file` is the section as the file has it.
pub(super) fn rerate(scenario: &mut Scenario, of_file: Option<&Swarm>, overrides: &[(String, String)]) {
    let Some(swarm) = &scenario.swarm else { return };
    let factor = match of_file {
        Some(file) if file.classes == swarm.classes => factor(file.share_ppm, swarm.share_ppm),
        _ => (0, 1),
    };
    if factor.0 == factor.1 {
        return;
    }
    let is_set = |key: &str| overrides.iter().any(|(path, _)| path == key || path == "expect");
    let expect = &mut scenario.expect;
    if !is_set("expect.fired") {
        expect.fired = expect.fired.take().map(|fired| scaled(fired, factor));
    }
    if !is_set("expect.reach") {
        expect.reach = scaled(std::mem::take(&mut expect.reach), factor);
    }
}

/// By how much rates are lower under another share, at least: a numerator and a denominator.
fn factor(of_file: u32, now: u32) -> (u64, u64) {
    let (less, more) = if now < of_file {
        (now, of_file)
    } else {
        (WHOLE - now, WHOLE - of_file)
    };
    // Both at 100%.
    if less == more {
        return (1, 1);
    }
    let power = |ppm: u32| u64::from(ppm).pow(CLASSES_TOGETHER);
    (power(less), power(more))
}

/// All with their rates times a factor, without those that are rarer then than a rate can say.
fn scaled(all: Vec<Expected>, (times, by): (u64, u64)) -> Vec<Expected> {
    let scale = |expected: Expected| {
        let rate = expected.rate.unwrap_or(Rate::NAMED);
        let millionths = u128::from(rate.of) * u128::from(WHOLE) * u128::from(times) / u128::from(by);
        let millionths = u32::try_from(millionths / u128::from(rate.runs)).ok()?;
        (millionths > 0).then_some(Expected {
            rate: Some(Rate {
                of: millionths,
                runs: WHOLE,
            }),
            ..expected
        })
    };
    all.into_iter().filter_map(scale).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    const FILE: &str = "schema = \"squall-scenario/1\"\nname = \"few\"\n[swarm]\nshare = \"20%\"\n[expect]\n\
                        fired = [{ name = \"crash\", rate = \"1/4\" }, \"loss\"]\n\
                        reach = [{ name = \"two-leaders\", rate = \"1/1000\" }]\n";

    fn read(overrides: &[(&str, &str)]) -> Scenario {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let overrides: Vec<_> = overrides.iter().map(owned).collect();
        let read = parse("few", FILE, &overrides, &crate::raft_kv::known()).unwrap();
        // What is written and read again, as a journal does, is the same.
        assert_eq!(
            parse("few", &read.to_toml(), &overrides, &crate::raft_kv::known()).unwrap(),
            read
        );
        read
    }

    fn rates(scenario: &Scenario) -> Vec<(&str, Option<Rate>)> {
        let all = scenario.expect.fired.iter().flatten().chain(&scenario.expect.reach);
        all.map(|expected| (&*expected.name, expected.rate)).collect()
    }

    fn millionths(of: u32) -> Option<Rate> {
        Some(Rate { of, runs: WHOLE })
    }

    #[test]
    fn rates_are_those_of_the_share_that_is_drawn_with() {
        let own = [
            ("crash", Some(Rate::one_in(4))),
            ("loss", None),
            ("two-leaders", Some(Rate::one_in(1_000))),
        ];
        for same in [&[("swarm.share", "20%")][..], &[("cluster.nodes", "5")]] {
            assert_eq!(rates(&read(same)), own);
        }
        // Half of the share: an eighth.
        assert_eq!(
            rates(&read(&[("swarm.share", "10%")])),
            [
                ("crash", millionths(31_250)),
                ("loss", millionths(17_857)),
                ("two-leaders", millionths(125))
            ]
        );
        // As much as half of the share to be off.
        assert_eq!(
            rates(&read(&[("swarm.share", "60%")])),
            [
                ("crash", millionths(31_250)),
                ("loss", millionths(17_857)),
                ("two-leaders", millionths(125))
            ]
        );
        assert_eq!(rates(&read(&[("swarm.share", "100%")])), []);
        assert_eq!(rates(&read(&[("swarm.share", "1ppm")])), []);
    }

    #[test]
    fn of_other_classes_nothing_is_expected_but_what_the_same_overrides_name() {
        let crash = ("swarm.classes", "[\"crash\"]");
        assert_eq!(rates(&read(&[crash])), []);
        let named = ("expect.fired", "[{ name = \"crash\", rate = \"1/9\" }]");
        assert_eq!(rates(&read(&[crash, named])), [("crash", Some(Rate::one_in(9)))]);
        assert_eq!(
            rates(&read(&[("swarm.share", "10%"), named]))[0],
            ("crash", Some(Rate::one_in(9)))
        );
    }
}
