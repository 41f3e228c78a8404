//! What the supervisor decides: children's ends, readiness, stop requests and time go in, commands
//! come out. No process, no clock and no signal of its own.

use super::backoff::Backoff;

/// The two children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    DataPlane,
    ControlPlane,
}

impl Role {
    pub const ALL: [Role; 2] = [Role::DataPlane, Role::ControlPlane];

    pub fn name(self) -> &'static str {
        match self {
            Role::DataPlane => "data plane",
            Role::ControlPlane => "control plane",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Code(i32),
    Signal(i32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Ready(Role),
    Exited(Role, Exit),
    /// A first, second, … wish to stop. Wishes that come together are one.
    Stop,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Start(Role),
    /// Ask it to finish (SIGTERM).
    Terminate(Role),
    /// End it now (SIGKILL).
    Kill(Role),
    /// Tell the world that the broker is ready.
    Announce,
    /// Say that a child died and when it comes back.
    Report {
        role: Role,
        exit: Exit,
        pause_ms: u64,
    },
    Finish(Ending),
}

/// How the whole ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Stopped as asked. `flushed`: the data plane finished by itself, so the region holds nothing
    /// that is not on disk.
    Stopped { flushed: bool },
    /// A child refused to start.
    StartFailed { role: Role, exit: Exit },
}

/// A child killed by a signal before the first readiness is tried again this often.
const START_ATTEMPTS_MAX: u32 = 5;

/// How long a stopping child may take before it is killed. The data plane flushes to disk.
const CONTROL_PLANE_STOP_MS: u64 = 10_000;
const DATA_PLANE_STOP_MS: u64 = 120_000;

/// Signals that come closer together than this are one wish: a terminal or coreutils' `timeout` sends
/// one to the process and to its group, a person who cannot wait takes longer.
const SAME_WISH_MS: u64 = 500;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ChildState {
    /// To be started at this time.
    Due(u64),
    Running {
        ready_since: Option<u64>,
    },
    Down,
}

#[derive(Debug)]
struct Child {
    state: ChildState,
    backoff: Backoff,
    starts: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Starting,
    Serving,
    Stopping {
        flushed: bool,
    },
    /// A child refused to start; the other one is being stopped.
    Failing {
        ending: Ending,
    },
    Finished,
}

/// The supervisor's state.
#[derive(Debug)]
pub struct Supervisor {
    children: [Child; 2],
    phase: Phase,
    /// When the patience with the child that is being stopped ends.
    kill_at: Option<u64>,
    /// When a wish to stop first came.
    stop_wished: Option<u64>,
    /// The child that was asked to stop; asking twice would mean impatience.
    asked: Option<Role>,
}

impl Supervisor {
    /// Both children are to be started at once.
    pub fn new(now: u64) -> Supervisor {
        let child = || Child {
            state: ChildState::Due(now),
            backoff: Backoff::default(),
            starts: 0,
        };
        Supervisor {
            children: [child(), child()],
            phase: Phase::Starting,
            kill_at: None,
            stop_wished: None,
            asked: None,
        }
    }

    /// Whether a running child has not reported readiness yet, so that someone must look.
    pub fn awaits_readiness(&self) -> bool {
        let waiting = ChildState::Running { ready_since: None };
        self.children.iter().any(|child| child.state == waiting)
    }

    /// When [`Supervisor::on_time`] is due, if nothing happens before.
    pub fn deadline(&self) -> Option<u64> {
        let starts = self.children.iter().filter_map(|child| match child.state {
            ChildState::Due(at) => Some(at),
            _ => None,
        });
        starts.chain(self.kill_at).min()
    }

    pub fn on_time(&mut self, now: u64, commands: &mut Vec<Command>) {
        for role in Role::ALL {
            let child = &mut self.children[role.index()];
            if matches!(child.state, ChildState::Due(at) if at <= now) {
                child.state = ChildState::Running { ready_since: None };
                child.starts += 1;
                commands.push(Command::Start(role));
            }
        }
        if self.kill_at.is_some_and(|at| at <= now) {
            self.kill_at = None;
            // Only the one that is late: the other has not been asked yet, and has data to flush.
            commands.extend(self.stopping_child().map(|(role, _)| Command::Kill(role)));
        }
    }

    pub fn on_event(&mut self, event: Event, now: u64, commands: &mut Vec<Command>) {
        match event {
            Event::Ready(role) => self.on_ready(role, now, commands),
            Event::Exited(role, exit) => self.on_exited(role, exit, now, commands),
            Event::Stop => self.on_stop(now, commands),
        }
    }

    fn on_ready(&mut self, role: Role, now: u64, commands: &mut Vec<Command>) {
        let child = &mut self.children[role.index()];
        if child.state == (ChildState::Running { ready_since: None }) {
            child.state = ChildState::Running {
                ready_since: Some(now),
            };
        }
        let ready = |child: &Child| {
            matches!(
                child.state,
                ChildState::Running {
                    ready_since: Some(_)
                }
            )
        };
        if self.phase == Phase::Starting && self.children.iter().all(ready) {
            self.phase = Phase::Serving;
            commands.push(Command::Announce);
        }
    }

    fn on_exited(&mut self, role: Role, exit: Exit, now: u64, commands: &mut Vec<Command>) {
        let child = &mut self.children[role.index()];
        let ready_since = match child.state {
            ChildState::Running { ready_since } => ready_since,
            _ => None,
        };
        child.state = ChildState::Down;
        match self.phase {
            Phase::Starting => {
                let hopeless = match exit {
                    Exit::Code(_) => true,
                    Exit::Signal(_) => child.starts >= START_ATTEMPTS_MAX,
                };
                if hopeless {
                    let ending = Ending::StartFailed { role, exit };
                    self.phase = Phase::Failing { ending };
                    self.stop_next(now, commands);
                } else {
                    self.restart(role, exit, ready_since, now, commands);
                }
            }
            Phase::Serving => self.restart(role, exit, ready_since, now, commands),
            Phase::Stopping { .. } => {
                if role == Role::DataPlane {
                    let flushed = exit == Exit::Code(0);
                    self.phase = Phase::Stopping { flushed };
                }
                self.stop_next(now, commands);
            }
            Phase::Failing { .. } => self.stop_next(now, commands),
            Phase::Finished => {}
        }
    }

    fn restart(
        &mut self,
        role: Role,
        exit: Exit,
        ready_since: Option<u64>,
        now: u64,
        commands: &mut Vec<Command>,
    ) {
        let child = &mut self.children[role.index()];
        let served = ready_since.map(|since| now.saturating_sub(since));
        let pause_ms = child.backoff.pause_ms(served);
        child.state = ChildState::Due(now + pause_ms);
        commands.push(Command::Report {
            role,
            exit,
            pause_ms,
        });
    }

    fn on_stop(&mut self, now: u64, commands: &mut Vec<Command>) {
        let first = *self.stop_wished.get_or_insert(now);
        match self.phase {
            Phase::Starting | Phase::Serving => {
                // A data plane that is down now has left its tails in the region.
                self.phase = Phase::Stopping { flushed: false };
                self.stop_next(now, commands);
            }
            Phase::Stopping { .. } if now < first + SAME_WISH_MS => {}
            // Asked again: now.
            Phase::Stopping { .. } | Phase::Failing { .. } => self.kill_all(commands),
            Phase::Finished => {}
        }
    }

    /// Stops the control plane, then the data plane, then ends.
    fn stop_next(&mut self, now: u64, commands: &mut Vec<Command>) {
        for child in &mut self.children {
            if matches!(child.state, ChildState::Due(_)) {
                child.state = ChildState::Down;
            }
        }
        if let Some((role, patience_ms)) = self.stopping_child() {
            if self.asked != Some(role) {
                self.asked = Some(role);
                self.kill_at = Some(now + patience_ms);
                commands.push(Command::Terminate(role));
            }
            return;
        }
        self.kill_at = None;
        let ending = match self.phase {
            Phase::Failing { ending } => ending,
            Phase::Stopping { flushed } => Ending::Stopped { flushed },
            _ => return,
        };
        self.phase = Phase::Finished;
        commands.push(Command::Finish(ending));
    }

    /// The child whose turn it is to stop, and how long it may take.
    fn stopping_child(&self) -> Option<(Role, u64)> {
        let order = [
            (Role::ControlPlane, CONTROL_PLANE_STOP_MS),
            (Role::DataPlane, DATA_PLANE_STOP_MS),
        ];
        let down = |role: Role| self.children[role.index()].state == ChildState::Down;
        order.into_iter().find(|(role, _)| !down(*role))
    }

    fn kill_all(&self, commands: &mut Vec<Command>) {
        for role in Role::ALL {
            if self.children[role.index()].state != ChildState::Down {
                commands.push(Command::Kill(role));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Role::{ControlPlane, DataPlane};

    /// Feeds one event and returns the commands that it causes, due starts included.
    fn step(supervisor: &mut Supervisor, now: u64, event: Option<Event>) -> Vec<Command> {
        let mut commands = Vec::new();
        if let Some(event) = event {
            supervisor.on_event(event, now, &mut commands);
        }
        supervisor.on_time(now, &mut commands);
        commands
    }

    fn serving() -> Supervisor {
        let mut supervisor = Supervisor::new(0);
        let started = step(&mut supervisor, 0, None);
        assert_eq!(
            started,
            [Command::Start(DataPlane), Command::Start(ControlPlane)]
        );
        assert!(supervisor.awaits_readiness());
        assert_eq!(step(&mut supervisor, 5, Some(Event::Ready(DataPlane))), []);
        let announced = step(&mut supervisor, 6, Some(Event::Ready(ControlPlane)));
        assert_eq!(announced, [Command::Announce]);
        assert!(!supervisor.awaits_readiness());
        supervisor
    }

    #[test]
    fn a_dead_child_comes_back_and_readiness_is_announced_once() {
        let mut supervisor = serving();
        let exit = Exit::Signal(9);
        let died = step(&mut supervisor, 5000, Some(Event::Exited(DataPlane, exit)));
        let report = Command::Report {
            role: DataPlane,
            exit,
            pause_ms: 10,
        };
        assert_eq!(died, [report]);
        assert_eq!(supervisor.deadline(), Some(5010));
        assert_eq!(step(&mut supervisor, 5009, None), []);
        assert_eq!(
            step(&mut supervisor, 5010, None),
            [Command::Start(DataPlane)]
        );
        assert_eq!(
            step(&mut supervisor, 5020, Some(Event::Ready(DataPlane))),
            []
        );
        assert_eq!(supervisor.deadline(), None);
    }

    #[test]
    fn a_crash_loop_backs_off_and_never_gives_up_while_serving() {
        let mut supervisor = serving();
        let mut now = 10;
        for _ in 0..30 {
            let exit = Exit::Code(1);
            step(
                &mut supervisor,
                now,
                Some(Event::Exited(ControlPlane, exit)),
            );
            let due = supervisor.deadline().expect("a restart");
            assert!(due - now <= 5000);
            now = due;
            let started = step(&mut supervisor, now, None);
            assert_eq!(started, [Command::Start(ControlPlane)]);
        }
    }

    #[test]
    fn a_refusal_at_start_ends_everything_at_once() {
        let mut supervisor = Supervisor::new(0);
        step(&mut supervisor, 0, None);
        let exit = Exit::Code(78);
        let ended = step(&mut supervisor, 3, Some(Event::Exited(DataPlane, exit)));
        assert_eq!(ended, [Command::Terminate(ControlPlane)]);
        let exited = Event::Exited(ControlPlane, Exit::Code(0));
        let ending = Ending::StartFailed {
            role: DataPlane,
            exit,
        };
        let finished = step(&mut supervisor, 4, Some(exited));
        assert_eq!(finished, [Command::Finish(ending)]);
        assert_eq!(supervisor.deadline(), None);
    }

    #[test]
    fn a_child_that_is_killed_at_every_start_is_given_up() {
        let mut supervisor = Supervisor::new(0);
        let mut now = 0;
        let mut starts = 0;
        loop {
            let commands = step(&mut supervisor, now, None);
            starts += u32::from(commands.contains(&Command::Start(DataPlane)));
            let exited = Event::Exited(DataPlane, Exit::Signal(6));
            let commands = step(&mut supervisor, now, Some(exited));
            if commands == [Command::Terminate(ControlPlane)] {
                break;
            }
            now = supervisor.deadline().expect("a restart");
        }
        assert_eq!(starts, START_ATTEMPTS_MAX);
    }

    #[test]
    fn stopping_goes_control_plane_first_and_knows_whether_all_was_flushed() {
        for (code, flushed) in [(Exit::Code(0), true), (Exit::Code(1), false)] {
            let mut supervisor = serving();
            let stop = step(&mut supervisor, 100, Some(Event::Stop));
            assert_eq!(stop, [Command::Terminate(ControlPlane)]);
            let exited = Event::Exited(ControlPlane, Exit::Code(0));
            let next = step(&mut supervisor, 110, Some(exited));
            assert_eq!(next, [Command::Terminate(DataPlane)]);
            let last = step(&mut supervisor, 120, Some(Event::Exited(DataPlane, code)));
            let ending = Ending::Stopped { flushed };
            assert_eq!(last, [Command::Finish(ending)]);
            assert_eq!(step(&mut supervisor, 130, Some(Event::Stop)), []);
        }
    }

    #[test]
    fn a_stop_while_the_data_plane_is_down_does_not_call_it_flushed() {
        let mut supervisor = serving();
        let exited = Event::Exited(DataPlane, Exit::Signal(9));
        step(&mut supervisor, 100, Some(exited));
        let stop = step(&mut supervisor, 101, Some(Event::Stop));
        assert_eq!(stop, [Command::Terminate(ControlPlane)]);
        let exited = Event::Exited(ControlPlane, Exit::Code(0));
        let last = step(&mut supervisor, 102, Some(exited));
        let ending = Ending::Stopped { flushed: false };
        assert_eq!(last, [Command::Finish(ending)]);
    }

    #[test]
    fn signals_that_come_together_are_one_wish() {
        let mut supervisor = serving();
        let stop = step(&mut supervisor, 100, Some(Event::Stop));
        assert_eq!(stop, [Command::Terminate(ControlPlane)]);
        for at in [100, 101, 99 + SAME_WISH_MS] {
            assert_eq!(step(&mut supervisor, at, Some(Event::Stop)), []);
        }
        let exited = Event::Exited(ControlPlane, Exit::Code(0));
        let next = step(&mut supervisor, 700, Some(exited));
        assert_eq!(next, [Command::Terminate(DataPlane)]);
        let again = step(&mut supervisor, 701, Some(Event::Stop));
        assert_eq!(again, [Command::Kill(DataPlane)]);
    }

    #[test]
    fn impatience_and_time_both_kill() {
        let mut supervisor = serving();
        step(&mut supervisor, 100, Some(Event::Stop));
        let again = step(&mut supervisor, 100 + SAME_WISH_MS, Some(Event::Stop));
        let both = [Command::Kill(DataPlane), Command::Kill(ControlPlane)];
        assert_eq!(again, both);
        let mut supervisor = serving();
        step(&mut supervisor, 100, Some(Event::Stop));
        assert_eq!(supervisor.deadline(), Some(100 + CONTROL_PLANE_STOP_MS));
        let late = step(&mut supervisor, 100 + CONTROL_PLANE_STOP_MS, None);
        assert_eq!(late, [Command::Kill(ControlPlane)]);
    }
}
