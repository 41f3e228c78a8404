//! The allocator against the plainest model: a list of who owns which unit.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

#[test]
fn sizes_become_orders() {
    assert_eq!(order_for(0), None);
    assert_eq!(order_for(1), Some(0));
    assert_eq!(order_for(4096), Some(0));
    assert_eq!(order_for(4097), Some(1));
    assert_eq!(order_for(16384), Some(2));
    assert_eq!(order_for(CHUNK_BYTES), Some(9));
    assert_eq!(order_for(CHUNK_BYTES + 1), None);
}

#[test]
fn lends_nothing_before_a_chunk_is_added_and_all_of_it_after() {
    let mut buddy = BuddyAllocator::new(2 * CHUNK_BYTES);
    assert_eq!(buddy.allocate(0), None);
    buddy.add_chunk(1);
    let units: Vec<u32> = (0..CHUNK_UNITS)
        .map(|_| buddy.allocate(0).unwrap())
        .collect();
    assert_eq!(units, (512..1024).collect::<Vec<u32>>());
    assert_eq!(buddy.allocate(0), None);
    assert_eq!(buddy.largest_free(), 0);
    for unit in units {
        assert_eq!(buddy.free(unit), 0);
    }
    assert_eq!(buddy.largest_free(), CHUNK_BYTES);
    assert_eq!(buddy.bytes_in_use_max(), CHUNK_BYTES);
    assert!(buddy.remove_chunk(1));
    assert!(!buddy.remove_chunk(1));
    assert_eq!(buddy.allocate(0), None);
}

#[test]
fn finds_chunks_beyond_the_first_words_of_its_sets() {
    let mut buddy = BuddyAllocator::new(5000 * CHUNK_BYTES);
    buddy.add_chunk(4999);
    assert_eq!(buddy.allocate(9), Some(4999 * 512));
    buddy.free(4999 * 512);
    buddy.add_chunk(70);
    assert_eq!(buddy.allocate(3), Some(70 * 512));
}

#[test]
#[should_panic(expected = "given back once")]
fn giving_back_twice_is_a_misuse() {
    let mut buddy = BuddyAllocator::new(CHUNK_BYTES);
    buddy.add_chunk(0);
    let unit = buddy.allocate(2).unwrap();
    buddy.free(unit);
    buddy.free(unit);
}

#[test]
fn claims_are_refused_where_they_do_not_fit() {
    let mut buddy = BuddyAllocator::new(2 * CHUNK_BYTES);
    buddy.add_chunk(0);
    assert_eq!(buddy.claim(1, 1), Err(ClaimError::Misplaced));
    assert_eq!(buddy.claim(0, 10), Err(ClaimError::Misplaced));
    assert_eq!(buddy.claim(1024, 0), Err(ClaimError::Misplaced));
    assert_eq!(buddy.claim(u32::MAX, 0), Err(ClaimError::Misplaced));
    assert_eq!(buddy.claim(512, 0), Err(ClaimError::Taken));
    assert_eq!(buddy.claim(8, 2), Ok(()));
    assert_eq!(buddy.claim(8, 3), Err(ClaimError::Taken));
    assert_eq!(buddy.claim(10, 0), Err(ClaimError::Taken));
    assert_eq!(buddy.claim(12, 2), Ok(()));
    assert_eq!(buddy.order(8), Some(2));
    assert_eq!(buddy.order(9), None);
}

#[derive(Clone, Debug)]
enum Step {
    Allocate(u8),
    Free(usize),
    Claim(u32, u8),
    Add,
    Remove(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..=ORDER_MAX).prop_map(Step::Allocate),
        4 => any::<usize>().prop_map(Step::Free),
        2 => (0..2000_u32, 0..11_u8).prop_map(|(unit, order)| Step::Claim(unit, order)),
        1 => Just(Step::Add),
        1 => (0..4_usize).prop_map(Step::Remove),
    ]
}

/// Who owns each unit: `None` not in the pool, `Some(0)` free, `Some(n)` the n-th block.
struct Model {
    units: Vec<Option<u32>>,
    blocks: HashMap<u32, u8>,
}

impl Model {
    fn take(&mut self, unit: u32, order: u8) {
        for at in unit..unit + (1 << order) {
            assert_eq!(self.units[at as usize], Some(0), "unit {at} was lent twice");
            self.units[at as usize] = Some(unit + 1);
        }
        self.blocks.insert(unit, order);
    }

    fn whole_chunks_free(&self) -> usize {
        let chunks = self.units.chunks(CHUNK_UNITS);
        chunks
            .filter(|chunk| chunk.iter().all(|unit| *unit == Some(0)))
            .count()
    }

    /// Whether an aligned free run of this order exists (buddies always merge, so it must be found).
    fn has_room(&self, order: u8) -> bool {
        self.units
            .chunks(1 << order)
            .any(|run| run.iter().all(|unit| *unit == Some(0)))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]
    #[test]
    fn agrees_with_the_model(steps in prop::collection::vec(step(), 1..300)) {
        let chunks = 3;
        let mut buddy = BuddyAllocator::new(chunks * CHUNK_BYTES);
        let mut model = Model { units: vec![None; chunks * CHUNK_UNITS], blocks: HashMap::new() };
        for step in steps {
            match step {
                Step::Allocate(order) => match buddy.allocate(order) {
                    Some(unit) => {
                        prop_assert_eq!(unit % (1 << order), 0);
                        model.take(unit, order);
                    }
                    None => prop_assert!(!model.has_room(order)),
                },
                Step::Free(pick) => {
                    let mut units: Vec<u32> = model.blocks.keys().copied().collect();
                    units.sort_unstable();
                    if units.is_empty() { continue; }
                    let unit = units[pick % units.len()];
                    let order = model.blocks.remove(&unit).unwrap();
                    prop_assert_eq!(buddy.free(unit), order);
                    for at in unit..unit + (1 << order) { model.units[at as usize] = Some(0); }
                }
                Step::Claim(unit, order) => {
                    let fits = order <= ORDER_MAX && (unit as usize) < model.units.len()
                        && unit % (1 << order) == 0;
                    let expected = if !fits { Err(ClaimError::Misplaced) }
                        else if model.units[unit as usize..][..1 << order].iter().all(|u| *u == Some(0)) { Ok(()) }
                        else { Err(ClaimError::Taken) };
                    prop_assert_eq!(buddy.claim(unit, order), expected);
                    if expected.is_ok() { model.take(unit, order); }
                }
                Step::Add => {
                    if let Some(chunk) = (0..chunks).find(|c| model.units[c * CHUNK_UNITS].is_none()) {
                        buddy.add_chunk(chunk);
                        model.units[chunk * CHUNK_UNITS..][..CHUNK_UNITS].fill(Some(0));
                    }
                }
                Step::Remove(chunk) => {
                    let free = chunk < chunks
                        && model.units[chunk * CHUNK_UNITS..][..CHUNK_UNITS].iter().all(|u| *u == Some(0));
                    prop_assert_eq!(buddy.remove_chunk(chunk), free);
                    if free { model.units[chunk * CHUNK_UNITS..][..CHUNK_UNITS].fill(None); }
                }
            }
            let taken: usize = model.blocks.values().map(|order| UNIT_BYTES << order).sum();
            let free = model.units.iter().filter(|unit| **unit == Some(0)).count() * UNIT_BYTES;
            prop_assert_eq!(buddy.bytes_in_use(), taken);
            prop_assert_eq!(buddy.bytes_free(), free);
            let whole = model.whole_chunks_free();
            prop_assert_eq!(buddy.bytes_free_whole(), whole * CHUNK_BYTES);
            let largest = (0..=ORDER_MAX).rev().find(|o| model.has_room(*o)).map_or(0, |o| UNIT_BYTES << o);
            prop_assert_eq!(buddy.largest_free(), largest);
        }
    }
}
