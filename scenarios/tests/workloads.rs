//! Every workload runs on the replicated state machine, and what its clients see is judged by the specification of its model:
//! a correct service passes, and a broken one is found by what the clients saw alone.

use scenarios::run::{RunOptions, run};
use scenarios::scenario::{self, Model, Scenario};
#[cfg(feature = "bugs")]
use scenarios::systems::kv::PlantedBug;

/// A built-in scenario of a model, in which only what clients see is judged.
fn scenario(model: Model) -> Scenario {
    let name = match model {
        Model::Kv => "leader-isolation",
        Model::Counter => "counter-retries",
        Model::Set => "set-snapshots",
        Model::Queue => "queue-crashes",
        Model::Stack => "stack-one-way",
        Model::PriorityQueue => "priority-queue-pauses",
        Model::AppendList => "list-divergence",
        Model::EventLog => "event-log-power-loss",
        Model::Transactions => "transactions-partition",
        Model::Bank => "bank-sagas",
        Model::Lock => "lock-fencing",
        Model::Orders => "orders-transitions",
    };
    let text = scenario::find(name).unwrap_or_else(|error| panic!("{error}")).text;
    let properties = ("expect.properties".to_owned(), r#"["linearizable"]"#.to_owned());
    let scenario = scenario::parse(name, text, &[properties], &scenarios::known());
    let scenario = scenario.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(scenario.workload.model, model, "{name}");
    scenario
}

#[test]
fn every_model_has_a_scenario_whose_clients_do_something_and_see_nothing_wrong() {
    for (name, model) in Model::ALL {
        let report = run(&scenario(model), 1, RunOptions::default());
        assert_eq!(report.failure, None, "{name}");
        let answered = report.operations - report.unknown_outcomes;
        assert!(
            answered > 50,
            "{name}: {answered} of {} operations answered",
            report.operations
        );
    }
}

/// Each model with a planted bug that its clients notice: reads that are not of the present, commands that take effect twice or
/// that were never committed.
#[cfg(feature = "bugs")]
const NOTICED: [(Model, &str); 12] = [
    (Model::Kv, "L2"),
    (Model::Counter, "L2"),
    (Model::Set, "L12"),
    (Model::Queue, "X1"),
    (Model::Stack, "X1"),
    (Model::PriorityQueue, "X1"),
    (Model::AppendList, "R9"),
    (Model::EventLog, "L2"),
    (Model::Transactions, "R9"),
    (Model::Bank, "X1"),
    (Model::Lock, "X1"),
    (Model::Orders, "R9"),
];

#[test]
#[cfg(feature = "bugs")]
fn clients_of_every_model_find_out_a_broken_service() {
    for (model, bug) in NOTICED {
        let scenario = scenario(model);
        let options = RunOptions {
            bug: Some(PlantedBug::find(bug).expect("a bug of the catalogue")),
            ..RunOptions::default()
        };
        let signature = format!("linearizable/{}", model.name());
        let is_found = |seed| {
            let failure = run(&scenario, seed, options).failure;
            failure.is_some_and(|failure| failure.signature == signature)
        };
        assert!(
            (0..20).any(is_found),
            "the clients of {} did not notice {bug}",
            model.name()
        );
    }
}
