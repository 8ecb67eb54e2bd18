//! Traces recorded from a real, widely used runtime, with their known verdicts.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use antiphon_spec::Guarantee;
use antiphon_spec::check::{Judgement, Report, judge};
use antiphon_spec::trace::Reader;

fn report(name: &str) -> Report {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/traces/field").join(name);
    let file = BufReader::new(File::open(path).expect("the trace is a part of this package"));
    Reader::new(file).and_then(judge).expect("the trace is well formed")
}

#[test]
fn a_correct_run_conforms() {
    let report = report("udp-echo.jsonl");
    assert_eq!(report.violated().next(), None, "{:?}", report.findings);
    assert_eq!(report.events, 32_012);
    assert_eq!(report.accepted, 32_013);
    for held in [
        Guarantee::HandlerExclusion,
        Guarantee::NoLoss,
        Guarantee::NoDuplication,
        Guarantee::RightRecipient,
        Guarantee::SenderOrder,
        Guarantee::WakeUp,
        Guarantee::TerminateOnce,
        Guarantee::ReaderLifetime,
        Guarantee::Ownership,
        Guarantee::UniqueIdentity,
    ] {
        assert_eq!(report.of(held).judgement, Judgement::Held, "{held}");
    }
    for vacuous in [Guarantee::ClosedIsClosed, Guarantee::MonitorOnce, Guarantee::CallOutcome] {
        assert_eq!(report.of(vacuous).judgement, Judgement::Vacuous, "{vacuous}");
    }
    // It records no interrupts: whether the Reader was asked to end is not said.
    for unsaid in [Guarantee::Interruption, Guarantee::RaceFreedom, Guarantee::Capacity] {
        assert_eq!(report.of(unsaid).judgement, Judgement::NotJudged, "{unsaid}");
    }
}

#[test]
fn terminate_by_the_reader_overlaps_the_handler() {
    let report = report("terminate-overlaps-handler.jsonl");
    assert_eq!(report.violated().collect::<Vec<_>>(), [Guarantee::HandlerExclusion]);
    let [finding] = &report.findings[..] else { panic!("{:?}", report.findings) };
    assert_eq!(finding.line, Some(33));
    assert_eq!(finding.evidence, [31, 33]);
    assert_eq!(report.accepted, 32);
}

#[test]
fn a_send_that_races_the_readers_return_is_lost() {
    let report = report("lost-message.jsonl");
    assert_eq!(report.violated().collect::<Vec<_>>(), [Guarantee::NoLoss]);
    let [finding] = &report.findings[..] else { panic!("{:?}", report.findings) };
    assert_eq!(finding.line, None, "that it was lost is known when everything has come to rest");
    assert_eq!(finding.evidence, [9, 11, 13]);
    assert_eq!(report.accepted, 15);
}
