//! Actions as text, and which of them fit a world.

use super::*;
use crate::id::ClientId;
use crate::random::Ratio;

fn samples() -> Vec<FaultAction> {
    let (id, target) = (CutId(3), Target::Random);
    let network = NetworkConfig {
        loss: Ratio::from_percent(2),
        ..NetworkConfig::default()
    };
    vec![
        FaultAction::Cut {
            id,
            from: vec![NodeId(0).into()],
            to: vec![ClientId(1).into()],
            one_way: true,
        },
        FaultAction::Mend { id },
        FaultAction::Isolate {
            id,
            target: Target::Primary,
            one_way: OneWay::In,
            with_clients: true,
            keeps: 1,
        },
        FaultAction::Crash {
            target,
            restart_after: Some(Duration(5)),
        },
        FaultAction::Restart { node: NodeId(1) },
        FaultAction::Pause {
            target: Target::RandomBackup,
            resume_after: None,
        },
        FaultAction::Resume { node: NodeId(1) },
        FaultAction::ClockStep {
            target: Target::Node(NodeId(2)),
            by: -5,
        },
        FaultAction::ClockDrift { target, ppm: -100 },
        FaultAction::Network { config: network },
        FaultAction::Hold {
            id,
            from: vec![NodeId(0).into()],
            to: vec![NodeId(1).into()],
            one_way: true,
            chosen: Held::default(),
        },
        FaultAction::HoldAround {
            id,
            target,
            one_way: OneWay::Out,
            with_clients: false,
            chosen: Held {
                kind: Some("vote".to_owned()),
                skip: 1,
                count: Some(2),
                reversed: true,
            },
        },
        FaultAction::Release { id },
        FaultAction::Replay { count: 3 },
        FaultAction::Disk {
            target,
            fault: DiskFault::Stall { lasts: Duration(5) },
        },
        FaultAction::Disk {
            target,
            fault: DiskFault::Rot,
        },
        FaultAction::CrashAtDisk {
            target,
            skip: 3,
            part: 500_000,
            restart_after: Some(Duration(5)),
        },
        FaultAction::CrashLoop {
            target,
            times: 3,
            up: Duration(1),
            down: Duration(2),
        },
        FaultAction::Wipe {
            target,
            after: Duration(3),
            retires: true,
        },
        FaultAction::Upgrade {
            target,
            version: 1,
            restart_after: Duration(9),
        },
        FaultAction::ClockFreeze {
            target,
            lasts: Some(Duration(7)),
            leap: true,
        },
        FaultAction::Heal,
    ]
}

#[test]
fn actions_round_trip_through_json() {
    for action in samples() {
        let fault = PlannedFault { at: Time(7), action };
        let json = serde_json::to_string(&fault).unwrap();
        assert!(
            json.contains(&format!("\"kind\":\"{}\"", fault.action.kind())),
            "{json}"
        );
        assert_eq!(serde_json::from_str::<PlannedFault>(&json).unwrap(), fault, "{json}");
    }
}

#[test]
fn unknown_keys_kinds_and_targets_are_refused() {
    for json in [
        r#"{"kind":"crash","target":"random","after":5}"#,
        r#"{"kind":"earthquake"}"#,
        r#"{"kind":"crash","target":"c0"}"#,
        r#"{"kind":"cut","id":1,"from":["n0"],"to":["x"]}"#,
    ] {
        assert!(serde_json::from_str::<FaultAction>(json).is_err(), "{json}");
    }
}

#[test]
fn actions_that_do_not_fit_the_world_are_refused() {
    assert!(samples().iter().all(|action| action.check(3, 2).is_ok()));
    assert!(
        samples()[0]
            .check(3, 1)
            .unwrap_err()
            .to_string()
            .starts_with("the fault names c1, but there are 3 nodes")
    );
    assert!(samples()[4].check(1, 2).is_err());
    assert!(samples()[7].check(2, 2).is_err());
    assert!(
        FaultAction::ClockDrift {
            target: Target::Random,
            ppm: i32::MIN
        }
        .check(3, 2)
        .is_err()
    );
}
