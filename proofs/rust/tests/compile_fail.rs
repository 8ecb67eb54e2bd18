//! What the type system proves: programs that break a rule of actors must not compile, for the reason that
//! is written beside each.
//!
//! The messages are those of the compiler that the project is built with. When a newer one words them
//! differently, look at each, then write them down with `TRYBUILD=overwrite cargo test -p antiphon-compile-fail`.

#[test]
fn what_breaks_a_rule_does_not_compile() {
    trybuild::TestCases::new().compile_fail("compile_fail/*.rs");
}
