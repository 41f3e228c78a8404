//! The workers of a shard: threads behind queues without locks.

use super::{OpenDevices, Preparation, Worker};
use precursor_disk::{Helper, Wake, give_way, keep_off};
use precursor_shm::Buffer;
use std::io;
use std::sync::Arc;

/// Batches that one worker has before it at once; more wait with their owner.
const QUEUE: usize = 8;

/// How many workers a store has, and where.
#[derive(Clone, Debug)]
pub struct WorkerOptions {
    /// At least 1.
    pub workers: usize,
    /// Processors that are others': workers keep off them where there are more.
    pub taken_cpus: Vec<usize>,
    /// What each may compress with beside software.
    pub devices: OpenDevices,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        WorkerOptions {
            workers: 1,
            taken_cpus: Vec::new(),
            devices: Vec::new,
        }
    }
}

/// The workers of one store. Belongs to the shard's thread.
pub(crate) struct Workers {
    helpers: Vec<Helper<Preparation, Preparation>>,
    /// Whose turn it is to be asked for what it has done.
    next: usize,
}

impl Workers {
    pub fn spawn(options: &WorkerOptions, shard: u16, wake: &Arc<Wake>) -> io::Result<Workers> {
        let spawn = |number: usize| {
            let (taken, devices) = (options.taken_cpus.clone(), options.devices);
            let name = format!("codec-{shard}-{number}");
            let make = move || {
                give_way();
                keep_off(&taken);
                let mut worker = Worker::new(devices);
                move |job| worker.run(job)
            };
            Helper::spawn_making(name, QUEUE, wake.clone(), make)
        };
        let helpers: io::Result<_> = (0..options.workers.max(1)).map(spawn).collect();
        Ok(Workers {
            helpers: helpers?,
            next: 0,
        })
    }

    /// For simulations: the work is done when its outcome is asked for.
    pub fn inline(options: &WorkerOptions) -> Workers {
        let mut worker = Worker::new(options.devices);
        let run = move |job| worker.run(job);
        Workers {
            helpers: vec![Helper::inline(QUEUE, run)],
            next: 0,
        }
    }

    /// Gives a batch to the worker with the least to do, or its memory back.
    pub fn try_send(&mut self, job: Preparation) -> Result<(), (Buffer, Vec<u8>)> {
        let helpers = self.helpers.iter_mut();
        match helpers.max_by_key(|helper| helper.capacity()) {
            Some(helper) => {
                let sent = helper.try_send(job);
                sent.map_err(|back| (back.records, back.rewritten))
            }
            None => Err((job.records, job.rewritten)),
        }
    }

    /// Whether a batch could be given now.
    pub fn has_room(&self) -> bool {
        self.helpers.iter().any(|helper| helper.capacity() > 0)
    }

    /// A batch whose work is done.
    pub fn try_receive(&mut self) -> Option<Preparation> {
        for _ in 0..self.helpers.len() {
            let at = self.next;
            self.next = (self.next + 1) % self.helpers.len();
            let helper = &mut self.helpers[at];
            if helper.is_busy()
                && let Some(done) = helper.try_receive()
            {
                return Some(done);
            }
        }
        None
    }
}
