//! The job system itself: a desk that hands out work, and workers that may fail at any moment.
//!
//! Each job is answered exactly once, whatever becomes of the workers: that is what the model of this example
//! checks (`models/jobs`), on this very file. So there is nothing here but actors; sockets are `main.rs`'s.
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use antiphon::{Actor, ActorId, Address, Context, Down, Exit, Reply};

/// How often a job is tried before it is given up.
const TRIES: u32 = 2;

/// What a worker can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Find the greatest prime factor of a number.
    Factor(u64),
    /// Fail, as real work does now and then.
    Crash,
}

/// What becomes of a job: a result, or `None` if each worker that tried it has failed.
pub type Outcome = Option<u64>;

/// Something to do, and whom to tell.
pub struct Job {
    work: Work,
    tried: u32,
    answer: Box<dyn FnOnce(Outcome) + Send>,
}

impl Job {
    /// A job; `answer` is called once, by the desk.
    pub fn new(work: Work, answer: impl FnOnce(Outcome) + Send + 'static) -> Self {
        Self { work, tried: 0, answer: Box::new(answer) }
    }
}

/// What the desk understands.
pub enum Order {
    /// Do this.
    Submit(Job),
    /// Here is a worker; answered with how many there are.
    Enlist(Address<Work>, Reply<usize>),
    /// A worker has finished what it was given.
    Done(ActorId, u64),
    /// How do things stand?
    Status(Reply<Status>),
}

/// How things stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Workers that live.
    pub workers: usize,
    /// Jobs that are worked on.
    pub doing: usize,
    /// Jobs that wait.
    pub waiting: usize,
}

/// A worker as the desk sees it.
struct Enlisted {
    address: Address<Work>,
    doing: Option<Job>,
}

/// Hands out the work.
#[derive(Default)]
pub struct Desk {
    waiting: VecDeque<Job>,
    workers: BTreeMap<ActorId, Enlisted>,
}

impl Desk {
    /// Gives what waits to workers that have nothing to do.
    fn assign(&mut self) {
        for worker in self.workers.values_mut().filter(|worker| worker.doing.is_none()) {
            let Some(job) = self.waiting.pop_front() else { return };
            // One that has ended refuses it; its Down is on the way, and brings the job back.
            let _ = worker.address.send(job.work);
            worker.doing = Some(job);
        }
    }
}

impl Actor for Desk {
    type Message = Order;

    fn handle(&mut self, order: Order, context: &mut Context<'_, Order>) -> Result<(), Exit> {
        match order {
            Order::Submit(job) => self.waiting.push_back(job),
            Order::Enlist(address, reply) => {
                context.monitor(&address);
                self.workers.insert(address.id(), Enlisted { address, doing: None });
                // A worker that has given up waiting has ended: its Down is on the way.
                let _ = reply.send(self.workers.len());
            }
            Order::Done(worker, result) => {
                // A worker that is not known any more has ended after this was sent; what it did is done again.
                if let Some(job) = self.workers.get_mut(&worker).and_then(|worker| worker.doing.take()) {
                    (job.answer)(Some(result));
                }
            }
            Order::Status(reply) => {
                let doing = self.workers.values().filter(|worker| worker.doing.is_some()).count();
                let (workers, waiting) = (self.workers.len(), self.waiting.len());
                // Who has asked may be gone.
                let _ = reply.send(Status { workers, doing, waiting });
            }
        }
        self.assign();
        Ok(())
    }

    fn down(&mut self, down: Down, _: &mut Context<'_, Order>) -> Result<(), Exit> {
        if let Some(mut job) = self.workers.remove(&down.actor).and_then(|worker| worker.doing) {
            job.tried += 1;
            if job.tried < TRIES {
                self.waiting.push_front(job);
            } else {
                (job.answer)(None);
            }
        }
        self.assign();
        Ok(())
    }
}

/// Does the work. Its supervisor replaces it when it fails.
pub struct Worker {
    desk: Address<Order>,
}

impl Worker {
    /// A worker of this desk.
    pub fn new(desk: &Address<Order>) -> Self {
        Self { desk: desk.clone() }
    }
}

impl Actor for Worker {
    type Message = Work;

    fn init(&mut self, context: &mut Context<'_, Work>) -> Result<(), Exit> {
        let me = context.address();
        // For as long as it takes: if the desk ends, the call does at once. With a timeout, a job could be given to a
        // worker that has given up, and count as tried; the model found that out.
        context.call(&self.desk, |reply| Order::Enlist(me, reply), Duration::MAX)?;
        Ok(())
    }

    fn handle(&mut self, work: Work, context: &mut Context<'_, Work>) -> Result<(), Exit> {
        let result = match work {
            Work::Factor(number) => greatest_factor(number),
            Work::Crash => panic!("the work was too much"),
        };
        Ok(self.desk.send(Order::Done(context.id(), result))?)
    }
}

/// The greatest prime factor of a number; of zero and one, the number itself.
fn greatest_factor(mut number: u64) -> u64 {
    let mut factor = 2;
    while factor * factor <= number {
        if number.is_multiple_of(factor) {
            number /= factor;
        } else {
            factor += 1;
        }
    }
    number
}
