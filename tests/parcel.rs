//! What the parcels of this platform promise beside what all platforms do: memory and values, each freed once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use antiphon::parcel;

/// A parcel that lies in a block, if it is small.
type Parcel<T> = parcel::Parcel<T, true>;

/// Counts how often it is dropped, in a value of `WORDS` words more.
#[derive(Debug)]
struct Counted<const WORDS: usize>(Arc<AtomicUsize>, [u64; WORDS]);

impl<const WORDS: usize> Drop for Counted<WORDS> {
    fn drop(&mut self) {
        // Relaxed: a count, read when all threads are joined.
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn parcels<const WORDS: usize>(count: usize, drops: &Arc<AtomicUsize>) -> Vec<Parcel<Counted<WORDS>>> {
    (0..count).map(|index| Parcel::new(Counted(Arc::clone(drops), [index as u64; WORDS]))).collect()
}

/// Makes parcels of one size on a thread that ends at once, and opens them on others.
fn travel<const WORDS: usize>() {
    // Fewer than a block has, exactly some blocks, and some blocks and a part of one.
    for count in [1, 3, 31, 62, 1000] {
        let drops = Arc::new(AtomicUsize::new(0));
        let made = {
            let drops = Arc::clone(&drops);
            thread::spawn(move || parcels::<WORDS>(count, &drops)).join().expect("it makes parcels")
        };
        for (index, parcel) in made.iter().enumerate() {
            assert_eq!(parcel.1, [index as u64; WORDS], "nobody else writes to a parcel");
        }
        let mut halves = [Vec::new(), Vec::new()];
        for (index, parcel) in made.into_iter().enumerate() {
            halves[index % 2].push(parcel);
        }
        thread::scope(|scope| {
            for half in halves {
                scope.spawn(move || half.into_iter().rev().for_each(drop));
            }
        });
        // Relaxed: all threads are joined.
        assert_eq!(drops.load(Ordering::Relaxed), count);
    }
}

#[test]
fn parcels_of_every_size_travel() {
    travel::<0>();
    travel::<1>();
    travel::<7>();
    travel::<14>();
    // Beyond what a block holds.
    travel::<15>();
    travel::<200>();
}

#[test]
fn what_is_taken_out_is_not_dropped() {
    let drops = Arc::new(AtomicUsize::new(0));
    let kept: Vec<Counted<2>> = parcels(100, &drops).into_iter().map(Parcel::into_inner).collect();
    // Relaxed: one thread.
    assert_eq!(drops.load(Ordering::Relaxed), 0);
    assert!(kept.iter().enumerate().all(|(index, value)| value.1 == [index as u64; 2]));
    drop(kept);
    // Relaxed: one thread.
    assert_eq!(drops.load(Ordering::Relaxed), 100);
}

#[test]
fn alignment_is_kept() {
    #[derive(Debug, PartialEq)]
    #[repr(align(64))]
    struct Line(u8);
    let lines: Vec<_> = (0..40).map(|number| Parcel::new(Line(number))).collect();
    for (number, line) in lines.iter().enumerate() {
        assert_eq!(**line, Line(number as u8));
        assert_eq!(std::ptr::from_ref(&**line).addr() % 64, 0);
    }
    let words: Vec<_> = (0..40_u64).map(Parcel::new).collect();
    assert!(words.iter().all(|word| std::ptr::from_ref(&**word).is_aligned()));
}

#[test]
fn a_value_without_size_is_a_parcel_too() {
    let drops = parcels::<0>(1, &Arc::default());
    drop(drops);
    Parcel::new(()).into_inner();
}

#[test]
fn a_panic_in_a_destructor_frees_the_memory_all_the_same() {
    struct Panics(#[allow(dead_code, reason = "it gives the value a size")] u64);
    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }
    // More than a block has: its last slot frees it. Whether anything leaks is for a leak checker to say.
    for _ in 0..100 {
        let parcel = Parcel::new(Panics(1));
        let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(parcel)));
        assert!(dropped.is_err());
    }
    assert_eq!(*Parcel::new(7_u64), 7);
}

#[test]
fn a_thread_past_its_thread_local_variables_makes_parcels() {
    struct Late;
    impl Drop for Late {
        fn drop(&mut self) {
            let parcels: Vec<_> = (0..3_u64).map(Parcel::new).collect();
            assert!(parcels.iter().zip(0..).all(|(parcel, number)| **parcel == number));
        }
    }
    std::thread_local! {
        static LATE: Late = const { Late };
    }
    thread::spawn(|| {
        // Registered first, so dropped last.
        LATE.with(|_| ());
        drop(Parcel::new(1_u64));
    })
    .join()
    .expect("it does not panic");
}
