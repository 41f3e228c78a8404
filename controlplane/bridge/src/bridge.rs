//! The task.

use crate::data_plane::{OwnCall, OwnCalls};
use crate::image::{EncodedImage, NodeOptions, Recipient};
use crate::jobs::{Job, Work};
use crate::link::{Event, Link};
use crate::service::{self, Service, Unanswerable};
use crate::view::DataPlaneView;
use precursor_consensus::Consensus;
use precursor_metadata::Change;
use precursor_model::ErrorCode;
use precursor_shm::control::ToData;
use precursor_shm::{DoorbellName, Region};
use std::future::Future;
use std::io;
use std::os::fd::AsFd;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::unix::pipe;
use tokio::sync::broadcast::{self, error::TryRecvError};
use tokio::sync::mpsc;

/// How soon a full ring is tried again at first, and at last while the shard does not read.
const RETRY_FIRST: Duration = Duration::from_millis(1);
const RETRY_LAST: Duration = Duration::from_millis(50);
/// A shard answers a request of our own within a turn or two, sooner than a thread that slept gets a
/// processor again on a machine that is busy: so long it is waited for awake.
const AWAKE_FOR_OWN: Duration = Duration::from_micros(200);
/// After a wait awake that was in vain, so many requests of our own are waited for asleep.
const ASLEEP_AFTER_VAIN: u32 = 32;

/// Between what the bridge stands.
pub struct BridgeOptions {
    pub region: Region,
    pub consensus: Consensus,
    pub node_id: i32,
    /// What the shards are told of the node's options.
    pub node_options: NodeOptions,
    /// This control plane's generation on the region.
    pub generation: u64,
    /// Made for the region's number of shards.
    pub view: DataPlaneView,
    /// Of the [`crate::DataPlane`] that the broker's own requests come from.
    pub calls: OwnCalls,
}

/// Owns the control plane's end of every ring.
pub struct Bridge {
    region: Region,
    consensus: Consensus,
    recipient: Recipient,
    links: Vec<Link>,
    bell: pipe::Receiver,
    changes: broadcast::Receiver<Arc<[Change]>>,
    calls: mpsc::UnboundedReceiver<OwnCall>,
    events: Vec<Event>,
    retry: Duration,
    awake: AwakeForOwn,
}

enum Answer {
    Request(Result<service::Answer, Unanswerable>),
    Ensured(Vec<String>, Vec<ErrorCode>),
    /// Its time was up, or its task ended without one.
    None(&'static str),
}

struct Done {
    shard: u16,
    epoch: u64,
    token: u64,
    answer: Answer,
}

/// Reports even when the task that holds it ends in a panic: a request without an answer would keep
/// its connection waiting for ever.
struct Report {
    done: Option<Done>,
    sender: mpsc::UnboundedSender<Done>,
}

impl Drop for Report {
    fn drop(&mut self) {
        if let Some(done) = self.done.take() {
            // Without a bridge nobody waits.
            let _ = self.sender.send(done);
        }
    }
}

/// When the bridge waits for an answer of a shard without sleeping.
#[derive(Debug, Default)]
struct AwakeForOwn {
    until: Option<Instant>,
    /// Requests that are to be waited for asleep.
    asleep: u32,
}

impl AwakeForOwn {
    fn asked(&mut self, now: Instant) {
        if self.asleep > 0 {
            self.asleep -= 1;
        } else {
            self.until = Some(now + AWAKE_FOR_OWN);
        }
    }

    /// Whether to look once more, `waits` saying whether there is something to wait for.
    fn go_on(&mut self, waits: bool, now: Instant) -> bool {
        let Some(until) = self.until else {
            return false;
        };
        if waits && now < until {
            return true;
        }
        if waits {
            self.asleep = ASLEEP_AFTER_VAIN;
        }
        self.until = None;
        false
    }
}

impl Bridge {
    /// Takes the control plane's ends of all rings.
    ///
    /// # Errors
    /// A doorbell cannot be opened or polled.
    pub fn new(options: BridgeOptions) -> io::Result<Self> {
        let shards = options.region.shards();
        // Subscribed before any image is made, so that no change falls between.
        let changes = options.consensus.subscribe();
        let bell = control_bell(&options.region)?;
        // Room for our own hellos after a ring was reset.
        let hello = options.generation << 16;
        let links = (0..shards)
            .map(|shard| Link::open(&options.region, shard, shards, hello, options.view.clone()))
            .collect::<io::Result<_>>()?;
        Ok(Bridge {
            region: options.region,
            consensus: options.consensus,
            recipient: Recipient {
                node_id: options.node_id,
                shards,
                options: options.node_options,
            },
            links,
            bell,
            changes,
            calls: options.calls.0,
            events: Vec::new(),
            retry: RETRY_FIRST,
            awake: AwakeForOwn::default(),
        })
    }

    /// Serves until `stop` is ready; then writes what it can of what waits.
    ///
    /// # Errors
    /// The doorbell cannot be waited for.
    pub async fn run<S: Service>(
        mut self,
        service: Arc<S>,
        stop: impl Future<Output = ()>,
    ) -> io::Result<()> {
        let mut stop = pin!(stop);
        let (sender, mut finished) = mpsc::unbounded_channel();
        loop {
            let mut progressed = false;
            for index in 0..self.links.len() {
                progressed |= self.links[index].drain(&mut self.events);
                self.handle_events(index, &service, &sender);
            }
            self.publish_changes();
            while let Ok(done) = finished.try_recv() {
                progressed = true;
                self.finish(done, &service, &sender);
            }
            while let Ok(call) = self.calls.try_recv() {
                progressed = true;
                self.ask(call);
            }
            self.flush(&service, &sender);
            if progressed {
                self.retry = RETRY_FIRST;
            }
            if progressed || self.stays_awake() {
                // The requests that were just started, and others, have their turn before the next.
                // A stop is heard also where there is always something to do.
                tokio::select! {
                    biased;
                    () = &mut stop => {
                        self.flush(&service, &sender);
                        return Ok(());
                    }
                    () = tokio::task::yield_now() => continue,
                }
            }
            if self.announce_sleep() {
                let blocked = self.links.iter().any(Link::blocked);
                tokio::select! {
                    biased;
                    () = &mut stop => {
                        self.flush(&service, &sender);
                        return Ok(());
                    }
                    rung = self.bell.readable() => {
                        rung?;
                        // Until there is nothing: then the next ring is a new event.
                        let mut rings = [0; 64];
                        while matches!(self.bell.try_read(&mut rings), Ok(1..)) {}
                    }
                    Some(done) = finished.recv() => self.finish(done, &service, &sender),
                    Some(call) = self.calls.recv() => self.ask(call),
                    change = self.changes.recv() => self.publish(change.map_err(lagged)),
                    () = tokio::time::sleep(self.retry), if blocked => {
                        self.retry = (self.retry * 2).min(RETRY_LAST);
                    }
                }
            }
            self.links.iter_mut().for_each(Link::announce_awake);
        }
    }

    fn ask(&mut self, call: OwnCall) {
        // Kept to the number of shards by the handle.
        if let Some(link) = self.links.get_mut(usize::from(call.shard)) {
            link.ask(call.ask);
            self.awake.asked(Instant::now());
        }
    }

    /// Whether an answer of a shard to a request of our own is worth waiting for awake.
    fn stays_awake(&mut self) -> bool {
        let waits = self.links.iter().any(Link::waits_for_answer);
        self.awake.go_on(waits, Instant::now())
    }

    fn announce_sleep(&mut self) -> bool {
        self.links.iter_mut().all(Link::announce_sleep)
    }

    fn handle_events<S: Service>(
        &mut self,
        index: usize,
        service: &Arc<S>,
        sender: &mpsc::UnboundedSender<Done>,
    ) {
        for event in std::mem::take(&mut self.events) {
            match event {
                Event::Start(job) => self.start(index, job, service, sender),
                Event::NeedsImage => {
                    let recipient = &self.recipient;
                    let image = self
                        .consensus
                        .read(|state| EncodedImage::full(state, recipient));
                    self.region.status().set_image_version(image.version);
                    self.links[index].send_whole_image(Arc::new(image));
                }
            }
        }
    }

    fn start<S: Service>(
        &mut self,
        index: usize,
        job: Job,
        service: &Arc<S>,
        sender: &mpsc::UnboundedSender<Done>,
    ) {
        let done = Done {
            shard: index as u16,
            epoch: self.links[index].epoch,
            token: job.token,
            answer: Answer::None("its handler ended without an answer"),
        };
        let mut report = Report {
            done: Some(done),
            sender: sender.clone(),
        };
        let (service, token) = (Arc::clone(service), job.token);
        let task = tokio::spawn(async move {
            let limit = job.work.time_max();
            let answer = tokio::time::timeout(limit, answer(&*service, job.work)).await;
            if let Some(done) = &mut report.done {
                done.answer = answer.unwrap_or(Answer::None("it took too long"));
            }
        });
        self.links[index].jobs.started(token, task.abort_handle());
    }

    fn finish<S: Service>(
        &mut self,
        done: Done,
        service: &Arc<S>,
        sender: &mpsc::UnboundedSender<Done>,
    ) {
        // The image that an answer speaks of goes first.
        self.publish_changes();
        let index = usize::from(done.shard);
        let link = &mut self.links[index];
        if done.epoch != link.epoch {
            return;
        }
        let (wanted, next) = link.jobs.finish(done.token);
        if wanted {
            match done.answer {
                Answer::Request(Ok(service::Answer::Frame(frame))) => {
                    link.respond(done.token, frame);
                }
                Answer::Request(Ok(service::Answer::Sent)) => link.responded(),
                Answer::Request(Err(why)) => {
                    tracing::debug!(shard = done.shard, %why, "a request was refused");
                    link.refuse(done.token);
                }
                Answer::Ensured(names, outcomes) => {
                    let outcomes = names.iter().map(String::as_str).zip(outcomes).collect();
                    link.topics_ensured(&ToData::TopicsEnsured {
                        token: done.token,
                        outcomes,
                    });
                }
                Answer::None(why) => {
                    tracing::error!(shard = done.shard, why, "a request has no answer");
                    link.refuse(done.token);
                }
            }
        }
        if let Some(job) = next {
            self.start(index, job, service, sender);
        }
    }

    /// Queues an image with every change so far.
    fn publish_changes(&mut self) {
        match self.changes.try_recv() {
            Err(TryRecvError::Empty) => {}
            first => self.publish(first),
        }
    }

    fn publish(&mut self, first: Result<Arc<[Change]>, TryRecvError>) {
        let mut changes = Vec::new();
        let mut next = first;
        loop {
            match next {
                Ok(more) => changes.extend_from_slice(&more),
                // Too many to remember them one by one.
                Err(TryRecvError::Lagged(_)) => changes.push(Change::Everything),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
            next = self.changes.try_recv();
        }
        if changes.is_empty() {
            return;
        }
        let recipient = &self.recipient;
        let image = self
            .consensus
            .read(|state| EncodedImage::delta(state, &changes, recipient));
        self.region.status().set_image_version(image.version);
        let image = Arc::new(image);
        for link in &mut self.links {
            link.send_changes(&image);
        }
    }

    fn flush<S: Service>(&mut self, service: &Arc<S>, sender: &mpsc::UnboundedSender<Done>) {
        for index in 0..self.links.len() {
            self.links[index].flush(&mut self.events);
            if !self.events.is_empty() {
                self.handle_events(index, service, sender);
                self.links[index].flush(&mut self.events);
            }
        }
    }
}

async fn answer<S: Service>(service: &S, work: Work) -> Answer {
    match work {
        Work::Answer(request) => Answer::Request(service.answer(request).await),
        Work::EnsureTopics(names) => {
            let outcomes = service.ensure_topics(names.clone()).await;
            Answer::Ensured(names, outcomes)
        }
    }
}

fn lagged(error: broadcast::error::RecvError) -> TryRecvError {
    match error {
        broadcast::error::RecvError::Closed => TryRecvError::Closed,
        broadcast::error::RecvError::Lagged(count) => TryRecvError::Lagged(count),
    }
}

/// The doorbell that the shards ring, for the runtime's poller.
fn control_bell(region: &Region) -> io::Result<pipe::Receiver> {
    let bell = region.doorbell(DoorbellName::Control)?;
    pipe::Receiver::from_owned_fd(bell.as_fd().try_clone_to_owned()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_do_not_come_soon_are_waited_for_asleep() {
        let begun = Instant::now();
        let mut awake = AwakeForOwn::default();
        assert!(!awake.go_on(true, begun), "nothing was asked");
        awake.asked(begun);
        assert!(awake.go_on(true, begun));
        assert!(!awake.go_on(false, begun), "the answer is there");
        awake.asked(begun);
        assert!(!awake.go_on(true, begun + AWAKE_FOR_OWN), "long enough");
        for _ in 0..ASLEEP_AFTER_VAIN {
            awake.asked(begun);
            assert!(!awake.go_on(true, begun));
        }
        awake.asked(begun);
        assert!(awake.go_on(true, begun), "tried again");
    }
}
