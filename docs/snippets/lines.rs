//! The first meta-process of the book: echoes lines over TCP.

use antiphon::{Actor, Context, Exit, Handler, HandlerContext, Interrupt, Node, Reader, ReaderContext};
use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

// ANCHOR: reader
struct Ears(TcpStream);

impl Reader<String> for Ears {
    fn interrupt(&mut self) -> Interrupt {
        let socket = self.0.try_clone().expect("a descriptor is left");
        Interrupt::new(move || drop(socket.shutdown(Shutdown::Both)))
    }

    fn run(self, context: &ReaderContext<String>) -> Result<(), Exit> {
        for line in BufReader::new(self.0).lines() {
            context.address().send(line?)?;
        }
        Ok(())
    }
}
// ANCHOR_END: reader

// ANCHOR: handler
struct Mouth(TcpStream);

impl Handler for Mouth {
    type Message = String;

    fn handle(&mut self, line: String, _: &mut HandlerContext<'_, String>) -> Result<(), Exit> {
        Ok(writeln!(self.0, "{line}")?)
    }
}
// ANCHOR_END: handler

// ANCHOR: parent
struct Server(TcpListener);

impl Actor for Server {
    type Message = ();

    fn init(&mut self, context: &mut Context<'_, ()>) -> Result<(), Exit> {
        let (socket, _) = self.0.accept()?;
        context.spawn_meta(Ears(socket.try_clone()?), Mouth(socket))?;
        Ok(())
    }

    fn handle(&mut self, (): (), _: &mut Context<'_, ()>) -> Result<(), Exit> {
        Ok(())
    }
}
// ANCHOR_END: parent

// ANCHOR: main
pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;

    let node = Node::new();
    node.spawn(Server(listener))?;

    client.write_all(b"venite\nexultemus\n")?;
    let mut answers = BufReader::new(client).lines();
    assert_eq!(answers.next().transpose()?.as_deref(), Some("venite"));
    assert_eq!(answers.next().transpose()?.as_deref(), Some("exultemus"));

    // The client is still connected, so the Reader still blocks: the interrupt makes it return.
    node.stop(Duration::from_secs(10))?;
    Ok(())
}
// ANCHOR_END: main
