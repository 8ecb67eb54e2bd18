//! What a subscriber of the crate `tracing` hears: `cargo test --features tracing --test tracing`.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Mutex, Once, mpsc};
use std::time::Duration;

use antiphon::supervisor::Strategy;
use antiphon::{
    Actor, Child, Context, Exit, Handler, HandlerContext, Interrupt, Node, Reader, ReaderContext, SpawnError,
    Supervisor,
};
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

const LONG: Duration = Duration::from_secs(20);

/// One event: its level, what happened, and its fields.
#[derive(Clone, Debug)]
struct Line {
    level: String,
    what: String,
    fields: BTreeMap<&'static str, String>,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => self.what = format!("{value:?}"),
            name => drop(self.fields.insert(name, format!("{value:?}"))),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.to_owned());
    }
}

static HEARD: Mutex<Vec<Line>> = Mutex::new(Vec::new());

/// Keeps all that it hears.
struct Ear;

impl Subscriber for Ear {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "antiphon"
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let level = event.metadata().level().to_string();
        let mut line = Line { level, what: String::new(), fields: BTreeMap::new() };
        event.record(&mut line);
        HEARD.lock().unwrap().push(line.clone());
        assert!(!line.fields.values().any(|value| value.contains(MUTINY)), "a subscriber that panics");
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// In an event with this text in it, the subscriber panics.
const MUTINY: &str = "mutiny";

fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Ear).unwrap());
}

/// What was heard so far of actors whose type's name contains `label`, as `LEVEL what`, with the fields `wanted`.
fn heard(label: &str, wanted: &[&str]) -> Vec<String> {
    let heard = HEARD.lock().unwrap();
    let about = heard.iter().filter(|line| line.fields["label"].contains(label));
    let told = about.map(|line| {
        let fields = wanted.iter().filter_map(|name| Some(format!(" {name}={}", line.fields.get(name)?)));
        format!("{} {}{}", line.level, line.what, fields.collect::<String>())
    });
    told.collect()
}

/// Does what it is told to do. Whoever has the other end of its channel hears of its end.
struct Doer<const NUMBER: u32>(#[allow(dead_code, reason = "dropped with it")] mpsc::Sender<()>);

enum Deed {
    Panic(&'static str),
    /// Says that it begins, and waits.
    Wait(mpsc::Sender<()>, mpsc::Receiver<()>),
    Nothing,
}

impl<const NUMBER: u32> Actor for Doer<NUMBER> {
    type Message = Deed;

    fn handle(&mut self, deed: Deed, _: &mut Context<'_, Deed>) -> Result<(), Exit> {
        match deed {
            Deed::Panic(text) => panic!("{text}"),
            Deed::Wait(begin, until) => {
                begin.send(())?;
                Ok(until.recv()?)
            }
            Deed::Nothing => Ok(()),
        }
    }

    fn terminate(&mut self, _: &Exit, _: &mut Context<'_, Deed>) {
        assert_ne!(NUMBER, 3, "in terminate");
    }
}

#[test]
fn a_life_is_told_from_its_beginning_to_its_end() {
    listen();
    let node = Node::new();
    let (gone, _) = mpsc::channel();
    let doer = node.spawn_named("worker", Doer::<0>(gone.clone())).unwrap();
    let second = node.spawn_named("worker", Doer::<0>(gone));
    assert!(matches!(second, Err(SpawnError::NameTaken(_))));
    let ((begin, begun), (go_on, until)) = (mpsc::channel(), mpsc::channel());
    doer.send(Deed::Wait(begin, until)).unwrap();
    begun.recv().unwrap();
    doer.send(Deed::Nothing).unwrap();
    node.kill(&doer);
    go_on.send(()).unwrap();
    node.stop(LONG).unwrap();
    assert_eq!(
        heard("Doer<0>", &["kind", "name", "reason", "error"]),
        [
            "DEBUG started kind=process name=worker",
            "WARN not started kind=process name=worker error=the name `worker` is taken",
            "WARN ended kind=process reason=failed: the name `worker` is taken",
            "INFO dead letter kind=process",
            "WARN ended kind=process reason=killed",
        ]
    );
    let letter = HEARD.lock().unwrap().iter().find(|line| line.what == "dead letter").cloned().unwrap();
    assert!(letter.fields["message"].ends_with("Deed"), "{letter:?}");
    assert_eq!(letter.fields["actor"], doer.id().0.to_string());
}

#[test]
fn a_panic_is_told_and_one_in_terminate_too() {
    listen();
    let node = Node::new();
    let (gone, is_gone) = mpsc::channel();
    node.spawn(Doer::<3>(gone)).unwrap().send(Deed::Panic("no way out")).unwrap();
    is_gone.recv().unwrap_err();
    node.stop(LONG).unwrap();
    let told = heard("Doer<3>", &["panic", "reason"]);
    let [started, first, second, ended] = &told[..] else { panic!("{told:?}") };
    assert_eq!(started, "DEBUG started");
    assert!(first.starts_with("ERROR panicked panic=panic: no way out, at tests/tracing.rs:"), "{first}");
    assert!(second.contains("in terminate"), "{second}");
    assert!(ended.starts_with("WARN ended reason=panic: no way out"), "{ended}");
}

#[test]
fn a_subscriber_that_panics_harms_nobody() {
    listen();
    let node = Node::new();
    let (gone, _) = mpsc::channel();
    let doer = node.spawn(Doer::<4>(gone)).unwrap();
    node.exit(&doer, Exit::Failed(MUTINY.to_owned()));
    node.stop(LONG).unwrap();
    assert_eq!(heard("Doer<4>", &["reason"]), ["DEBUG started", "WARN ended reason=failed: mutiny"]);
}

/// Fails soon after its first start, and in each that follows.
struct Ephemeral(bool);

impl Actor for Ephemeral {
    type Message = ();

    fn init(&mut self, context: &mut Context<'_, ()>) -> Result<(), Exit> {
        if self.0 {
            return Ok(context.address().send(())?);
        }
        Err(Exit::Failed("never again".to_owned()))
    }

    fn handle(&mut self, (): (), _: &mut Context<'_, ()>) -> Result<(), Exit> {
        Err(Exit::Failed("once is enough".to_owned()))
    }
}

#[test]
fn restarts_are_told_and_that_a_supervisor_gives_up() {
    listen();
    let node = Node::new();
    let (mut first, (gone, is_gone)) = (true, mpsc::channel::<()>());
    let child = Child::new(move || {
        let _ = &gone;
        Ephemeral(std::mem::take(&mut first))
    });
    let supervisor = Supervisor::new(Strategy::OneForOne).restarts(1, LONG).child(child);
    node.spawn(supervisor).unwrap();
    is_gone.recv().unwrap_err();
    node.stop(LONG).unwrap();
    let told = heard("Supervisor", &["child", "incarnation", "error"]);
    assert_eq!(
        told,
        [
            "DEBUG started",
            "WARN child not started again child=0 incarnation=2 error=init did not succeed: failed: never again",
            "ERROR supervisor gave up",
            "WARN ended",
        ]
    );
}

/// A Reader that returns when the test lets it.
struct Deaf(mpsc::Receiver<()>);

impl Reader<()> for Deaf {
    fn interrupt(&mut self) -> Interrupt {
        Interrupt::none()
    }

    fn run(self, _: &ReaderContext<()>) -> Result<(), Exit> {
        Ok(self.0.recv()?)
    }
}

struct Patient;

impl Handler for Patient {
    type Message = ();

    fn handle(&mut self, (): (), _: &mut HandlerContext<'_, ()>) -> Result<(), Exit> {
        Ok(())
    }
}

/// Starts a meta-process that does not listen.
struct Parent(Option<Deaf>);

impl Actor for Parent {
    type Message = ();

    fn init(&mut self, context: &mut Context<'_, ()>) -> Result<(), Exit> {
        let deaf = self.0.take().expect("it begins once");
        context.spawn_meta(deaf, Patient)?;
        Ok(())
    }

    fn handle(&mut self, (): (), _: &mut Context<'_, ()>) -> Result<(), Exit> {
        Ok(())
    }
}

#[test]
fn who_does_not_end_in_time_is_told() {
    listen();
    let node = Node::new();
    let (go_on, until) = mpsc::channel();
    let parent = node.spawn(Parent(Some(Deaf(until)))).unwrap();
    assert!(node.stop(Duration::from_millis(20)).is_err());
    go_on.send(()).unwrap();
    node.stop(LONG).unwrap();
    let told = heard("Patient", &["kind", "parent", "reader", "reason"]);
    let started = format!("DEBUG started kind=meta parent={}", parent.id());
    assert!(told[0].starts_with(&started), "{told:?}");
    assert_eq!(
        told[1..],
        ["WARN not ended in time kind=meta reader=true", "DEBUG ended kind=meta reason=parent ended"]
    );
}
