//! Children that come and go, and children with meta-processes (`restart-discipline`).

#[path = "supervisor_support/mod.rs"]
mod support;

use std::convert::Infallible;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

use antiphon::io::tcp;
use antiphon::supervisor::{ChildId, Request, Restart, Strategy};
use antiphon::{Actor, Address, Child, Context, Exit, Node, SpawnError, Supervisor};
use support::Told::{Over, Up};
use support::{Order, Place, SOON, Stage, failed, panicked, shut_down, soon};

impl Stage {
    fn add(&self, supervisor: &Address<Request>, child: Child) -> Result<ChildId, SpawnError> {
        self.node.call(supervisor, |reply| Request::start(child, reply), SOON).expect("it answers")
    }

    fn remove(&self, supervisor: &Address<Request>, child: ChildId) -> bool {
        self.node.call(supervisor, |reply| Request::stop(child, reply), SOON).expect("it answers")
    }
}

#[test]
fn children_come_and_go() {
    let stage = Stage::new();
    let supervisor = stage.supervise(Strategy::Dynamic, &[]);
    let a = stage.add(&supervisor, stage.worker("a")).expect("it starts");
    let b = stage.add(&supervisor, stage.worker("b").restart(Restart::Transient)).expect("it starts");
    stage.expect(&[Up("a"), Up("b")]);
    let children = stage.children(&supervisor);
    assert_eq!(children.iter().map(|child| child.child).collect::<Vec<_>>(), [a, b]);
    assert!(children.iter().all(|child| child.incarnations == 1 && child.actor.is_some()));
    assert!(stage.remove(&supervisor, a));
    stage.expect(&[shut_down("a")]);
    assert!(!stage.remove(&supervisor, a), "it is gone");
    stage.fail("b");
    stage.expect(&[Over("b", failed()), Up("b")]);
    stage.stop(&[shut_down("b")]);
}

#[test]
fn a_child_is_asked_for_by_its_number_and_its_messages() {
    let stage = Stage::new();
    let supervisor = stage.supervise(Strategy::OneForOne, &["a"]);
    let ask = |child| stage.node.call(&supervisor, |reply| Request::address::<Order>(child, reply), SOON);
    let address = ask(ChildId(0)).expect("it answers").expect("the child is up");
    assert_eq!(address, stage.find("a"));
    assert_eq!(ask(ChildId(7)), Ok(None));
    let as_other = stage.node.call(&supervisor, |reply| Request::address::<u8>(ChildId(0), reply), SOON);
    assert_eq!(as_other, Ok(None), "it understands other messages");
    stage.stop(&[shut_down("a")]);
}

#[test]
fn a_child_that_does_not_start_is_not_kept() {
    let stage = Stage::new();
    let supervisor = stage.supervise(Strategy::Dynamic, &[]);
    let error = stage.add(&supervisor, stage.fragile("a", Place::Init)).expect_err("it panics");
    assert_eq!(error, SpawnError::Init(panicked()));
    soon(|| stage.children(&supervisor).is_empty().then_some(()), "that it is forgotten");
    stage.stop(&[]);
}

#[test]
fn nobody_is_added_to_a_supervisor_that_ends() {
    let stage = Stage::new();
    let supervisor = stage.supervise(Strategy::OneForOne, &["a"]);
    let gate = stage.hold("a");
    stage.node.exit(&supervisor, Exit::Shutdown);
    assert_eq!(stage.add(&supervisor, stage.worker("b")), Err(SpawnError::Refused));
    drop(gate);
    stage.stop(&[shut_down("a")]);
}

/// Sends back what it reads.
struct Echo;

impl tcp::Session for Echo {
    fn received(&mut self, data: tcp::Data, connection: &mut tcp::Connection<'_>) -> Result<(), Exit> {
        Ok(connection.write(data)?)
    }
}

/// Listens at an address that is given.
struct Server(SocketAddr);

impl Actor for Server {
    type Message = Exit;

    fn init(&mut self, context: &mut Context<'_, Exit>) -> Result<(), Exit> {
        let (reader, handler) = tcp::listener(TcpListener::bind(self.0)?, |_peer| Echo)?;
        context.spawn_meta(reader, handler)?;
        Ok(())
    }

    fn handle(&mut self, reason: Exit, _: &mut Context<'_, Exit>) -> Result<(), Exit> {
        Err(reason)
    }
}

/// Connects, and hears its echo.
fn talk(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("somebody listens");
    stream.set_read_timeout(Some(SOON)).expect("a socket has timeouts");
    stream.write_all(b"ave").expect("somebody reads");
    let mut echo = [0; 3];
    stream.read_exact(&mut echo).expect("somebody writes");
    assert_eq!(&echo, b"ave");
    stream
}

/// A free port: that of a listener that is closed at once.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    listener.local_addr().expect("it is bound")
}

#[test]
fn a_listener_is_restarted_at_the_same_port_under_the_same_name() {
    let node = Node::new();
    let address = free_address();
    let supervisor = Supervisor::new(Strategy::OneForOne)
        .restarts(5, SOON)
        .child(Child::new(move || Server(address)).named("server"));
    let supervisor = node.spawn(supervisor).expect("the port is free");
    for incarnation in 1..=5 {
        let _connected = talk(address);
        let server: Address<Exit> = node.lookup("server").expect("it is up");
        server.send(failed()).expect("it is up");
        let restarted = || {
            let found: Address<Exit> = node.lookup("server")?;
            (found != server).then_some(())
        };
        soon(restarted, "the next incarnation");
        // It found the port free at once: otherwise its start had failed, and counted.
        let children = node.call(&supervisor, Request::children, SOON).expect("it answers");
        assert_eq!(children[0].incarnations, incarnation + 1);
    }
    node.stop(SOON).expect("nothing hangs");
    assert!(TcpStream::connect(address).is_err(), "somebody still listens");
}

/// Cannot be sent anything.
struct Parent;

impl Actor for Parent {
    type Message = Infallible;

    fn handle(&mut self, message: Infallible, _: &mut Context<'_, Infallible>) -> Result<(), Exit> {
        match message {}
    }
}

#[test]
fn a_name_that_is_taken_is_a_failed_start() {
    let node = Node::new();
    node.spawn_named("a", Parent).expect("the name is free");
    let supervisor = Supervisor::new(Strategy::OneForOne).child(Child::new(|| Parent).named("a"));
    let error = node.spawn(supervisor).expect_err("the name is taken");
    assert!(error.to_string().contains("the name `a` is taken"), "{error}");
    node.stop(SOON).expect("nothing hangs");
}
