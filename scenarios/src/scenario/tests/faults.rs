//! Faults of links, the kinds that keep messages waiting, and those in the life of a process: read with their settings, bounded,
//! written back.

use super::super::{Codec, FaultKind, Flip, Identity, Shape, Side, Target, Thaw};
use super::{overridden, read};

const HEAD: &str = "schema = \"squall-scenario/1\"\nname = \"mine\"\n";

#[test]
fn links_are_plain_unless_the_file_says_otherwise() {
    let links = read(HEAD).network.links;
    assert_eq!((links.shape, links.bandwidth), (Shape::Uniform, None));
    assert_eq!((links.slow_ppm, links.huge_ppm, links.corrupt_ppm), (0, 0, 0));
    let text = "[network]\nshape = \"mixed\"\nslow_links = \"20%\"\nhuge = \"0.1%\"\nbandwidth = \"64KiB\"\ncorrupt = \"1%\"\n";
    let links = read(&format!("{HEAD}{text}")).network.links;
    assert_eq!((links.shape, links.bandwidth), (Shape::Mixed, Some(64 << 10)));
    assert_eq!(
        (links.slow_ppm, links.huge_ppm, links.corrupt_ppm),
        (200_000, 1_000, 10_000)
    );
}

#[test]
fn waiting_faults_are_read_with_their_settings() {
    let fault = |keys: &str| read(&format!("{HEAD}[[fault]]\nevery = \"1s\"\n{keys}")).faults[0].kind;
    let clog = fault("kind = \"clog\"\nfor = \"1s\"\nside = \"in\"\ntarget = \"leader\"");
    assert!(matches!(
        clog,
        FaultKind::Clog {
            side: Side::In,
            target: Target::Leader,
            clients: false,
            ..
        }
    ));
    assert!(matches!(
        fault("kind = \"clog-link\"\nfor = \"1s\""),
        FaultKind::ClogLink { .. }
    ));
    assert!(matches!(
        fault("kind = \"swizzle-clog\"\nfor = \"1s\""),
        FaultKind::SwizzleClog { .. }
    ));
    let hold = fault("kind = \"hold\"\nfor = \"1s\"\nmessage = \"vote-reply\"\nskip = 2\nreversed = true");
    assert!(matches!(
        hold,
        FaultKind::Hold {
            message: Some("vote-reply"),
            skip: 2,
            count: 1,
            reversed: true,
            side: Side::Out,
            ..
        }
    ));
    assert_eq!(fault("kind = \"replay-old\""), FaultKind::ReplayOld { messages: 5 });
}

#[test]
fn faults_in_the_life_of_a_process_are_read_with_their_defaults_and_settings() {
    // Upgrades may flip everything here, with members that come and go: that it recovers is not expected.
    let operator = "[operator]\nmix = { transfer = 1, replace = 1 }\n[expect]\nverdict = \"liveness-violation\"\n";
    let head = format!("{HEAD}[cluster]\nspares = 1\n{operator}[[fault]]\nevery = \"1s\"\nfor = \"1s\"\n");
    let fault = |keys: &str| read(&format!("{head}{keys}")).faults[0].kind;
    assert!(matches!(
        fault("kind = \"crash-at-disk\""),
        FaultKind::CrashAtDisk {
            target: Target::Any,
            within: 20,
            middle_ppm: 500_000,
            ..
        }
    ));
    let FaultKind::CrashLoop { up, times: 7, .. } = fault("kind = \"crash-loop\"\ntimes = 7") else {
        panic!()
    };
    assert_eq!((up.min_ns, up.max_ns), (0, 100_000_000));
    let identity = |keys: &str| match fault(keys) {
        FaultKind::Wipe { identity, .. } => identity,
        _ => panic!(),
    };
    assert_eq!(identity("kind = \"wipe\""), Identity::New);
    assert_eq!(identity("kind = \"wipe\"\nidentity = \"old\""), Identity::Old);
    let flips = |keys: &str| match fault(&format!("kind = \"upgrade\"\n{keys}")) {
        FaultKind::Upgrade { flips, .. } => flips,
        _ => panic!(),
    };
    let all = [
        Flip::PreVote,
        Flip::CheckQuorum,
        Flip::Batches,
        Flip::Window,
        Flip::Compression,
    ];
    assert!(all.iter().all(|flip| flips("").has(*flip)));
    assert_eq!(
        flips("flips = [\"window\", \"batches\"]").names(),
        ["batches", "window"]
    );
    let FaultKind::ClockFreeze { then, .. } = fault("kind = \"clock-freeze\"\nthen = \"on\"") else {
        panic!()
    };
    assert_eq!(then, Thaw::On);
    let cluster = read(&format!(
        "{HEAD}[cluster]\napply = \"5ms\"\ncodec = [\"plain\", \"lz4\"]\n"
    ))
    .cluster;
    assert_eq!(cluster.apply.max_ns, 5_000_000);
    assert_eq!(cluster.codec.options(), [Codec::Plain, Codec::Lz4]);
    let plain = read(HEAD).cluster;
    assert_eq!((plain.apply.max_ns, plain.codec.options()), (0, &[Codec::Off][..]));
}

#[test]
fn faults_that_contradict_the_rest_are_refused_with_a_remedy() {
    let refused = |text: &str| {
        let parsed = crate::scenario::parse("mine", &format!("{HEAD}{text}"), &[], &crate::raft_kv::known());
        parsed.unwrap_err().to_string()
    };
    let wipe = "[[fault]]\nkind = \"wipe\"\nfor = \"1s\"\n";
    let error = refused(&format!("[operator]\n{wipe}every = \"1s\"\n"));
    assert!(error.contains("write spares = 1 or more"), "{error}");
    let error = refused(&format!("[cluster]\nspares = 1\n{wipe}every = \"1s\"\n"));
    assert!(error.contains("add an [operator] section"), "{error}");
    let error = refused(&format!(
        "[cluster]\nspares = 1\n[operator]\n{wipe}when = \"leader-elected\"\n"
    ));
    assert!(error.contains("identity = \"old\""), "{error}");
    let upgrade = "[[fault]]\nkind = \"upgrade\"\nfor = \"1s\"\nevery = \"1s\"\n";
    let error = refused(&format!("[cluster]\nlease = \"1%\"\n{upgrade}"));
    assert!(error.contains("list other settings in `flips`"), "{error}");
    let error = refused(&format!("{upgrade}flips = [\"pre-votes\"]\n"));
    assert!(error.contains("pre-vote"), "{error}");
    let error = refused(&format!("{upgrade}flips = []\n"));
    assert!(error.contains("empty list"), "{error}");
    let error = refused("[cluster]\ncodec = \"zip\"\n");
    assert!(error.contains("lz4"), "{error}");
}

#[test]
fn what_was_read_is_written_back() {
    let lives = "[cluster]\nspares = 1\napply = \"1ms..9ms\"\ncodec = [\"off\", \"lz4\"]\n[operator]\n\
        [[fault]]\nkind = \"crash-at-disk\"\nevery = \"1s\"\nfor = \"1s\"\nwithin = 3\nmiddle = \"10%\"\n\
        [[fault]]\nkind = \"crash-loop\"\nevery = \"1s\"\nfor = \"1s\"\nup = \"5ms\"\n\
        [[fault]]\nkind = \"wipe\"\nevery = \"1s\"\nfor = \"1s\"\nidentity = \"old\"\n\
        [[fault]]\nkind = \"upgrade\"\nevery = \"1s\"\nfor = \"1s\"\nflips = [\"window\"]\n\
        [[fault]]\nkind = \"clock-freeze\"\nat = \"1s\"\nfor = \"1s\"\nthen = \"leap\"\n\
        [recovery]\nelect = 7\nconverge = 8\nserve = 9\ndurable = 10\n";
    let scenario = read(&format!("{HEAD}{lives}"));
    assert_eq!(read(&scenario.to_toml()), scenario);
    let text = "[network]\nshape = \"bimodal\"\nbandwidth = \"64KiB\"\nqueue = 7\n\
        [[fault]]\nkind = \"clog\"\nevery = \"1s\"\nfor = \"1s\"\n\
        [[fault]]\nkind = \"clog-link\"\nevery = \"1s\"\nfor = \"1s\"\n\
        [[fault]]\nkind = \"swizzle-clog\"\nevery = \"1s\"\nfor = \"1s\"\ngap = \"5ms\"\n\
        [[fault]]\nkind = \"hold\"\nevery = \"1s\"\nfor = \"1s\"\nmessage = \"heartbeat\"\n\
        [[fault]]\nkind = \"hold\"\nat = \"1s\"\nfor = \"1s\"\nreversed = true\n\
        [[fault]]\nkind = \"replay-old\"\nevery = \"1s\"\nmessages = 9\n";
    let scenario = read(&format!("{HEAD}{text}"));
    assert_eq!(read(&scenario.to_toml()), scenario);
}

#[test]
fn a_message_of_no_kind_is_refused_with_the_nearest() {
    let text = format!("{HEAD}[[fault]]\nkind = \"hold\"\nevery = \"1s\"\nfor = \"1s\"\nmessage = \"vote-repli\"\n");
    let error = overridden(&text, &[]).unwrap_err().to_string();
    assert!(error.contains("`fault.0.message` cannot be \"vote-repli\""), "{error}");
    assert!(error.contains("did you mean `vote-reply`?"), "{error}");
}
