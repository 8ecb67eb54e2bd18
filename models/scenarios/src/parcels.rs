//! The memory in which messages travel: blocks that several threads give back together.

use antiphon::parcel;
use antiphon_harness::reached;
use platform::cell::Witness;
use platform::sync::{Arc, Mutex};
use platform::thread::JoinHandle;

use crate::parts::start;

/// In a block, also where the messages of a model are not.
type Parcel = parcel::Parcel<Goods, true>;

/// What travels.
struct Goods {
    number: u64,
    contents: Witness,
}

impl Drop for Goods {
    fn drop(&mut self) {
        self.contents.read();
    }
}

fn pack(number: u64) -> Parcel {
    const { assert!(Parcel::IS_SMALL, "it would have an allocation of its own") };
    let goods = Goods { number, contents: Witness::new() };
    goods.contents.write();
    Parcel::new(goods)
}

fn open(parcel: Parcel, number: u64) {
    assert_eq!(parcel.number, number, "no-duplication: nobody else has this slot");
    match number % 2 {
        0 => drop(parcel),
        _ => drop(parcel.into_inner()),
    }
}

/// A thread makes one parcel for itself and one for each of `others` threads, and ends: whoever comes last frees the
/// block, the thread's own end among them.
pub(crate) fn opened_by(others: u64) {
    let openers = Arc::new(Mutex::new(Vec::<JoinHandle>::new()));
    let maker = start({
        let openers = Arc::clone(&openers);
        move || {
            let own = pack(0);
            let mut started = Vec::new();
            for number in 1..=others {
                let parcel = pack(number);
                started.push(start(move || {
                    open(parcel, number);
                    reached("opened elsewhere");
                }));
            }
            openers.lock().append(&mut started);
            open(own, 0);
            reached("opened at home");
        }
    });
    maker.join();
    let started = std::mem::take(&mut *openers.lock());
    started.into_iter().for_each(JoinHandle::join);
}
