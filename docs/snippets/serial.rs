//! A serial port as a meta-process: a source of one's own.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};

use antiphon::io::{Readiness, Ready, Source, Step, Stepwise, Wait, Waker};
use antiphon::{Exit, Handler, HandlerContext, ReaderContext};

// ANCHOR: reader
/// The device was opened with `O_NONBLOCK`: a step never blocks.
pub(crate) struct Port {
    pub(crate) device: File,
    pub(crate) waker: Waker,
}

impl Stepwise<Input> for Port {
    fn source(&self) -> &dyn Source {
        &self.device
    }

    fn waker(&self) -> &Waker {
        &self.waker
    }

    fn wait(&self) -> Wait {
        Wait { interest: Some(Readiness::READ), timeout: None }
    }

    fn step(&mut self, _: Ready, context: &ReaderContext<Input>) -> Step {
        let mut bytes = vec![0; 256];
        match self.device.read(&mut bytes) {
            Ok(0) => Step::Break(Ok(())),
            Ok(count) => {
                bytes.truncate(count);
                match context.deliver(Input(bytes)) {
                    Ok(()) => Step::Continue(()),
                    Err(_) => Step::Break(Ok(())),
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                Step::Continue(())
            }
            Err(error) => Step::Break(Err(error.into())),
        }
    }
}
// ANCHOR_END: reader

/// What came from the other end.
pub(crate) struct Input(Vec<u8>);

/// Answers with what came, between brackets.
pub(crate) struct Answers(pub(crate) File);

impl Handler for Answers {
    type Message = Input;

    fn handle(&mut self, input: Input, _: &mut HandlerContext<'_, Input>) -> Result<(), Exit> {
        Ok(self.0.write_all(&[b"<", input.0.trim_ascii(), b">\n"].concat())?)
    }
}
