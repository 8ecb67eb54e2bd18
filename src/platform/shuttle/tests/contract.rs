//! The platform contract, in executions that shuttle's random scheduler and a random walk of our own engine sample.

use antiphon_platform_shuttle as platform;

use platform::model::{self, Engine, Execution, Machine, Names, Next, Scheduler, ThreadId};
use shuttle_engine::{Config, FailurePersistence, Runner};

#[path = "../../contract/primitives.rs"]
mod primitives;
#[path = "../../contract/readiness.rs"]
mod readiness;
#[path = "../../contract/recorder.rs"]
mod recorder;

/// Any enabled thread, by a small generator of random numbers.
struct Walk(u64);

impl Walk {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

impl Scheduler for Walk {
    fn next(&mut self, execution: &mut Execution) -> Next {
        let ids = (0..execution.threads.len()).map(|index| ThreadId(index as u16));
        let enabled: Vec<_> = ids
            .filter(|id| {
                let thread = execution.thread(*id);
                thread.live && !thread.ended && execution.enabled(*id)
            })
            .collect();
        assert!(!enabled.is_empty(), "deadlock: {execution:?}");
        Next::Run(enabled[self.below(enabled.len())])
    }

    fn choose(&mut self, _: &mut Execution, _: ThreadId, ways: u32) -> usize {
        self.below(ways as usize)
    }
}

fn explore(program: impl Fn() + Send + Sync + 'static) {
    let program = std::sync::Arc::new(program);
    let mut machine = Machine::new();
    let mut walk = Walk(0x9e37_79b9_7f4a_7c15);
    let names = Names::new();
    for _ in 0..2_000 {
        model::begin(Engine::Guarded, names.clone());
        let body = std::sync::Arc::clone(&program);
        let ended = machine.run(Box::new(move || body()), &mut walk);
        let (_, failure, _) = model::end(|_| ());
        assert_eq!(failure, None);
        assert!(ended);
    }

    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::None;
    config.stack_size = 1 << 18;
    let scheduler = shuttle_schedulers::RandomScheduler::new_from_seed(7, 500);
    Runner::new(scheduler, config).run(move || {
        model::begin(Engine::Shuttle, Names::new());
        program();
        platform::thread::join_all();
        let (_, failure, _) = model::end(|_| ());
        assert_eq!(failure, None);
    });
}
