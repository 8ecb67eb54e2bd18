//! The example `jobs`, explored: each job is answered exactly once, whatever becomes of the workers.
//!
//! The actors are those of the example, the same file. What is modelled is what happens *to* them: who sends what,
//! who is killed, on threads that the explorer runs in every order that makes a difference.

use std::time::Duration;

use antiphon::executor::Executor;
use antiphon::inbox::Task;
use antiphon::{Actor, Address, Context, Exit, Node};
use antiphon_example_jobs_model::desk::{Desk, Job, Order, Outcome, Status, Work, Worker};
use antiphon_explorer::{Explorer, Program};
use platform::sync::{Arc, Mutex};
use platform::thread::{self, JoinHandle};

/// Time stands still in a model.
const EVER: Duration = Duration::MAX;

/// Runs each actor on the thread that wakes it: no thread is there that does not matter.
struct AtOnce;

impl Executor for AtOnce {
    fn execute(&self, task: Task) {
        task.run();
    }

    fn yield_back(&self, task: Task) {
        task.run();
    }

    fn stop(&self) {}
}

/// The answers to one job.
type Answers = Arc<Mutex<Vec<Outcome>>>;

fn submit(desk: &Address<Order>, work: Work, answers: &Answers) {
    let answers = Arc::clone(answers);
    let job = Job::new(work, move |outcome| answers.lock().push(outcome));
    desk.send(Order::Submit(job)).map_err(drop).expect("the desk lives");
}

fn start(body: impl FnOnce() + Send + 'static) -> JoinHandle {
    thread::spawn("client".into(), 0, body).expect("a model has room for one more thread")
}

/// A job must have been answered like this, and once. Called outside of all actors: a panic inside ends an actor.
fn expect(answers: &Answers, outcome: Outcome) {
    let answers = answers.lock();
    assert!(*answers == [outcome], "answers: {:?}", *answers);
}

/// How things stand at the end.
fn status(node: &Node, desk: &Address<Order>) -> Status {
    node.call(desk, Order::Status, EVER).expect("the desk lives")
}

// ANCHOR: killed
/// A job is submitted while a worker that may have got it is killed; another worker is there.
fn killed_at_work<D: Actor<Message = Order> + Default>() {
    let node = Node::with_executor(AtOnce);
    let desk = node.spawn(D::default()).expect("the node is up");
    let workers = [(); 2].map(|()| node.spawn(Worker::new(&desk)).expect("it is enlisted"));
    let theirs = Answers::default();
    let client = {
        let (desk, theirs) = (desk.clone(), Arc::clone(&theirs));
        start(move || submit(&desk, Work::Factor(35), &theirs))
    };
    node.kill(&workers[0]);
    client.join();
    expect(&theirs, Some(7));
    assert_eq!(status(&node, &desk), Status { workers: 1, doing: 0, waiting: 0 });
    node.stop(EVER).expect("nothing hangs");
}
// ANCHOR_END: killed

/// The only worker is killed beside the clients: what it had not done waits for the next.
fn everybody_is_killed() {
    let node = Node::with_executor(AtOnce);
    let desk = node.spawn(Desk::default()).expect("the node is up");
    let worker = node.spawn(Worker::new(&desk)).expect("it is enlisted");
    let [ours, theirs] = [(); 2].map(|()| Answers::default());
    submit(&desk, Work::Factor(4), &ours);
    let killer = {
        let (node, worker) = (node.clone(), worker.clone());
        start(move || node.kill(&worker))
    };
    submit(&desk, Work::Factor(9), &theirs);
    killer.join();
    expect(&ours, Some(2));
    let Status { workers, doing, waiting } = status(&node, &desk);
    assert_eq!((workers, doing, theirs.lock().len() + waiting), (0, 0, 1), "it is answered, or waits");
    node.spawn(Worker::new(&desk)).expect("it is enlisted");
    expect(&theirs, Some(3));
    node.stop(EVER).expect("nothing hangs");
}

/// A job that crashes its workers is given up after the second, and takes no other job along. Here the model replaces
/// the workers; that supervisors do is explored elsewhere.
fn crash_beside_work() {
    let node = Node::with_executor(AtOnce);
    let desk = node.spawn(Desk::default()).expect("the node is up");
    let hire = || drop(node.spawn(Worker::new(&desk)).expect("it is enlisted"));
    hire();
    let [ours, theirs] = [(); 2].map(|()| Answers::default());
    let client = {
        let (desk, theirs) = (desk.clone(), Arc::clone(&theirs));
        start(move || submit(&desk, Work::Factor(35), &theirs))
    };
    submit(&desk, Work::Crash, &ours);
    client.join();
    hire();
    hire();
    expect(&ours, None);
    expect(&theirs, Some(7));
    assert_eq!(status(&node, &desk), Status { workers: 1, doing: 0, waiting: 0 });
    node.stop(EVER).expect("nothing hangs");
}

/// A program with the specification beside it: each event of the runtime is judged while it happens, too.
fn judged(body: fn()) -> Program {
    Program::new(body)
        .before(|| {
            platform::record::install(Box::new(antiphon_harness::observe));
            antiphon_harness::begin();
        })
        .after(|_| antiphon_harness::finish(true).map_err(|fault| fault.to_string()))
        .done(|| drop(antiphon_harness::take()))
}

// ANCHOR: explore
/// Explores every execution, and says how many there are.
fn explore(body: fn()) -> u64 {
    let report = Explorer::new().run(&judged(body)).expect("the whole is not a part of something");
    if let Some(found) = &report.failure {
        panic!("{}\n{}", found.message, found.operations.join("\n"));
    }
    assert!(report.complete, "everything was explored");
    report.executions
}

#[test]
fn a_worker_is_killed_beside_a_client() {
    assert_eq!(explore(killed_at_work::<Desk>), 154);
}
// ANCHOR_END: explore

#[test]
fn the_only_worker_is_killed_beside_a_client() {
    assert_eq!(explore(everybody_is_killed), 132);
}

#[test]
fn a_job_that_crashes_its_workers_beside_one_that_does_not() {
    assert_eq!(explore(crash_beside_work), 88);
}

// ANCHOR: deaf
/// A desk that does not hear of the ends of its workers.
#[derive(Default)]
struct Deaf(Desk);

impl Actor for Deaf {
    type Message = Order;

    fn handle(&mut self, order: Order, context: &mut Context<'_, Order>) -> Result<(), Exit> {
        self.0.handle(order, context)
    }
}

/// The model can fail: a job that dies with its worker is noticed.
#[test]
fn the_model_sees_a_job_that_is_lost() {
    let report = Explorer::new().run(&judged(killed_at_work::<Deaf>)).expect("not a part of something");
    let found = report.failure.expect("some worker dies with its job");
    assert!(found.message.contains("answers: []"), "{}", found.message);
}
// ANCHOR_END: deaf
