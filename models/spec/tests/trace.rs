//! The reader and the writer at their edges.

use std::io::{self, Cursor, Read, Write};

use antiphon_spec::check::{Outcome, Verdict};
use antiphon_spec::event::{ActorId, Event, Kind};
use antiphon_spec::trace::{DEFAULT_LINE_LIMIT, Header, ReadError, Reader, Writer};

const HEADER: &str = "{\"format\":\"antiphon-trace\",\"version\":1,\"runtime\":\"r\",\"complete\":false}\n";

fn header(complete: bool) -> Header {
    Header { runtime: "a \"runtime\"\n".to_owned(), complete }
}

fn begin(actor: u64) -> Event {
    Event::InitBegin { actor: ActorId(actor), kind: Kind::Process, parent: None }
}

/// Takes so many bytes and then fails.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::Error::other("the disk is full"));
        }
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_error_of_the_sink_is_kept_and_returned() {
    let mut writer = Writer::new(Full(100), &header(true));
    assert!(writer.error().is_none());
    for actor in 0..10 {
        writer.event(&begin(actor));
    }
    assert!(writer.error().is_some());
    assert_eq!(writer.finish().err().map(|error| error.to_string()), Some("the disk is full".to_owned()));
}

#[test]
fn completeness_can_be_known_in_the_end() {
    let mut writer = Writer::new(Cursor::new(Vec::new()), &header(false));
    writer.event(&begin(1));
    let text = writer.complete().expect("memory takes everything").into_inner();
    let mut reader = Reader::new(&text[..]).expect("the header is still one");
    assert_eq!(reader.header(), &header(true));
    let records: Vec<_> = reader.by_ref().map(|record| record.expect("a record")).collect();
    assert_eq!(records.len(), 1);
    assert_eq!((records[0].line, records[0].seq, &records[0].event), (2, 1, &Some(begin(1))));
}

#[test]
fn after_an_error_nothing_more_is_read() {
    let text = format!("{HEADER}{{}}\n{{\"seq\":1,\"ev\":\"x_\"}}\n");
    let mut reader = Reader::new(text.as_bytes()).expect("the header");
    assert!(matches!(reader.next(), Some(Err(ReadError::Malformed { line: 2, .. }))));
    assert!(reader.next().is_none());
}

#[test]
fn a_line_may_be_as_long_as_the_limit_and_no_longer() {
    let start = "{\"seq\":1,\"ev\":\"x_\",\"pad\":\"";
    for (length, line_feed) in
        [(DEFAULT_LINE_LIMIT, "\n"), (DEFAULT_LINE_LIMIT, ""), (DEFAULT_LINE_LIMIT + 1, "\n")]
    {
        let pad = "a".repeat(length - start.len() - 2);
        let text = format!("{HEADER}{start}{pad}\"}}{line_feed}");
        let mut reader = Reader::new(text.as_bytes()).expect("the header");
        let record = reader.next().expect("a second line");
        assert_eq!(record.is_ok(), length == DEFAULT_LINE_LIMIT, "{length}");
    }
}

/// An endless line is refused after as many bytes as the limit, not kept.
#[test]
fn memory_is_bounded() {
    let endless = Cursor::new(HEADER.as_bytes()).chain(io::repeat(b' '));
    let mut reader = Reader::new(io::BufReader::new(endless)).expect("the header");
    assert!(matches!(reader.next(), Some(Err(ReadError::Malformed { line: 2, .. }))));
}

#[test]
fn windows_line_ends_are_space() {
    let text = HEADER.replace('\n', "\r\n") + "{\"seq\":1,\"ev\":\"x_\"}\r\n";
    assert_eq!(Outcome::of("crlf", text.as_bytes()).verdict, Verdict::NothingJudged);
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the cable is cut"))
    }
}

#[test]
fn an_input_that_fails_has_no_line() {
    let outcome = Outcome::of("broken", io::BufReader::new(Broken));
    assert_eq!(outcome.verdict, Verdict::Malformed);
    let fault = outcome.error.expect("it says why");
    assert_eq!((fault.line, fault.message.as_str()), (None, "the cable is cut"));
}

#[test]
fn the_output_has_its_documented_shape() {
    let text = format!("{HEADER}{{\"seq\":1,\"ev\":\"init_begin\",\"actor\":1,\"kind\":\"process\"}}\n");
    let outcome = serde_json::to_value(Outcome::of("f.jsonl", text.as_bytes())).expect("plain data");
    assert_eq!(outcome["file"], "f.jsonl");
    assert_eq!(outcome["verdict"], "nothing-judged");
    let first = &outcome["guarantees"][0];
    assert_eq!(first["id"], "handler-exclusion");
    assert_eq!(first["verdict"], "vacuous");
    assert_eq!(first["premises"], 0);
    assert_eq!(first["evidence"], serde_json::json!([]));
    for (verdict, status) in
        [(Verdict::Conforms, 0), (Verdict::Violates, 1), (Verdict::Malformed, 2), (Verdict::NothingJudged, 3)]
    {
        assert_eq!(verdict.exit_status(), status);
    }
}
