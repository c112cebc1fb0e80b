//! Every workload runs on the replicated state machine, and what its clients see is judged by the specification of its model:
//! a correct service passes, and a broken one is found by what the clients saw alone.

#[cfg(feature = "bugs")]
use checker::history::History;
#[cfg(feature = "bugs")]
use checker::linearizability::{Options, check_history};
use squall::run::{RunOptions, run};
use squall::scenario::{self, Model, Scenario};
/// A built-in scenario of a model, in which only what clients see is judged.
fn scenario(model: Model) -> Scenario {
    let name = match model {
        Model::Kv => "leader-isolation",
        Model::Register => "calm",
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
    let text = raft_kv::find(name).unwrap_or_else(|error| panic!("{error}")).text;
    let properties = ("expect.properties".to_owned(), r#"["linearizable"]"#.to_owned());
    let of_model = ("workload.model".to_owned(), model.name().to_owned());
    let scenario = scenario::parse(name, text, &[properties, of_model], &raft_kv::known());
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

/// `history` as it was known before `time`.
#[cfg(feature = "bugs")]
fn before(history: &History, time: u64) -> History {
    let mut known = History::new();
    for operation in history.operations().filter(|operation| operation.call < time) {
        let op = operation.op.map(|atom| history.value(atom));
        let id = known.invoke(operation.client, operation.call, op);
        if let Some((returned, output)) = operation.returned.zip(operation.output)
            && returned < time
        {
            known.complete(id, returned, output.map(|atom| history.value(atom)));
        }
    }
    known
}

#[test]
#[cfg(feature = "bugs")]
fn a_run_stops_at_the_first_answer_that_nothing_explains_and_not_before() {
    for (model, bug) in [(Model::Kv, "L2"), (Model::Queue, "X1"), (Model::Set, "L12")] {
        let scenario = scenario(model);
        let options = RunOptions {
            bug: Some(raft_kv::bug(bug).expect("a bug of the catalogue")),
            ..RunOptions::default()
        };
        let (seed, stopped) = (0..20)
            .map(|seed| (seed, run(&scenario, seed, options)))
            .find(|(_, report)| report.failure.is_some())
            .expect("clients notice the bug");
        let failure = stopped.failure.expect("it failed");
        assert_eq!(failure.signature, format!("linearizable/{}", model.name()));
        assert!(failure.event.is_some(), "the run says where it stopped");
        let time = failure.time.expect("it has a time");
        let is_linearizable = |history: &History| {
            let report = check_history(history, model.name(), &Options::default()).expect("the operations fit");
            report.is_linearizable()
        };
        assert!(!is_linearizable(&stopped.history));
        assert!(
            is_linearizable(&before(&stopped.history, time)),
            "seed {seed} of {model:?}"
        );

        let mut at_the_end = scenario.clone();
        at_the_end.expect.online = false;
        let whole = run(&at_the_end, seed, options);
        let later = whole.failure.expect("it fails as well");
        assert_eq!(later.signature, failure.signature);
        assert!(
            later.event.is_some(),
            "the answer that has no place is known at the end, too"
        );
        assert!(whole.events > stopped.events);
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
            bug: Some(raft_kv::bug(bug).expect("a bug of the catalogue")),
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
