//! What is sent: one step is one request, or a few that belong together.

pub(crate) mod admin;
pub(crate) mod configs;
pub(crate) mod groups;
pub(crate) mod records;
pub(crate) mod topics;

use crate::dice::Dice;
use crate::pair::Pair;

/// What the sequence is about.
pub(crate) struct World {
    pub topics: Vec<String>,
    pub groups: Vec<String>,
    /// The member of each group that joined last, by our name for it, and its generation.
    pub members: Vec<Option<(String, i32)>>,
    /// Whether somebody joined the group since it was last deleted.
    pub joined: Vec<bool>,
    /// Producer ids given out so far.
    pub producers: usize,
    /// Next sequence number of each producer on each topic's partition 0.
    pub sequences: std::collections::HashMap<(usize, String), i32>,
    pub seed: u64,
    /// Numbers what brokers make up.
    pub made: usize,
}

impl World {
    pub fn new(seed: u64) -> World {
        let topics = ["alpha", "beta.one", "gamma"];
        let groups = ["readers", "writers"];
        World {
            topics: topics.iter().map(|name| format!("{name}-{seed}")).collect(),
            groups: groups.iter().map(|name| format!("{name}-{seed}")).collect(),
            members: vec![None; groups.len()],
            joined: vec![false; groups.len()],
            producers: 0,
            sequences: std::collections::HashMap::new(),
            seed,
            made: 0,
        }
    }

    /// Every group that the sequence asks about.
    pub fn all_groups(&self) -> Vec<String> {
        let more = ["no such group".to_owned(), format!("static-{}", self.seed)];
        self.groups.iter().cloned().chain(more).collect()
    }

    /// The name of a topic that is never made.
    pub fn missing(&self) -> String {
        format!("missing-{}", self.seed)
    }

    /// A topic of the sequence, or a name that stands for none.
    pub fn topic(&self, dice: &mut Dice) -> String {
        if dice.once_in(6) {
            return dice.pick(&[self.missing(), "not a name".to_owned(), String::new()]);
        }
        dice.pick(&self.topics)
    }
}

type Step = fn(&mut Pair, &mut World, &mut Dice);

/// Every step, as often as it is to be chosen in proportion.
const STEPS: &[(u32, Step)] = &[
    (4, topics::create),
    (1, topics::delete),
    (1, topics::create_partitions),
    (3, topics::metadata),
    (1, topics::describe_cluster),
    (1, topics::describe_partitions),
    (8, records::produce),
    (3, records::produce_idempotent),
    (5, records::fetch),
    (3, records::list_offsets),
    (1, records::leader_epochs),
    (1, records::delete_records),
    (1, records::describe_producers),
    (2, records::init_producer_id),
    (2, configs::describe),
    (2, configs::alter),
    (1, configs::alter_whole),
    (1, groups::find_coordinator),
    (4, groups::join),
    (2, groups::sync),
    (2, groups::heartbeat),
    (1, groups::leave),
    (3, groups::commit),
    (3, groups::fetch_offsets),
    (1, groups::describe),
    (1, groups::list),
    (1, groups::delete),
    (1, groups::delete_offsets),
    (2, admin::alter_quotas),
    (2, admin::describe_quotas),
    (1, admin::log_dirs),
    (1, admin::config_resources),
    (1, admin::elect),
    (1, admin::reassign),
    (1, admin::reassignments),
];

/// Takes one step.
pub(crate) fn take_one(pair: &mut Pair, world: &mut World, dice: &mut Dice) {
    let weighted = STEPS
        .iter()
        .flat_map(|(weight, step)| vec![*step; *weight as usize]);
    let steps: Vec<Step> = weighted.collect();
    dice.pick(&steps)(pair, world, dice);
}

/// Deletes what the sequence made.
pub(crate) fn clean_up(pair: &mut Pair, world: &World) {
    topics::delete_all(pair, &world.topics);
}
