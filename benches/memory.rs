//! What an idle actor keeps resident: `cargo bench --bench memory`. Each subject has a process of its own.

mod support;

use std::convert::Infallible;
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use antiphon::io::{shared, tcp};
use antiphon::{Actor, Context, Exit, Handler, HandlerContext, Interrupt, Node, Reader, ReaderContext};
use support::scale;

/// Tells the process that is started for one subject which one it is.
const SUBJECT: &str = "ANTIPHON_BENCH_SUBJECT";

/// Does nothing, for ever.
struct Idle;

impl Actor for Idle {
    type Message = Infallible;

    fn handle(&mut self, message: Infallible, _: &mut Context<'_, Infallible>) -> Result<(), Exit> {
        match message {}
    }
}

impl Handler for Idle {
    type Message = Infallible;

    fn handle(&mut self, message: Infallible, _: &mut HandlerContext<'_, Infallible>) -> Result<(), Exit> {
        match message {}
    }
}

impl tcp::Session for Idle {
    fn received(&mut self, _: tcp::Data, _: &mut tcp::Connection<'_>) -> Result<(), Exit> {
        Ok(())
    }
}

/// A Reader that waits until it is interrupted.
struct Waits(Option<mpsc::Sender<()>>, mpsc::Receiver<()>);

impl Waits {
    fn new() -> Self {
        let (wake, woken) = mpsc::channel();
        Self(Some(wake), woken)
    }
}

impl Reader<Infallible> for Waits {
    const STACK_BYTES: usize = 64 << 10;

    fn interrupt(&mut self) -> Interrupt {
        let wake = self.0.take();
        Interrupt::new(move || drop(wake))
    }

    fn run(self, _: &ReaderContext<Infallible>) -> Result<(), Exit> {
        // It is told by nothing but the end of the other side.
        let _ = self.1.recv();
        Ok(())
    }
}

/// A process that begins with `begin`.
struct Owner<F>(Option<F>);

impl<F: FnOnce(&Context<'_, Infallible>) -> Result<(), Exit> + Send + 'static> Actor for Owner<F> {
    type Message = Infallible;

    fn init(&mut self, context: &mut Context<'_, Infallible>) -> Result<(), Exit> {
        self.0.take().map_or(Ok(()), |begin| begin(context))
    }

    fn handle(&mut self, message: Infallible, _: &mut Context<'_, Infallible>) -> Result<(), Exit> {
        match message {}
    }
}

/// Bytes of memory that this process has resident.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").expect("/proc is there");
    let pages: usize =
        text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number of pages");
    pages * rustix::param::page_size()
}

/// How much more is resident after `make`, for each of `count`.
fn measure(count: usize, node: &Node, make: impl FnOnce()) {
    let before = resident();
    make();
    std::thread::sleep(Duration::from_millis(500));
    let after = resident();
    println!("{}", after.saturating_sub(before) / count);
    node.stop(Duration::from_secs(60)).expect("nothing hangs");
}

fn processes() {
    let count = scale(200_000);
    let node = Node::new();
    node.spawn(Idle).expect("the node is up");
    measure(count, &node, || (0..count).for_each(|_| drop(node.spawn(Idle).expect("the node is up"))));
}

fn metas() {
    let count = scale(2_000);
    let node = Node::new();
    let spawn = move |context: &Context<'_, Infallible>| {
        for _ in 0..count {
            context.spawn_meta(Waits::new(), Idle)?;
        }
        Ok(())
    };
    measure(count, &node, || drop(node.spawn(Owner(Some(spawn))).expect("there is room for the threads")));
}

fn connections(share: bool) {
    let count = scale(2_000);
    let node = Node::new();
    let socket = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = socket.local_addr().expect("it is bound");
    let listen = move |context: &Context<'_, Infallible>| {
        let (reader, handler) = tcp::listener(socket, |_| Idle)?;
        match share {
            true => drop(context.spawn_meta(shared(reader), handler)?),
            false => drop(context.spawn_meta(reader, handler)?),
        }
        Ok(())
    };
    node.spawn(Owner(Some(listen))).expect("there is room for a listener");
    let mut clients = Vec::with_capacity(count);
    measure(count, &node, || {
        clients.extend((0..count).map(|_| TcpStream::connect(address).expect("the server listens")));
    });
}

const SUBJECTS: [(&str, fn()); 4] = [
    ("idle process", processes),
    ("idle meta-process, its Reader's thread included", metas),
    ("idle TCP connection, its Reader's thread included", || connections(false)),
    ("idle TCP connection, its Reader on a shared poller", || connections(true)),
];

fn main() {
    if let Ok(subject) = std::env::var(SUBJECT) {
        let (_, measure) = SUBJECTS.iter().find(|(name, _)| *name == subject).expect("one of the subjects");
        return measure();
    }
    println!("{:<52} {:>10}", "resident bytes", "each");
    for (name, _) in SUBJECTS {
        let output = Command::new(std::env::current_exe().expect("this program has a path"))
            .args(std::env::args().skip(1))
            .env(SUBJECT, name)
            .output()
            .expect("this program can be started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        print!("{name:<52} {:>10}", String::from_utf8_lossy(&output.stdout));
    }
}
