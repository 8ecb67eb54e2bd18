//! Any sequence of operations does what a plain model says.

use antiphon_operations::{inbox, mailbox, timer};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    /// The inbox: `no-loss`, `no-duplication`, `sender-order`, `wake-up`, `closed-is-closed`.
    #[test]
    fn inbox_does_what_its_model_says(operations in prop::collection::vec((any::<u8>(), any::<u8>()), 0..60)) {
        let mut pair = inbox::Pair::default();
        for (what, with) in operations {
            pair.apply(inbox::Operation::decode(what, with));
        }
    }

    /// Mailboxes: the same and `class-order`, `terminate-once`, `panic-containment`, `clean-stop`.
    #[test]
    fn mailboxes_do_what_their_model_says(operations in prop::collection::vec((any::<u8>(), any::<u8>()), 0..80)) {
        let mut pair = mailbox::Pair::default();
        for (what, with) in operations {
            pair.apply(mailbox::Operation::decode(what, with));
        }
        pair.finish();
    }

    /// The schedule of timers: `timer-outcome`.
    #[test]
    fn schedules_do_what_their_model_says(operations in prop::collection::vec((any::<u8>(), any::<u8>()), 0..80)) {
        let mut pair = timer::Pair::default();
        for (what, with) in operations {
            pair.apply(timer::Operation::decode(what, with));
        }
        pair.finish();
    }
}
