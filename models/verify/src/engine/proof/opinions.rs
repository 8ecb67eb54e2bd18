//! Two opinions of one trace, and whether they agree.

use std::collections::BTreeSet;

use antiphon_spec::Guarantee;
use antiphon_spec::check::{Outcome, Verdict};
use serde::Deserialize;

/// The guarantees that the executable model judges.
pub(crate) const JUDGED: &[Guarantee] = &[
    Guarantee::HandlerExclusion,
    Guarantee::NoLoss,
    Guarantee::NoDuplication,
    Guarantee::RightRecipient,
    Guarantee::SenderOrder,
    Guarantee::ClosedIsClosed,
    Guarantee::WakeUp,
    Guarantee::TerminateOnce,
    Guarantee::ReaderLifetime,
    Guarantee::Ownership,
    Guarantee::Interruption,
    Guarantee::PanicContainment,
    Guarantee::UniqueIdentity,
];

/// What the extracted judge says of a trace: one line of its output.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Opinion {
    pub(super) file: String,
    verdict: Word,
    guarantee: Option<String>,
    why: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Accepted,
    Rejected,
    Outside,
    Malformed,
}

/// What the two say together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Together {
    /// Both accept it.
    Accepted,
    /// Both find it to break the same guarantee.
    Rejected,
    /// The specification finds only what the model says nothing of: a guarantee that it does not judge, or events that it
    /// reads past and that contradict themselves.
    Beside,
    /// Both find that it makes no sense.
    Malformed,
    /// The trace does what the model never does and no guarantee forbids; this is it.
    Outside(String),
    /// Both find it broken, and each names another guarantee.
    Named(String),
    /// They can't both be right.
    Apart(String),
}

/// Compares what the specification machine and the extracted judge say of one trace.
pub(super) fn compare(machine: &Outcome, model: &Opinion) -> Together {
    let violated: BTreeSet<&str> = machine.violations.iter().map(|found| found.guarantee.id()).collect();
    let judged = JUDGED.iter().any(|guarantee| violated.contains(guarantee.id()));
    let named = model.guarantee.as_deref().unwrap_or_default();
    match (model.verdict, machine.verdict) {
        (Word::Outside, _) => Together::Outside(model.why.clone().unwrap_or_default()),
        (Word::Malformed, Verdict::Malformed) => Together::Malformed,
        (Word::Rejected, Verdict::Violates) if violated.contains(named) => Together::Rejected,
        // Of an id that names two actors, either may find something else first.
        (Word::Rejected, Verdict::Violates) if violated.contains(Guarantee::UniqueIdentity.id()) => {
            Together::Rejected
        }
        (Word::Accepted, Verdict::Violates) if !judged => Together::Beside,
        // What it reads past, such as what supervisors say, may contradict itself.
        (Word::Accepted | Word::Rejected, Verdict::Malformed) => Together::Beside,
        (Word::Accepted, Verdict::Conforms | Verdict::NothingJudged) => Together::Accepted,
        (word, verdict) => {
            let both = format!("{}; {}", said_by(machine, &violated), model.said());
            match (word, verdict) {
                (Word::Rejected, Verdict::Violates) => Together::Named(both),
                _ => Together::Apart(both),
            }
        }
    }
}

fn said_by(machine: &Outcome, violated: &BTreeSet<&str>) -> String {
    let said = match machine.verdict {
        Verdict::Malformed => machine.error.as_ref().map_or_else(String::new, |error| error.message.clone()),
        _ => violated.iter().copied().collect::<Vec<_>>().join(", "),
    };
    format!("the specification machine says {:?} ({said})", machine.verdict).to_lowercase()
}

impl Opinion {
    fn said(&self) -> String {
        let details: Vec<&str> =
            [&self.guarantee, &self.why].into_iter().flatten().map(String::as_str).collect();
        format!("the model says {:?} ({})", self.verdict, details.join(": ")).to_lowercase()
    }
}

#[cfg(test)]
mod tests {
    use antiphon_spec::check::Outcome;

    use super::{Opinion, Together, compare};

    const HEADER: &str = r#"{"format":"antiphon-trace","version":1,"runtime":"hand-made","complete":true}"#;

    fn together(events: &[&str], model: &str) -> Together {
        let lines = events.iter().enumerate().map(|(at, event)| format!(r#"{{"seq":{},{event}}}"#, at + 1));
        let text: Vec<String> = std::iter::once(HEADER.to_string()).chain(lines).collect();
        let model: Opinion = serde_json::from_str(model).expect("what the judge prints");
        compare(&Outcome::of("trace", text.join("\n").as_bytes()), &model)
    }

    const BORN: [&str; 2] =
        [r#""ev":"init_begin","actor":1,"kind":"process""#, r#""ev":"init_end","actor":1,"ok":true"#];

    #[test]
    fn they_agree_or_are_apart() {
        let accepted = r#"{"file":"f","verdict":"accepted","not_modelled":0}"#;
        assert_eq!(together(&BORN, accepted), Together::Accepted);
        let rejected =
            r#"{"file":"f","verdict":"rejected","line":4,"guarantee":"unique-identity","why":"w"}"#;
        assert!(matches!(together(&BORN, rejected), Together::Apart(why) if why.contains("unique-identity")));
        let twice = [BORN[0], BORN[1], BORN[0]];
        assert_eq!(together(&twice, rejected), Together::Rejected);
        assert!(matches!(together(&twice, accepted), Together::Apart(_)));
        let another = rejected.replace("unique-identity", "no-loss");
        assert_eq!(together(&twice, &another), Together::Rejected, "an id of two actors");
        let handled = r#""ev":"handle_begin","actor":1,"msg":1"#;
        let over = r#""ev":"handle_end","actor":1,"msg":1,"ok":true"#;
        let sent = r#""ev":"send_begin","msg":1,"thread":"t","to":1"#;
        let again = [BORN[0], BORN[1], sent, handled, over, handled];
        assert!(matches!(together(&again, &another), Together::Named(_)), "another name is another opinion");
    }

    #[test]
    fn what_the_model_does_not_judge_is_said() {
        let accepted = r#"{"file":"f","verdict":"accepted","not_modelled":3}"#;
        let call = r#""ev":"call_begin","call":1,"thread":"t","to":1"#;
        let end = r#""ev":"call_end","call":1,"outcome":"timeout""#;
        assert_eq!(together(&[BORN[0], BORN[1], call, end, end], accepted), Together::Beside);
        let outside = r#"{"file":"f","verdict":"outside","line":2,"why":"a second interrupt"}"#;
        assert_eq!(together(&BORN, outside), Together::Outside("a second interrupt".into()));
        let malformed = r#"{"file":"f","verdict":"malformed","line":2,"why":"w"}"#;
        assert_eq!(together(&[r#""ev":"what""#], malformed), Together::Malformed);
        assert!(matches!(together(&BORN, malformed), Together::Apart(_)));
    }
}
