//! Traces that are not recorded: made by hand, simulated, and broken on purpose.

use std::path::Path;
use std::{fs, io};

use antiphon_spec::event::Event;
use antiphon_spec::simulate::mutate::Mutation;
use antiphon_spec::simulate::{Bounds, Choices, simulate};
use antiphon_spec::trace::Reader;

use crate::{files, trace};

/// The folders of traces made by hand, below the package of the specification.
const FOLDERS: &str = "models/spec/tests/traces";

/// How many executions are simulated.
const SIMULATED: u64 = 500;

/// How many bytes decide what one simulated execution does.
const CHOICES: usize = 400;

/// How many edits are made of one trace.
const EDITS: u64 = 3;

/// The traces made by hand; none where the source is not there.
pub(super) fn hand_made() -> io::Result<Vec<Vec<u8>>> {
    let mut traces = Vec::new();
    for folder in fs::read_dir(files::root().join(FOLDERS))? {
        let folder = folder?.path();
        // What can't be read as text at all is for readers, not for judges; one file is one trace.
        if folder.is_dir() && !folder.ends_with("malformed") {
            let mut files: Vec<_> = fs::read_dir(folder)?.collect::<io::Result<_>>()?;
            files.sort_by_key(fs::DirEntry::path);
            let is_trace = |path: &Path| path.extension().is_some_and(|extension| extension == "jsonl");
            for file in files.iter().map(fs::DirEntry::path).filter(|path| is_trace(path)) {
                traces.push(fs::read(file)?);
            }
        }
    }
    Ok(traces)
}

/// Executions of the simulation, each with a beginning of it, and with every fault that it has a place for.
pub(super) fn simulated(seed: u64) -> Vec<Vec<u8>> {
    let mut random = Random(seed);
    let mut traces = Vec::new();
    for _ in 0..SIMULATED {
        let bytes = random.bytes(CHOICES);
        let events = simulate(Bounds::default(), &mut Choices::new(&bytes));
        traces.push(trace::of(&events, true));
        traces.push(trace::of(&events[..random.below(events.len() + 1)], false));
        traces.extend(faults(&events, &bytes));
    }
    traces
}

/// What a faulty runtime would have recorded in the place of these traces, and what none would: edits at random.
pub(super) fn broken(traces: &[Vec<u8>], seed: u64) -> Vec<Vec<u8>> {
    let mut random = Random(seed);
    let mut broken = Vec::new();
    for text in traces {
        let Ok(reader) = Reader::new(&text[..]) else { continue };
        let complete = reader.header().complete;
        let read: Result<Vec<_>, _> = reader.collect();
        let Ok(records) = read else { continue };
        let events: Vec<Event> = records.into_iter().filter_map(|record| record.event).collect();
        if complete {
            broken.extend(faults(&events, &random.bytes(CHOICES)));
        }
        broken.extend((0..EDITS).map(|_| trace::of(&edit(events.clone(), &mut random), complete)));
    }
    broken
}

/// Each fault that these events have a place for, alone.
fn faults(events: &[Event], choices: &[u8]) -> Vec<Vec<u8>> {
    let mutations = Mutation::ALL.iter().copied().flatten();
    let mutants = mutations.filter_map(|mutation| mutation.apply(events, &mut Choices::new(choices)));
    mutants.map(|mutant| trace::of(&mutant.events, true)).collect()
}

/// Leaves out an event, has it twice, or moves it.
fn edit(mut events: Vec<Event>, random: &mut Random) -> Vec<Event> {
    if events.is_empty() {
        return events;
    }
    let (at, to) = (random.below(events.len()), random.below(events.len()));
    match random.below(3) {
        0 => {
            events.remove(at);
        }
        1 => events.insert(to, events[at].clone()),
        _ => {
            let event = events.remove(at);
            events.insert(to.min(events.len()), event);
        }
    }
    events
}

/// A stream of numbers that looks random (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which must not be zero.
    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}

#[cfg(test)]
mod tests {
    use antiphon_spec::check::{Outcome, Verdict};

    use super::{broken, simulated};

    #[test]
    fn what_is_simulated_conforms_or_is_broken_on_purpose() {
        let traces = simulated(7);
        let of = |traces: &[Vec<u8>], verdict| {
            traces.iter().filter(|text| Outcome::of("trace", &text[..]).verdict == verdict).count()
        };
        let (kept, violated) = (of(&traces, Verdict::Conforms), of(&traces, Verdict::Violates));
        assert!(kept > 500 && violated > 500, "{kept} conform, {violated} violate, of {}", traces.len());
        let edited = broken(&traces[..200], 7);
        assert!(of(&edited, Verdict::Violates) > 100 && of(&edited, Verdict::Conforms) > 10);
        assert_eq!(simulated(7)[..10], traces[..10], "the seed decides");
    }
}
