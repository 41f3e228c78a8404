//! Many who start at once: one makes the region, all get the same.

use std::path::Path;
use std::sync::Barrier;

use precursor_shm::{Found, Region};

use crate::support::{Fixture, Running, options, until};

const RACERS: u64 = 8;

/// Finds or makes the region and leaves word in it.
pub fn create_and_count(data: &Path) {
    let (region, found) = Region::create_or_attach(&options(data)).unwrap();
    let word = match found {
        Found::Created => "made",
        Found::Existing => "found",
    };
    let name = data.join(format!("racer-{}", std::process::id()));
    std::fs::write(name, format!("{word} {}", region.path().display())).unwrap();
    // Stay attached until all have come.
    until("the others", || racers(data) == RACERS as usize);
}

fn racers(data: &Path) -> usize {
    std::fs::read_dir(data)
        .unwrap()
        .filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_string_lossy().starts_with("racer-")
        })
        .count()
}

#[test]
fn of_racing_processes_one_makes_it() {
    let fixture = Fixture::new();
    let children: Vec<Running> = (0..RACERS)
        .map(|number| Running::start("race", fixture.data.path(), number))
        .collect();
    for child in children {
        assert!(child.succeeded());
    }
    let mut words = Vec::new();
    for entry in std::fs::read_dir(fixture.data.path()).unwrap() {
        let path = entry.unwrap().path();
        if path
            .file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with("racer-")
        {
            words.push(std::fs::read_to_string(path).unwrap());
        }
    }
    words.sort();
    assert_eq!(words.len(), RACERS as usize);
    let made = words
        .iter()
        .filter(|word| word.starts_with("made "))
        .count();
    assert_eq!(made, 1, "{words:?}");
}

/// Creation, attachment and removal by many threads: nobody ever meets half a region.
#[test]
fn making_and_removing_can_be_repeated_by_many() {
    let fixture = Fixture::new();
    let barrier = Barrier::new(4);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (options, barrier) = (&fixture.options, &barrier);
            scope.spawn(move || {
                barrier.wait();
                for round in 0..40 {
                    let (region, _) = Region::create_or_attach(options).unwrap();
                    region.status().begin_data(thread);
                    if round % 4 == thread {
                        region.unlink().unwrap();
                    }
                }
            });
        }
    });
}
