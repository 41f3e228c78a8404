//! Fetch sessions (KIP-227): what a consumer fetches is remembered, so that it names only changes.

use super::work::FetchEntry;
use precursor_model::{ErrorCode, TopicId};
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

/// The epoch of a fetch that begins a session.
pub(crate) const EPOCH_INITIAL: i32 = 0;
/// The epoch of a fetch that wants no session, or ends the one it names.
pub(crate) const EPOCH_FINAL: i32 = -1;
/// A session unused for this long makes way for a new one (KIP-227: two minutes).
const EVICTABLE_AFTER_MS: u64 = 120_000;

/// One session.
pub(crate) struct Session {
    /// Epoch that the next fetch must carry.
    epoch: i32,
    /// In the order of service; taken out while a fetch works on them.
    entries: Vec<FetchEntry>,
    /// Hash of (topic, partition) and the entry's place, sorted by hash.
    index: Vec<(u64, u32)>,
    in_use: bool,
    /// Topics are named by id (KIP-516): all requests of a session name them in the same way.
    by_id: bool,
    used_ms: u64,
    /// Where the next fetch begins, so that a full answer does not starve the last partitions.
    pub rotation: usize,
}

/// What became of a fetch's session fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SessionUse {
    /// The fetch names everything and leaves no session.
    None,
    /// The fetch begins this session: everything is answered.
    New(i32),
    /// The fetch goes on with this session: only changes are answered.
    Incremental(i32),
}

impl SessionUse {
    /// The session's id as the response carries it; 0 for none.
    pub fn id(self) -> i32 {
        match self {
            SessionUse::None => 0,
            SessionUse::New(id) | SessionUse::Incremental(id) => id,
        }
    }
}

/// The sessions of one shard, bounded.
pub(crate) struct SessionCache {
    sessions: HashMap<i32, Session>,
    slots: usize,
    hasher: RandomState,
    seed: u64,
    pub evictions: u64,
}

impl SessionCache {
    pub fn new(slots: usize) -> Self {
        let hasher = RandomState::new();
        SessionCache {
            sessions: HashMap::new(),
            slots,
            seed: hasher.hash_one(0x5e55_1045u64),
            hasher,
            evictions: 0,
        }
    }

    fn hash(&self, topic: (&str, TopicId), partition: i32) -> u64 {
        self.hasher.hash_one((topic.0, topic.1.0, partition))
    }

    /// Decides by the request's session fields.
    ///
    /// # Errors
    /// `FETCH_SESSION_ID_NOT_FOUND`, `INVALID_FETCH_SESSION_EPOCH`, `FETCH_SESSION_TOPIC_ID_ERROR`:
    /// the answer to the whole fetch.
    pub fn open(
        &mut self,
        id: i32,
        epoch: i32,
        by_id: bool,
        now_ms: u64,
    ) -> Result<SessionUse, ErrorCode> {
        if epoch == EPOCH_FINAL || epoch == EPOCH_INITIAL {
            if id != 0 {
                self.remove(id);
            }
            if epoch == EPOCH_FINAL {
                return Ok(SessionUse::None);
            }
            return Ok(self.create(by_id, now_ms));
        }
        let Some(session) = self.sessions.get_mut(&id) else {
            return Err(ErrorCode::FetchSessionIdNotFound);
        };
        // Two fetches of one session at a time: the second cannot know what the first will change.
        if session.in_use || session.epoch != epoch {
            return Err(ErrorCode::InvalidFetchSessionEpoch);
        }
        if session.by_id != by_id {
            return Err(ErrorCode::FetchSessionTopicIdError);
        }
        session.epoch = if epoch == i32::MAX { 1 } else { epoch + 1 };
        session.used_ms = now_ms;
        Ok(SessionUse::Incremental(id))
    }

    /// A fetch that is answered without its partitions. Its session's id for the answer: one that
    /// has begun goes on, one that would begin does not.
    pub fn leave_out(&mut self, session: SessionUse) -> i32 {
        match session {
            SessionUse::None => 0,
            SessionUse::New(id) => {
                self.remove(id);
                0
            }
            SessionUse::Incremental(id) => id,
        }
    }

    fn create(&mut self, by_id: bool, now_ms: u64) -> SessionUse {
        if self.sessions.len() >= self.slots {
            let oldest = self
                .sessions
                .iter()
                .filter(|(_, s)| !s.in_use && s.used_ms + EVICTABLE_AFTER_MS <= now_ms)
                .min_by_key(|(_, session)| session.used_ms)
                .map(|(id, _)| *id);
            let Some(oldest) = oldest else {
                return SessionUse::None;
            };
            self.sessions.remove(&oldest);
            self.evictions += 1;
        }
        let id = self.vacant_id();
        self.sessions.insert(
            id,
            Session {
                epoch: EPOCH_INITIAL + 1,
                entries: Vec::new(),
                index: Vec::new(),
                in_use: false,
                by_id,
                used_ms: now_ms,
                rotation: 0,
            },
        );
        SessionUse::New(id)
    }

    /// Ids are not guessable from one another, and never 0.
    fn vacant_id(&mut self) -> i32 {
        loop {
            self.seed = self.hasher.hash_one(self.seed);
            let id = (self.seed >> 33) as i32;
            if id > 0 && !self.sessions.contains_key(&id) {
                return id;
            }
        }
    }

    /// Ends a session.
    pub fn remove(&mut self, id: i32) {
        self.sessions.remove(&id);
    }

    /// Takes a session's entries for one fetch, and where it begins.
    pub fn take_entries(&mut self, id: i32) -> (Vec<FetchEntry>, usize) {
        match self.sessions.get_mut(&id) {
            Some(session) => {
                session.in_use = true;
                (std::mem::take(&mut session.entries), session.rotation)
            }
            None => (Vec::new(), 0),
        }
    }

    /// Returns a session's entries; a session ended meanwhile drops them.
    pub fn return_entries(&mut self, id: i32, entries: Vec<FetchEntry>, rotation: usize) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.rotation = if entries.is_empty() {
                0
            } else {
                rotation % entries.len()
            };
            session.entries = entries;
            session.in_use = false;
        }
    }

    /// The place of a partition among a session's entries.
    pub fn find(
        &self,
        id: i32,
        entries: &[FetchEntry],
        topic: (&str, TopicId),
        part: i32,
    ) -> Option<usize> {
        let hash = self.hash(topic, part);
        let index = &self.sessions.get(&id)?.index;
        let first = index.partition_point(|(h, _)| *h < hash);
        index[first..]
            .iter()
            .take_while(|(h, _)| *h == hash)
            .map(|(_, place)| *place as usize)
            .find(|place| {
                let entry = &entries[*place];
                entry.partition == part && *entry.topic == *topic.0 && entry.topic_id == topic.1
            })
    }

    /// Adds an entry at the end.
    pub fn add(&mut self, id: i32, entries: &mut Vec<FetchEntry>, entry: FetchEntry) {
        let hash = self.hash((&entry.topic, entry.topic_id), entry.partition);
        if let Some(session) = self.sessions.get_mut(&id) {
            let at = session.index.partition_point(|(h, _)| *h < hash);
            session.index.insert(at, (hash, entries.len() as u32));
            entries.push(entry);
        }
    }

    /// Drops entries marked as forgotten and indexes the rest anew.
    pub fn forget(&mut self, id: i32, entries: &mut Vec<FetchEntry>) {
        entries.retain(|entry| !entry.forgotten);
        let hasher = &self.hasher;
        if let Some(session) = self.sessions.get_mut(&id) {
            session.index.clear();
            let hashed = entries.iter().enumerate().map(|(place, entry)| {
                let hash = hasher.hash_one((&*entry.topic, entry.topic_id.0, entry.partition));
                (hash, place as u32)
            });
            session.index.extend(hashed);
            session.index.sort_unstable();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    fn entry(topic: &str, partition: i32) -> FetchEntry {
        let mut entry = FetchEntry::new(Rc::from(topic), TopicId::ZERO);
        entry.partition = partition;
        entry
    }

    #[test]
    fn epochs_count_and_strangers_are_refused() {
        let mut cache = SessionCache::new(2);
        assert_eq!(cache.open(0, EPOCH_FINAL, false, 0), Ok(SessionUse::None));
        let Ok(SessionUse::New(id)) = cache.open(0, EPOCH_INITIAL, false, 0) else {
            panic!("a new session");
        };
        assert_eq!(
            cache.open(id ^ 1, 1, false, 0),
            Err(ErrorCode::FetchSessionIdNotFound)
        );
        assert_eq!(
            cache.open(id, 2, false, 0),
            Err(ErrorCode::InvalidFetchSessionEpoch)
        );
        assert_eq!(cache.open(id, 1, false, 0), Ok(SessionUse::Incremental(id)));
        assert_eq!(
            cache.open(id, 1, false, 0),
            Err(ErrorCode::InvalidFetchSessionEpoch)
        );
        let (entries, _) = cache.take_entries(id);
        assert_eq!(
            cache.open(id, 2, false, 0),
            Err(ErrorCode::InvalidFetchSessionEpoch),
            "one fetch at a time"
        );
        cache.return_entries(id, entries, 0);
        assert_eq!(cache.open(id, 2, false, 0), Ok(SessionUse::Incremental(id)));
        assert_eq!(cache.open(id, EPOCH_FINAL, false, 0), Ok(SessionUse::None));
        assert_eq!(
            cache.open(id, 3, false, 0),
            Err(ErrorCode::FetchSessionIdNotFound)
        );
    }

    #[test]
    fn a_full_cache_evicts_only_what_is_stale() {
        let mut cache = SessionCache::new(2);
        let first = cache.open(0, EPOCH_INITIAL, false, 0).unwrap();
        let _second = cache.open(0, EPOCH_INITIAL, false, 100_000).unwrap();
        assert_eq!(
            cache.open(0, EPOCH_INITIAL, false, 119_999),
            Ok(SessionUse::None)
        );
        let third = cache.open(0, EPOCH_INITIAL, false, 120_000).unwrap();
        assert_ne!(third, SessionUse::None);
        assert_eq!(
            cache.open(first.id(), 1, false, 120_000),
            Err(ErrorCode::FetchSessionIdNotFound)
        );
        assert_eq!((cache.sessions.len(), cache.evictions), (2, 1));
    }

    #[test]
    fn entries_are_found_added_and_forgotten() {
        let mut cache = SessionCache::new(2);
        let id = cache.open(0, EPOCH_INITIAL, false, 0).unwrap().id();
        let (mut entries, _) = cache.take_entries(id);
        for partition in 0..500 {
            cache.add(id, &mut entries, entry("a", partition));
            cache.add(id, &mut entries, entry("b", partition));
        }
        for partition in 0..500 {
            let place = cache
                .find(id, &entries, ("b", TopicId::ZERO), partition)
                .expect("there");
            assert_eq!(*entries[place].topic, *"b");
            assert_eq!(entries[place].partition, partition);
        }
        assert_eq!(cache.find(id, &entries, ("b", TopicId::ZERO), 500), None);
        for entry in &mut entries {
            entry.forgotten = &*entry.topic == "a";
        }
        cache.forget(id, &mut entries);
        assert_eq!(entries.len(), 500);
        assert_eq!(cache.find(id, &entries, ("a", TopicId::ZERO), 1), None);
        assert!(
            cache
                .find(id, &entries, ("b", TopicId::ZERO), 499)
                .is_some()
        );
        cache.return_entries(id, entries, 7);
        assert_eq!(cache.take_entries(id).1, 7);
    }

    #[test]
    fn a_session_names_topics_in_one_way() {
        let mut cache = SessionCache::new(2);
        let id = cache.open(0, EPOCH_INITIAL, true, 0).unwrap().id();
        let mixed = Err(ErrorCode::FetchSessionTopicIdError);
        assert_eq!(cache.open(id, 1, false, 0), mixed);
        let (mut entries, _) = cache.take_entries(id);
        let [first, second] = [TopicId([1; 16]), TopicId([2; 16])];
        for topic in [first, second] {
            cache.add(id, &mut entries, FetchEntry::new(Rc::from(""), topic));
        }
        assert_eq!(cache.find(id, &entries, ("", first), 0), Some(0));
        assert_eq!(cache.find(id, &entries, ("", second), 0), Some(1));
        assert_eq!(cache.find(id, &entries, ("", TopicId::ZERO), 0), None);
    }
}
