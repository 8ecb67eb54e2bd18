//! What the types promise holds on this platform too.

use antiphon_loom::Address;

/// A message with an address of its own type, as in any protocol with an answer. That it may be sent is for the
/// compiler to find out, and it must not go round in a circle over it.
#[test]
fn a_message_may_contain_an_address_of_its_own_type() {
    #[expect(dead_code, reason = "only its type matters")]
    enum Message {
        Answer(Address<Message>),
        Within(Envelope),
    }
    #[expect(dead_code, reason = "only its type matters")]
    struct Envelope(Address<Message>);
    fn sent<M: Send + 'static>() {}
    sent::<Message>();
    sent::<Envelope>();
}
