//! One shard's pair of rings, and everything that is under way on it.

use crate::assembly::{Assembled, Assembly};
use crate::data_plane::{Ask, HeldResponse, OwnError};
use crate::descriptions::Descriptions;
use crate::image::EncodedImage;
use crate::jobs::{Added, Job, Jobs, Work};
use crate::outbound::{Flushed, Outbound};
use crate::own::OwnPending;
use crate::service::{Origin, Request};
use crate::view::{DataPlaneView, ShardImages};
use precursor_shm::control::{Malformed, ToControl, ToData};
use precursor_shm::ring::{Consumer, Producer};
use precursor_shm::{Doorbell, DoorbellName, Region};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Messages read from one shard before the others have their turn.
const MESSAGES_PER_TURN: usize = 64;
/// Answers that wait for room above this keep the bridge from taking more requests.
const OUTBOUND_BYTES_MAX: usize = 32 * 1024 * 1024;

/// What a turn asks of the bridge.
#[derive(Debug)]
pub(crate) enum Event {
    Start(Job),
    /// The shard is new or lost its place: it needs the whole image.
    NeedsImage,
}

/// The control plane's end towards one shard. Owned by the bridge's task.
pub(crate) struct Link {
    shard: u16,
    shards: u16,
    from_shard: Consumer,
    to_shard: Producer,
    bell: Doorbell,
    view: DataPlaneView,
    assembly: Assembly,
    pub jobs: Jobs,
    outbound: Outbound,
    own: OwnPending,
    descriptions: Descriptions,
    /// The shard has said hello since our own last one: it takes requests.
    connected: bool,
    /// What `Hello` said last; 0: nothing yet.
    data_generation: u64,
    /// The number of our own hellos: each of them says that what came before is lost.
    pub hello: u64,
    /// Answers of jobs that were started before the last hello are for nobody.
    pub epoch: u64,
    /// A whole image has been queued since the shard's hello.
    greeted: bool,
    blocked: bool,
    /// Version of the last image queued.
    image_version: u64,
}

impl Link {
    pub fn open(
        region: &Region,
        shard: u16,
        shards: u16,
        hello: u64,
        view: DataPlaneView,
    ) -> io::Result<Self> {
        let mut from_shard = region.to_control_consumer(shard);
        // Whatever was asked of an earlier control plane: the shard gives it up, or asks again,
        // when it reads our hello.
        from_shard.reset();
        from_shard.announce_awake();
        let mut link = Link {
            shard,
            shards,
            from_shard,
            to_shard: region.to_data_producer(shard),
            bell: region.doorbell(DoorbellName::Shard(shard))?,
            view,
            assembly: Assembly::default(),
            jobs: Jobs::default(),
            outbound: Outbound::default(),
            own: OwnPending::default(),
            descriptions: Descriptions::default(),
            connected: false,
            data_generation: 0,
            hello,
            epoch: 0,
            greeted: false,
            blocked: false,
            image_version: 0,
        };
        link.outbound.message(&ToData::Hello { generation: hello });
        Ok(link)
    }

    /// Reads what the shard wrote, a turn's worth. True when there was anything.
    pub fn drain(&mut self, events: &mut Vec<Event>) -> bool {
        let mut progressed = false;
        for _ in 0..MESSAGES_PER_TURN {
            if self.paused() {
                break;
            }
            let message = match self.from_shard.peek() {
                Ok(Some(bytes)) => bytes,
                Ok(None) => break,
                Err(corrupt) => {
                    tracing::error!(shard = self.shard, %corrupt, "a control ring begins anew");
                    self.from_shard.reset();
                    self.begin_anew();
                    return true;
                }
            };
            progressed = true;
            // Copied out of shared memory before it is looked at: what was checked must not be
            // changed afterwards by whoever wrote it.
            let message = message.to_vec();
            self.from_shard.release();
            if let Err(malformed) = self.take(&message, events) {
                self.count_malformed(malformed);
            }
        }
        progressed
    }

    /// Whether requests stay in the ring for now, and the shard with its clients waits.
    pub fn paused(&self) -> bool {
        !self.jobs.has_room() || self.outbound.bytes() > OUTBOUND_BYTES_MAX
    }

    fn take(&mut self, message: &[u8], events: &mut Vec<Event>) -> Result<(), Malformed> {
        match ToControl::decode(message)? {
            ToControl::Hello {
                generation,
                shard,
                shards,
            } => {
                if shard != self.shard || shards != self.shards {
                    return Err(Malformed("a hello of another shard"));
                }
                self.greet(generation);
                events.push(Event::NeedsImage);
            }
            ToControl::Request {
                token,
                connection,
                last,
                origin,
                bytes,
            } => {
                let held = self.jobs.bytes();
                match self.assembly.take(token, connection, last, bytes, held) {
                    Assembled::Nothing => {}
                    Assembled::Refused => self.refuse(token),
                    Assembled::Whole(_) if self.jobs.holds(token) => {
                        return Err(Malformed("a token that is in use"));
                    }
                    Assembled::Whole(frame) => {
                        let work = Work::Answer(Request {
                            shard: self.shard,
                            token,
                            connection,
                            origin: Origin {
                                peer: origin.peer.to_owned(),
                                listener: origin.listener.to_owned(),
                                principal: origin.principal.to_owned(),
                                software_name: origin.software_name.to_owned(),
                                software_version: origin.software_version.to_owned(),
                            },
                            frame,
                        });
                        self.add(Job { token, work }, events);
                    }
                }
            }
            ToControl::EnsureTopics { token, names } => {
                if self.jobs.holds(token) {
                    return Err(Malformed("a token that is in use"));
                }
                let work = Work::EnsureTopics(names.iter().map(ToString::to_string).collect());
                self.add(Job { token, work }, events);
            }
            ToControl::ImageApplied { version } => {
                // What it applied before this life's whole image says nothing.
                if self.greeted {
                    let served = |images: &mut ShardImages| images.served(version);
                    self.view.of_shard(self.shard, served);
                }
            }
            ToControl::LogState { log, error } => self.view.set_log_state(log, error),
            ToControl::ConnectionClosed { connection } => {
                self.assembly.forget_connection(connection);
                self.jobs.forget_connection(connection);
            }
            ToControl::OwnResponse { token, last, bytes } => self.own.take(token, last, bytes)?,
            ToControl::LogDescriptions {
                token,
                last,
                entries,
            } => self.descriptions.take(token, last, entries)?,
            ToControl::DirectoryDescriptions { token, directories } => {
                self.descriptions.take_directories(token, directories);
            }
        }
        Ok(())
    }

    fn add(&mut self, job: Job, events: &mut Vec<Event>) {
        match self.jobs.add(job) {
            Added::Start(job) => events.push(Event::Start(job)),
            Added::Waits => {}
            Added::Refused(job) => self.refuse(job.token),
        }
    }

    /// A shard said hello: whatever was asked before is for nobody now.
    fn greet(&mut self, generation: u64) {
        if generation != self.data_generation {
            self.data_generation = generation;
            self.view.forget_logs();
            // Answers and images for its predecessor; but our own hello, when it is still there,
            // is meant for whoever comes.
            let unsaid = !self.greeted && !self.outbound.is_empty();
            self.outbound.clear();
            if unsaid {
                self.outbound.message(&ToData::Hello {
                    generation: self.hello,
                });
            }
        }
        self.abandon();
        self.connected = true;
        self.say(true);
    }

    fn abandon(&mut self) {
        self.epoch += 1;
        self.assembly.clear();
        self.jobs.clear();
        self.own.clear();
        self.descriptions.clear();
    }

    /// A ring was impossible: messages may be lost, so both sides start over from hello.
    fn begin_anew(&mut self) {
        self.view
            .counters()
            .rings_reset
            .fetch_add(1, Ordering::Relaxed);
        self.abandon();
        self.outbound.clear();
        self.greeted = false;
        self.connected = false;
        self.hello += 1;
        self.outbound.message(&ToData::Hello {
            generation: self.hello,
        });
        self.say(false);
    }

    /// The shard is there or not, and has no image.
    fn say(&self, connected: bool) {
        let generation = self.data_generation;
        self.view.of_shard(self.shard, |images| {
            *images = ShardImages {
                connected,
                generation,
                ..ShardImages::default()
            };
        });
    }

    /// Queues a whole image, which the shard asked for.
    pub fn send_whole_image(&mut self, image: Arc<EncodedImage>) {
        self.greeted = true;
        self.send(image, true);
    }

    fn send(&mut self, image: Arc<EncodedImage>, whole: bool) {
        self.image_version = image.version;
        let sent = |images: &mut ShardImages| images.send(image.version, whole);
        self.view.of_shard(self.shard, sent);
        self.outbound.image(image);
    }

    /// Queues an image with what changed, unless the shard gets that with its whole one.
    pub fn send_changes(&mut self, image: &Arc<EncodedImage>) {
        if self.greeted && image.version > self.image_version {
            self.send(Arc::clone(image), image.whole);
        }
    }

    pub fn respond(&mut self, token: u64, frame: Vec<u8>) {
        let counter = &self.view.counters().requests_answered;
        counter.fetch_add(1, Ordering::Relaxed);
        self.outbound.response(token, frame);
    }

    /// Queues a question of the broker itself, when there is a shard to take it.
    pub fn ask(&mut self, ask: Ask) {
        match ask {
            // The caller may have gone.
            Ask::Request { reply, .. } if !self.connected => {
                let _ = reply.send(Err(OwnError::Lost));
            }
            Ask::DescribeLogs { reply } if !self.connected => {
                let _ = reply.send(Err(OwnError::Lost));
            }
            Ask::Request { frame, held, reply } => {
                let token = self.own.begin(reply);
                for response in held {
                    let HeldResponse { token: of, frame } = response;
                    self.outbound.held_response(token, of, frame);
                }
                self.outbound.own_request(token, frame);
            }
            Ask::DescribeLogs { reply } => {
                let token = self.descriptions.begin(reply);
                self.outbound.message(&ToData::DescribeLogs { token });
            }
        }
    }

    pub fn topics_ensured(&mut self, message: &ToData<'_>) {
        let counter = &self.view.counters().requests_answered;
        counter.fetch_add(1, Ordering::Relaxed);
        self.outbound.message(message);
    }

    /// The shard has sent the answer by itself.
    pub fn responded(&self) {
        let counter = &self.view.counters().requests_answered;
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Has the request's connection closed.
    pub fn refuse(&mut self, token: u64) {
        let counter = &self.view.counters().requests_refused;
        counter.fetch_add(1, Ordering::Relaxed);
        self.outbound.message(&ToData::Refused { token });
    }

    /// Writes what there is room for and wakes the shard when it sleeps. An event when the shard
    /// missed images meanwhile.
    pub fn flush(&mut self, events: &mut Vec<Event>) {
        self.blocked = false;
        if !self.outbound.is_empty() {
            match self.outbound.flush(&mut self.to_shard) {
                Flushed::All => {}
                Flushed::Blocked => self.blocked = true,
                Flushed::Corrupt => {
                    tracing::error!(shard = self.shard, "a shard left an impossible cursor");
                    self.to_shard.reset();
                    self.begin_anew();
                    self.blocked = true;
                }
            }
            if self.to_shard.publish() {
                self.bell.ring();
            }
        }
        if self.outbound.take_stale() {
            events.push(Event::NeedsImage);
        }
    }

    /// Whether the shard has a request of our own that it has not answered.
    pub fn waits_for_answer(&self) -> bool {
        !self.own.is_empty()
    }

    /// Whether messages wait for room: nobody tells when there is some.
    pub fn blocked(&self) -> bool {
        self.blocked
    }

    /// Says that the bridge is about to sleep. False: a message came, it must not.
    pub fn announce_sleep(&mut self) -> bool {
        // A paused ring is not read on, whatever comes: nothing to be woken for.
        self.paused() || self.from_shard.announce_sleep()
    }

    pub fn announce_awake(&mut self) {
        self.from_shard.announce_awake();
    }

    fn count_malformed(&self, malformed: Malformed) {
        let counter = &self.view.counters().messages_malformed;
        let count = counter.fetch_add(1, Ordering::Relaxed) + 1;
        // A peer gone wild must not fill the log: 1st, 2nd, 4th, 8th …
        if count.is_power_of_two() {
            tracing::warn!(shard = self.shard, count, %malformed, "from a shard");
        }
    }
}
