//! Events as the trace format writes them.

use antiphon_spec::event::Event;
use antiphon_spec::trace::{Header, Writer};
use serde_json::Value;

/// What the header of our own traces calls the runtime.
const RUNTIME: &str = concat!("antiphon ", env!("CARGO_PKG_VERSION"));

/// Each event as a line of a trace, after `earlier` others.
pub(crate) fn lines<'a>(events: impl IntoIterator<Item = &'a Event>, earlier: u64) -> Vec<Value> {
    let mut writer = Writer::new(Vec::new(), &header(false));
    for event in events {
        writer.event(event);
    }
    let text = writer.finish().expect("memory can be written to");
    let lines = text.split(|byte| *byte == b'\n').skip(1).filter(|line| !line.is_empty());
    let number = |(line, seq): (&[u8], u64)| {
        let mut line: Value = serde_json::from_slice(line).expect("a trace is JSON");
        line["seq"] = Value::from(seq);
        line
    };
    lines.zip(earlier + 1..).map(number).collect()
}

/// A trace of the given lines; `complete` if nothing was left in flight after them.
pub(crate) fn whole<'a>(lines: impl IntoIterator<Item = &'a Value>, complete: bool) -> Vec<u8> {
    let mut text = Writer::new(Vec::new(), &header(complete)).finish().expect("memory can be written to");
    for line in lines {
        text.extend(line.to_string().into_bytes());
        text.push(b'\n');
    }
    text
}

/// The trace of these events; `complete` if nothing was left in flight after them.
pub(crate) fn of(events: &[Event], complete: bool) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), &header(complete));
    events.iter().for_each(|event| writer.event(event));
    writer.finish().expect("memory can be written to")
}

fn header(complete: bool) -> Header {
    Header { runtime: RUNTIME.to_string(), complete }
}
