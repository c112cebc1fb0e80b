//! Faults of links, and the kinds that keep messages waiting: read with their settings, bounded, written back.

use super::super::{FaultKind, Shape, Side, Target};
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
fn what_was_read_is_written_back() {
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
