//! What the Rust type system proves about actors: rules that are no rules to remember, because a program
//! that breaks one is not a program.
//!
//! Each file of `compile_fail/` breaks one rule, which its first line states; the compiler's message is
//! beside it. The list, in words, is the chapter "What the compiler holds" of the book. This library is
//! empty: the package exists so that the tests depend on the runtime and on nothing else.
#![forbid(unsafe_code)]
