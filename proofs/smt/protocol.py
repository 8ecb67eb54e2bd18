"""The protocol of one actor as quantified verification conditions: the quick loop beside the Coq proof.

State, actions and invariants are written once, for any number of threads, messages and children (uninterpreted
sorts). For each action and each invariant z3 is asked for a state that satisfies all invariants and from which the
action leads to one that does not. No answer for any of them: the invariants hold in every reachable state.

    python3 protocol.py            verifies, then breaks the protocol in every seeded way and shows where it fails
    python3 protocol.py --list     names the actions, invariants and seeded bugs

Exit status: 0 all as expected, 1 something verified that should not have or the reverse, 3 not run (no z3).

What is here and what is not: which place a message is in (sender, stack, holder's hands, handled, dead letter) but
not the order of messages; no liveness. Those are in proofs/coq, which proves the same protocol in full.
"""

import sys
import time
from dataclasses import dataclass
from typing import Callable

try:
    import z3
except ImportError:
    print("not run: z3 missing (pip install -r proofs/smt/requirements.txt)")
    sys.exit(3)

And, Or, Not, Implies = z3.And, z3.Or, z3.Not, z3.Implies

Thread = z3.DeclareSort("Thread")  # whoever may hold an activation
Message = z3.DeclareSort("Message")  # user messages and signals alike
Child = z3.DeclareSort("Child")

Word, (IDLE, OPEN, CLOSED) = z3.EnumSort("Word", ["Idle", "Open", "Closed"])  # Open: ACTIVE or a stack
Stage, stages = z3.EnumSort(
    "Stage", ["Nothing", "Initialising", "Running", "Handling", "Stopping", "Closing", "Draining", "Terminating", "Leaving"]
)
NOTHING, INITIALISING, RUNNING, HANDLING, STOPPING, CLOSING, DRAINING, TERMINATING, LEAVING = stages
Place, places = z3.EnumSort(
    "Place", ["Unsent", "Trying", "Checked", "Refused", "Queued", "Local", "InHand", "Handled", "Dead", "Lost"]
)
UNSENT, TRYING, CHECKED, REFUSED, QUEUED, LOCAL, IN_HAND, HANDLED, DEAD, LOST = places
Init, (INIT_OPEN, INIT_OK, INIT_FAILED) = z3.EnumSort("Init", ["Open", "Ok", "Failed"])
Reader, readers = z3.EnumSort("Reader", ["NotStarted", "Reading", "Returned", "Over"])
NOT_STARTED, READING, RETURNED, OVER = readers
Kin, kins = z3.EnumSort("Kin", ["Unborn", "Asking", "Joined", "Summoned", "Turned"])  # Turned: turned away
UNBORN, ASKING, JOINED, SUMMONED, TURNED = kins
Count, (NEVER, ONCE, OFTEN) = z3.EnumSort("Count", ["Never", "Once", "Often"])


def more(count):
    return z3.If(count == NEVER, ONCE, OFTEN)


@dataclass(frozen=True)
class State:
    """One state: values are z3 terms, functions map a thread, message or child to one."""

    word: object
    stage: Callable  # of the activation that a thread holds; Nothing: it holds none
    hand: Callable  # the message in a handling thread's hands
    place: Callable  # of a message
    accepted: Callable  # the push of this message succeeded, ever
    init: object
    terminated: object  # how often terminate has begun
    reader: object
    interrupted: object
    family_open: object
    kin: Callable  # of a child
    late: Callable  # a child that joined after the family closed
    done: object  # the holder is done with the closed actor
    holder: object  # ghost: who holds the activation, if anybody does

    def but(self, **changes):
        return State(**{**self.__dict__, **changes})


def arbitrary():
    return State(
        word=z3.Const("word", Word),
        stage=z3.Function("stage", Thread, Stage),
        hand=z3.Function("hand", Thread, Message),
        place=z3.Function("place", Message, Place),
        accepted=z3.Function("accepted", Message, z3.BoolSort()),
        init=z3.Const("init", Init),
        terminated=z3.Const("terminated", Count),
        reader=z3.Const("reader", Reader),
        interrupted=z3.Bool("interrupted"),
        family_open=z3.Bool("family_open"),
        kin=z3.Function("kin", Child, Kin),
        late=z3.Function("late", Child, z3.BoolSort()),
        done=z3.Bool("done"),
        holder=z3.Const("holder", Thread),
    )


def put(function, key, value):
    return lambda x: z3.If(x == key, value, function(x))


def move(function, source, target):
    """All that was at `source` is now at `target`."""
    return lambda x: z3.If(function(x) == source, target, function(x))


t, u = z3.Consts("t u", Thread)
m = z3.Const("m", Message)
c = z3.Const("c", Child)


def every(variable, body):
    return z3.ForAll([variable], body)


def is_callback(stage):
    return Or(stage == INITIALISING, stage == HANDLING, stage == TERMINATING)


# ---- the protocol -----------------------------------------------------------------------------------------------


def initial(s, spawner):
    return And(
        s.word == OPEN,
        s.holder == spawner,
        every(t, s.stage(t) == z3.If(t == spawner, INITIALISING, NOTHING)),
        every(m, And(s.place(m) == UNSENT, Not(s.accepted(m)))),
        s.init == INIT_OPEN,
        s.terminated == NEVER,
        s.reader == NOT_STARTED,
        Not(s.interrupted),
        s.family_open,
        every(c, And(s.kin(c) == UNBORN, Not(s.late(c)))),
        Not(s.done),
    )


# An action: from a state, a thread, a message and a child, to a guard and the next state.


def send_begin(s, a, x, k):
    return s.place(x) == UNSENT, s.but(place=put(s.place, x, TRYING))


def push(s, a, x, k):
    """The compare-exchange: accepted; from Idle the pusher gets the activation."""
    idle = s.word == IDLE
    guard = And(s.place(x) == TRYING, s.word != CLOSED, Implies(idle, s.stage(a) == NOTHING))
    return guard, s.but(
        word=OPEN,
        place=put(s.place, x, QUEUED),
        accepted=put(s.accepted, x, z3.BoolVal(True)),
        stage=lambda y: z3.If(And(idle, y == a), RUNNING, s.stage(y)),
        holder=z3.If(idle, a, s.holder),
    )


def refuse(s, a, x, k):
    return And(s.place(x) == TRYING, s.word == CLOSED), s.but(place=put(s.place, x, REFUSED))


def init_ok(s, a, x, k):
    return s.stage(a) == INITIALISING, s.but(stage=put(s.stage, a, RUNNING), init=INIT_OK)


def init_failed(s, a, x, k):
    return s.stage(a) == INITIALISING, s.but(stage=put(s.stage, a, STOPPING), init=INIT_FAILED)


def start_reader(s, a, x, k):
    return And(s.stage(a) == RUNNING, s.reader == NOT_STARTED), s.but(reader=READING)


def reader_returns(s, a, x, k):
    """Its signal is a message like any other: see send_begin."""
    return s.reader == READING, s.but(reader=RETURNED)


def reader_over(s, a, x, k):
    return s.reader == RETURNED, s.but(reader=OVER)


def take(s, a, x, k):
    guard = And(s.stage(a) == RUNNING, s.place(x) == QUEUED)
    return guard, s.but(place=move(s.place, QUEUED, LOCAL))


def handle_begin(s, a, x, k):
    guard = And(s.stage(a) == RUNNING, s.place(x) == LOCAL)
    return guard, s.but(stage=put(s.stage, a, HANDLING), place=put(s.place, x, IN_HAND), hand=put(s.hand, a, x))


def handle_ok(s, a, x, k):
    guard = And(s.stage(a) == HANDLING, s.hand(a) == x)
    return guard, s.but(stage=put(s.stage, a, RUNNING), place=put(s.place, x, HANDLED))


def handle_failed(s, a, x, k):
    """An error, a panic, or a signal: the actor ends."""
    guard = And(s.stage(a) == HANDLING, s.hand(a) == x)
    return guard, s.but(stage=put(s.stage, a, STOPPING), place=put(s.place, x, HANDLED))


def nothing_local(s):
    return every(m, s.place(m) != LOCAL)


def nothing_queued(s):
    return every(m, s.place(m) != QUEUED)


def park(s, a, x, k):
    """The compare-exchange from ACTIVE: fails if anything was queued."""
    guard = And(s.stage(a) == RUNNING, nothing_local(s), s.word == OPEN, nothing_queued(s))
    return guard, s.but(word=IDLE, stage=put(s.stage, a, NOTHING))


def close_family(s, a, x, k):
    """Under the lock: nobody joins any more, and who has joined is told."""
    return And(s.stage(a) == STOPPING, s.family_open), s.but(family_open=z3.BoolVal(False), kin=move(s.kin, JOINED, SUMMONED))


def close(s, a, x, k):
    """The swap: closed, and what was queued is in the holder's hands, in one instant."""
    guard = And(s.stage(a) == STOPPING, Not(s.family_open))
    return guard, s.but(word=CLOSED, stage=put(s.stage, a, DRAINING), place=move(s.place, QUEUED, LOCAL))


def interrupt(s, a, x, k):
    return s.stage(a) == DRAINING, s.but(interrupted=z3.BoolVal(True))


def dead_letter(s, a, x, k):
    return And(s.stage(a) == DRAINING, s.place(x) == LOCAL), s.but(place=put(s.place, x, DEAD))


def terminate_begin(s, a, x, k):
    guard = And(s.stage(a) == DRAINING, s.init == INIT_OK, nothing_local(s), s.interrupted)
    return guard, s.but(stage=put(s.stage, a, TERMINATING), terminated=more(s.terminated))


def terminate_end(s, a, x, k):
    return s.stage(a) == TERMINATING, s.but(stage=put(s.stage, a, LEAVING))


def skip_terminate(s, a, x, k):
    guard = And(s.stage(a) == DRAINING, s.init == INIT_FAILED, nothing_local(s), s.interrupted)
    return guard, s.but(stage=put(s.stage, a, LEAVING))


def finish(s, a, x, k):
    return s.stage(a) == LEAVING, s.but(stage=put(s.stage, a, NOTHING), done=z3.BoolVal(True))


def join(s, a, x, k):
    """Under the same lock as close_family."""
    return And(s.kin(k) == UNBORN, s.family_open), s.but(kin=put(s.kin, k, JOINED))


def turn_away(s, a, x, k):
    return And(s.kin(k) == UNBORN, Not(s.family_open)), s.but(kin=put(s.kin, k, TURNED))


ACTIONS = [
    send_begin, push, refuse, init_ok, init_failed, start_reader, reader_returns, reader_over, take, handle_begin,
    handle_ok, handle_failed, park, close_family, close, interrupt, dead_letter, terminate_begin, terminate_end,
    skip_terminate, finish, join, turn_away,
]  # fmt: skip

# ---- what always holds ------------------------------------------------------------------------------------------

# Those that bear a guarantee's id are what is wanted; the others carry the induction.
INVARIANTS = {
    "handler-exclusion": lambda s: z3.ForAll([t, u], Implies(And(is_callback(s.stage(t)), is_callback(s.stage(u))), t == u)),
    "one-token": lambda s: every(t, Implies(s.stage(t) != NOTHING, t == s.holder)),
    "token-while-open": lambda s: Implies(s.word == OPEN, s.stage(s.holder) != NOTHING),
    "no-token-in-idle": lambda s: Implies(s.word == IDLE, s.stage(s.holder) == NOTHING),
    "stage-fits-word": lambda s: every(
        t,
        And(
            Implies(Or(s.stage(t) == INITIALISING, s.stage(t) == RUNNING, s.stage(t) == HANDLING, s.stage(t) == STOPPING), s.word == OPEN),
            Implies(Or(s.stage(t) == DRAINING, s.stage(t) == TERMINATING, s.stage(t) == LEAVING), s.word == CLOSED),
            s.stage(t) != CLOSING,
        ),
    ),
    "no-loss": lambda s: every(
        m, Implies(s.accepted(m), Or([s.place(m) == p for p in (QUEUED, LOCAL, IN_HAND, HANDLED, DEAD)]))
    ),
    "no-loss-at-the-end": lambda s: every(m, Implies(And(s.done, s.accepted(m)), Or(s.place(m) == HANDLED, s.place(m) == DEAD))),
    "accepted-means-accepted": lambda s: every(
        m, Implies(Or([s.place(m) == p for p in (UNSENT, TRYING, CHECKED, REFUSED)]), Not(s.accepted(m)))
    ),
    "wake-up": lambda s: Implies(s.word == IDLE, every(m, And(s.place(m) != QUEUED, s.place(m) != LOCAL, s.place(m) != IN_HAND))),
    "closed-is-closed": lambda s: Implies(s.word == CLOSED, every(m, s.place(m) != QUEUED)),
    "closed-from-terminate-on": lambda s: Implies(Or(s.terminated != NEVER, s.done), s.word == CLOSED),
    "dead-only-when-closed": lambda s: every(m, Implies(s.place(m) == DEAD, s.word == CLOSED)),
    "in-hand-means-handling": lambda s: And(
        every(m, Implies(s.place(m) == IN_HAND, And(s.stage(s.holder) == HANDLING, s.hand(s.holder) == m))),
        every(t, Implies(s.stage(t) == HANDLING, s.place(s.hand(t)) == IN_HAND)),
    ),
    "nothing-local-late": lambda s: every(
        m, Implies(Or(s.done, s.stage(s.holder) == TERMINATING, s.stage(s.holder) == LEAVING), s.place(m) != LOCAL)
    ),
    "terminate-once": lambda s: And(s.terminated != OFTEN, Implies(s.terminated == ONCE, s.init == INIT_OK)),
    "terminate-fits-stage": lambda s: And(
        every(t, Implies(s.stage(t) == TERMINATING, s.terminated == ONCE)),
        every(t, Implies(Or(s.stage(t) == DRAINING, s.word != CLOSED), s.terminated == NEVER)),
        Implies(Or(s.done, s.stage(s.holder) == LEAVING), (s.terminated == ONCE) == (s.init == INIT_OK)),
    ),
    "init-fits-stage": lambda s: And(
        every(t, Implies(s.stage(t) == INITIALISING, s.init == INIT_OPEN)),
        every(t, Implies(Or(s.stage(t) == RUNNING, s.stage(t) == HANDLING), s.init == INIT_OK)),
        every(t, Implies(Or(s.stage(t) == STOPPING, s.word == CLOSED), s.init != INIT_OPEN)),
        Implies(s.word == IDLE, s.init == INIT_OK),
    ),
    "done-means-gone": lambda s: And(
        every(t, Implies(s.done, s.stage(t) == NOTHING)),
        Implies(s.word == CLOSED, Or(s.done, s.stage(s.holder) != NOTHING)),
    ),
    "reader-lifetime": lambda s: Implies(s.reader != NOT_STARTED, s.init == INIT_OK),
    "interruption": lambda s: Implies(Or(s.done, s.terminated != NEVER), s.interrupted),
    "interrupted-fits-stage": lambda s: Implies(Or(s.stage(s.holder) == LEAVING, s.stage(s.holder) == TERMINATING), s.interrupted),
    "ownership": lambda s: every(c, And(Implies(Not(s.family_open), s.kin(c) != JOINED), Not(s.late(c)))),
    "family-before-word": lambda s: Implies(s.word == CLOSED, Not(s.family_open)),
    "asking-is-atomic": lambda s: every(c, s.kin(c) != ASKING),
    "checking-is-atomic": lambda s: every(m, And(s.place(m) != CHECKED, s.place(m) != LOST)),
}  # fmt: skip

# ---- the same protocol, broken --------------------------------------------------------------------------------


def park_blindly(s, a, x, k):
    """park without compare-exchange, or the re-check of a two-variable design dropped."""
    guard = And(s.stage(a) == RUNNING, nothing_local(s))
    return guard, s.but(word=IDLE, stage=put(s.stage, a, NOTHING))


def park_and_go_on(s, a, x, k):
    guard = And(s.stage(a) == RUNNING, nothing_local(s), nothing_queued(s))
    return guard, s.but(word=IDLE)


def drain(s, a, x, k):
    """The first half of a close in two steps: take what is queued ..."""
    guard = And(s.stage(a) == STOPPING, Not(s.family_open))
    return guard, s.but(stage=put(s.stage, a, CLOSING), place=move(s.place, QUEUED, LOCAL))


def shut(s, a, x, k):
    """... and the second: close. What came in between stays in the word."""
    return s.stage(a) == CLOSING, s.but(word=CLOSED, stage=put(s.stage, a, DRAINING))


def reader_terminates(s, a, x, k):
    """A Reader that returns closes the actor and calls terminate on its own thread."""
    guard = And(s.reader == READING, s.stage(a) == NOTHING, s.word != CLOSED)
    return guard, s.but(
        reader=RETURNED, word=CLOSED, stage=put(s.stage, a, TERMINATING), terminated=more(s.terminated),
        place=move(s.place, QUEUED, LOCAL), interrupted=z3.BoolVal(True), family_open=z3.BoolVal(False),
        kin=move(s.kin, JOINED, SUMMONED),
    )  # fmt: skip


def check_open(s, a, x, k):
    """The first half of a push that is not atomic with refusing: look ..."""
    return And(s.place(x) == TRYING, s.word != CLOSED), s.but(place=put(s.place, x, CHECKED))


def append(s, a, x, k):
    """... and the second: append, whatever the word is by now."""
    guard = And(s.place(x) == CHECKED, s.word != IDLE)
    return guard, s.but(place=put(s.place, x, QUEUED), accepted=put(s.accepted, x, z3.BoolVal(True)))


def close_and_drop(s, a, x, k):
    guard = And(s.stage(a) == STOPPING, Not(s.family_open))
    return guard, s.but(word=CLOSED, stage=put(s.stage, a, DRAINING), place=move(s.place, QUEUED, LOST))


def ask_to_join(s, a, x, k):
    return And(s.kin(k) == UNBORN, s.family_open), s.but(kin=put(s.kin, k, ASKING))


def join_late(s, a, x, k):
    return s.kin(k) == ASKING, s.but(kin=put(s.kin, k, JOINED), late=put(s.late, k, Not(s.family_open)))


def terminate_without_interrupt(s, a, x, k):
    guard = And(s.stage(a) == DRAINING, s.init == INIT_OK, nothing_local(s))
    return guard, s.but(stage=put(s.stage, a, TERMINATING), terminated=more(s.terminated))


def terminate_before_draining(s, a, x, k):
    guard = And(s.stage(a) == DRAINING, s.init == INIT_OK, s.interrupted)
    return guard, s.but(stage=put(s.stage, a, TERMINATING), terminated=more(s.terminated))


def start_reader_early(s, a, x, k):
    return And(s.stage(a) == INITIALISING, s.reader == NOT_STARTED), s.but(reader=READING)


def stop_and_stop_again(s, a, x, k):
    """A kill that terminates an actor which is terminating."""
    return s.stage(a) == TERMINATING, s.but(stage=put(s.stage, a, DRAINING))


# A bug: what replaces which action, which invariants the broken design gives up of itself (its halves are visible
# states), and the action and invariant that must be found to fail.
BUGS = {
    "re-check dropped": ([park_blindly], [park], [], ("park_blindly", "wake-up")),
    "continue without the token": ([park_and_go_on], [park], [], ("park_and_go_on", "no-token-in-idle")),
    "two-step close": ([drain, shut], [close], ["stage-fits-word"], ("shut", "closed-is-closed")),
    "terminate by the Reader": ([reader_terminates], [], [], ("reader_terminates", "handler-exclusion")),
    "non-atomic refuse": ([check_open, append], [push], ["checking-is-atomic"], ("append", "closed-is-closed")),
    "close drops leftovers": ([close_and_drop], [close], ["checking-is-atomic"], ("close_and_drop", "no-loss")),
    "join after the look": ([ask_to_join, join_late], [join], ["asking-is-atomic"], ("join_late", "ownership")),
    "no interrupt": ([terminate_without_interrupt], [terminate_begin], [], ("terminate_without_interrupt", "interruption")),
    "terminate before draining": ([terminate_before_draining], [terminate_begin], [], ("terminate_before_draining", "nothing-local-late")),
    "Reader before init": ([start_reader_early], [start_reader], [], ("start_reader_early", "reader-lifetime")),
    "terminate twice": ([stop_and_stop_again], [terminate_end], ["terminate-fits-stage"], ("terminate_begin", "terminate-once")),
}  # fmt: skip

# ---- the conditions -------------------------------------------------------------------------------------------------


class Undecided(Exception):
    """z3 gave up: neither proved nor refuted."""


def satisfiable(*formulas):
    solver = z3.Solver()
    solver.set("timeout", 20_000)
    solver.add(*formulas)
    answer = solver.check()
    if answer == z3.unknown:
        raise Undecided(solver.reason_unknown())
    return answer == z3.sat


def failures(actions, invariants):
    """The pairs of an action and an invariant that it can break, and how many conditions were asked."""
    s = arbitrary()
    a, x, k = z3.Const("a", Thread), z3.Const("x", Message), z3.Const("k", Child)
    assumed = [invariant(s) for invariant in invariants.values()]
    found = [("initial", name) for name, invariant in invariants.items() if satisfiable(initial(s, a), Not(invariant(s)))]
    for action in actions:
        guard, after = action(s, a, x, k)
        for name, invariant in invariants.items():
            if satisfiable(*assumed, guard, Not(invariant(after))):
                found.append((action.__name__, name))
    return found, len(invariants) * (len(actions) + 1)


def impossible(actions, invariants):
    """The actions that no state with the invariants allows: about them nothing would have been proved."""
    s = arbitrary()
    a, x, k = z3.Const("a", Thread), z3.Const("x", Message), z3.Const("k", Child)
    assumed = [invariant(s) for invariant in invariants.values()]
    return [action.__name__ for action in actions if not satisfiable(*assumed, action(s, a, x, k)[0])]


def main():
    if sys.argv[1:] == ["--list"]:
        print("actions:   ", " ".join(action.__name__ for action in ACTIONS))
        print("invariants:", " ".join(INVARIANTS))
        print("bugs:      ", ", ".join(BUGS))
        return 0
    if sys.argv[1:]:
        print(__doc__.splitlines()[0], "\nusage: protocol.py [--list]", file=sys.stderr)
        return 2
    good = True
    began = time.monotonic()
    found, conditions = failures(ACTIONS, INVARIANTS)
    dead_ends = impossible(ACTIONS, INVARIANTS)
    for action, invariant in found:
        print(f"failed: {action} can break {invariant}")
    for action in dead_ends:
        print(f"failed: {action} can never be taken")
    for name in INVARIANTS:
        if all(invariant != name for _, invariant in found):
            print(f"holds {name}: {len(ACTIONS) + 1} conditions")
    good &= not found and not dead_ends
    print(f"protocol: {conditions} conditions, {len(found)} failed, {time.monotonic() - began:.1f} s")
    for name, (added, removed, given_up, expected) in BUGS.items():
        began = time.monotonic()
        actions = [action for action in ACTIONS if action not in removed] + added
        invariants = {key: value for key, value in INVARIANTS.items() if key not in given_up}
        found, _ = failures(actions, invariants)
        caught = expected in found
        good &= caught
        verdict = "caught" if caught else "NOT CAUGHT"
        where = ", ".join(f"{action}/{invariant}" for action, invariant in found) or "nothing fails"
        print(f"bug: {name}: {verdict} at {expected[0]} by {expected[1]}; all that fails: {where}; {time.monotonic() - began:.1f} s")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
