//! Shards cover the whole and nothing twice; what was done is not done again.

mod common;

use std::path::PathBuf;
use std::sync::Arc as Shared;
use std::sync::atomic::{AtomicU64, Ordering};

use antiphon_explorer::{Checkpoint, Explorer, Mode, Program, Shard, ShardError, merge};
use common::*;

fn directory(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("antiphon-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a directory");
    path
}

fn shards(name: &str, mode: Mode, of: usize, body: fn()) -> Vec<Checkpoint> {
    let directory = directory(name);
    let all = (1..=of)
        .map(|index| {
            let file = directory.join(format!("{index}.json"));
            let explorer = Explorer::new().mode(mode).keep_going(true).shard(Shard { index, of });
            let report = explorer.checkpoint(Some(file.clone())).run(&Program::new(body)).expect("a shard");
            assert!(report.complete);
            let read = Checkpoint::read(&file).expect("a checkpoint");
            assert!(read.is_complete());
            read
        })
        .collect();
    std::fs::remove_dir_all(&directory).expect("remove the directory");
    all
}

#[test]
fn however_many_shards_the_total_is_the_same() {
    for (name, classes, body) in [
        ("mutex", 1680, (|| mutex(3, 3)) as fn()),
        ("push", 40, || push(2, 2)),
        ("crossed", 3, crossed_locks),
    ] {
        for of in [1, 2, 3, 8] {
            for mode in [Mode::Source, Mode::Optimal] {
                let merged =
                    merge(&shards(&format!("{name}-{of}"), mode, of, body)).expect("they go together");
                assert_eq!((merged.shards, merged.executions), (of, classes), "{name} in {of}, {mode:?}");
                assert!(merged.cut.is_nothing());
            }
        }
    }
}

#[test]
fn what_does_not_go_together_is_not_joined() {
    let of_three = shards("three", Mode::Optimal, 3, || mutex(3, 2));
    let of_two = shards("two", Mode::Optimal, 2, || mutex(3, 2));
    let other = shards("other", Mode::Optimal, 3, || mutex(2, 3));
    assert!(merge(&of_three).is_ok());
    assert!(matches!(merge(&[]), Err(ShardError::Nothing)));
    assert!(matches!(merge(&of_three[..2]), Err(ShardError::Missing(Shard { index: 3, of: 3 }))));
    let twice = [of_three[0].clone(), of_three[0].clone(), of_three[1].clone()];
    assert!(matches!(merge(&twice), Err(ShardError::Twice(Shard { index: 1, of: 3 }))));
    let mixed = [of_three[0].clone(), of_two[1].clone()];
    assert!(matches!(merge(&mixed), Err(ShardError::Different(_))));
    let foreign = [of_three[0].clone(), of_three[1].clone(), other[2].clone()];
    assert!(matches!(merge(&foreign), Err(ShardError::Different(_))));
}

#[test]
fn what_was_stopped_goes_on_where_it_was() {
    let directory = directory("resume");
    let file = directory.join("checkpoint.json");
    let executed = Shared::new(AtomicU64::new(0));
    let run = |most: Option<u64>| {
        let counter = Shared::clone(&executed);
        let program = Program::new(|| mutex(3, 3)).after(move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
            Ok(())
        });
        let explorer = Explorer::new().workers(1).executions(most).checkpoint(Some(file.clone()));
        explorer.run(&program).expect("a checkpoint")
    };
    let first = run(Some(1_000));
    assert!(!first.complete);
    // What was finished so far is written at the end of the run at the latest.
    let unfinished = Checkpoint::read(&file).expect("a checkpoint");
    assert!(!unfinished.is_complete());
    assert!(matches!(merge(&[unfinished]), Err(ShardError::Unfinished(..))));
    let before = executed.load(Ordering::Relaxed);
    let second = run(None);
    assert!(second.complete);
    assert_eq!(second.executions, 1680);
    assert!(executed.load(Ordering::Relaxed) - before < 1680, "what was done was not done again");

    let another = Explorer::new().checkpoint(Some(file.clone())).run(&Program::new(|| mutex(4, 2)));
    assert!(matches!(another, Err(ShardError::Different(_))), "a checkpoint is of one program");
    std::fs::write(&file, "not a checkpoint").expect("write");
    let broken = Explorer::new().checkpoint(Some(file)).run(&Program::new(|| mutex(3, 3)));
    assert!(matches!(broken, Err(ShardError::Malformed(..))));
    std::fs::remove_dir_all(&directory).expect("remove the directory");
}

#[test]
fn a_checkpoint_of_another_build_is_refused() {
    let directory = directory("build");
    let file = directory.join("checkpoint.json");
    let run = |build: &str| {
        let explorer = Explorer::new().build(build).checkpoint(Some(file.clone()));
        explorer.run(&Program::new(|| mutex(3, 2)))
    };
    assert!(run("one").is_ok_and(|report| report.complete));
    assert!(run("one").is_ok_and(|report| report.complete));
    assert!(matches!(run("another"), Err(ShardError::Different(what)) if what.contains("build")));
    std::fs::remove_dir_all(&directory).expect("remove the directory");
}

#[test]
fn a_checkpoint_within_other_bounds_is_refused() {
    let directory = directory("bounds");
    let file = directory.join("checkpoint.json");
    let run = |depth: usize, preemptions: Option<usize>| {
        let explorer = Explorer::new().depth(depth).preemption_bound(preemptions);
        explorer.checkpoint(Some(file.clone())).run(&Program::new(|| mutex(3, 2)))
    };
    assert!(run(100, Some(2)).is_ok_and(|report| !report.cut.is_nothing()));
    assert!(run(100, Some(2)).is_ok_and(|report| !report.cut.is_nothing()));
    for (depth, preemptions, differs) in
        [(101, Some(2), "depth"), (100, Some(3), "preemptions"), (100, None, "preemptions")]
    {
        let refused = run(depth, preemptions);
        assert!(matches!(refused, Err(ShardError::Different(what)) if what.contains(differs)));
    }
    std::fs::remove_dir_all(&directory).expect("remove the directory");
}

/// The classes of the program that takes long: 12! / (3! 3! 3! 3!).
const LONG: u64 = 369_600;

fn long(file: PathBuf) -> Explorer {
    Explorer::new().keep_going(true).checkpoint(Some(file))
}

/// Not a test of its own: what [`a_run_that_is_killed_goes_on_where_it_was`] starts and kills.
#[test]
fn explores_until_it_is_killed() {
    if let Some(file) = std::env::var_os("EXPLORER_CHECKPOINT") {
        // Held up, so that it is far from its end when it is killed, however fast the machine is.
        let program = Program::new(|| mutex(4, 3)).after(|_| {
            std::thread::sleep(std::time::Duration::from_micros(20));
            Ok(())
        });
        long(file.into()).run(&program).expect("a checkpoint");
    }
}

#[test]
fn a_run_that_is_killed_goes_on_where_it_was() {
    let directory = directory("killed");
    let file = directory.join("checkpoint.json");
    let done = || Checkpoint::read(&file).map_or(0, |read| read.finished());
    let mut before = 0;
    for _ in 0..2 {
        let mut child = std::process::Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "explores_until_it_is_killed"])
            .env("EXPLORER_CHECKPOINT", &file)
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("this program again");
        // Until it has written down more than there was; if it is so fast that it ends, that is fine, too.
        while done() <= before && child.try_wait().expect("a child").is_none() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        child.kill().expect("it is ours");
        child.wait().expect("it is ours");
        assert!(done() > before, "nothing was written down");
        before = done();
    }
    let executed = Shared::new(AtomicU64::new(0));
    let counter = Shared::clone(&executed);
    let program = Program::new(|| mutex(4, 3)).after(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        Ok(())
    });
    let report = long(file.clone()).run(&program).expect("a checkpoint");
    assert!(report.complete);
    assert_eq!(report.executions, LONG, "all of it, once");
    assert!(executed.load(Ordering::Relaxed) < LONG, "what was written down was not done again");
    std::fs::remove_dir_all(&directory).expect("remove the directory");
}

#[test]
fn shards_are_written_as_fractions() {
    assert_eq!("2/3".parse(), Ok(Shard { index: 2, of: 3 }));
    for text in ["", "0/3", "4/3", "1", "a/b", "1/0"] {
        assert!(text.parse::<Shard>().is_err(), "{text}");
    }
}
