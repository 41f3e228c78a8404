//! Topic names and ids, kept once: a million offsets name few topics.

use precursor_model::TopicId;
use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

/// Numbers for topic names and for topic ids.
#[derive(Debug, Default)]
pub(crate) struct Topics {
    pub(crate) names: Interner<Arc<str>>,
    pub(crate) ids: Interner<TopicId>,
}

/// Numbers for values; a number is given back when nothing uses it any more.
#[derive(Debug)]
pub(crate) struct Interner<T> {
    numbers: HashMap<T, u32>,
    entries: Vec<Entry<T>>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Entry<T> {
    value: T,
    uses: u32,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Interner {
            numbers: HashMap::new(),
            entries: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T: Clone + Eq + Hash> Interner<T> {
    pub(crate) fn find<Q>(&self, value: &Q) -> Option<u32>
    where
        T: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.numbers.get(value).copied()
    }

    /// The value of a number that is in use.
    pub(crate) fn value(&self, number: u32) -> &T {
        &self.entries[number as usize].value
    }

    /// The value's number, with one more use of it.
    pub(crate) fn acquire<Q>(&mut self, value: &Q, own: impl FnOnce(&Q) -> T) -> u32
    where
        T: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        if let Some(number) = self.find(value) {
            self.entries[number as usize].uses += 1;
            return number;
        }
        let value = own(value);
        let entry = Entry {
            value: value.clone(),
            uses: 1,
        };
        let number = match self.free.pop() {
            Some(number) => {
                self.entries[number as usize] = entry;
                number
            }
            None => {
                self.entries.push(entry);
                (self.entries.len() - 1) as u32
            }
        };
        self.numbers.insert(value, number);
        number
    }

    /// One use less.
    pub(crate) fn release(&mut self, number: u32) {
        let entry = &mut self.entries[number as usize];
        entry.uses -= 1;
        if entry.uses == 0 {
            self.numbers.remove(&entry.value);
            self.free.push(number);
        }
    }

    /// How many values are in use.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.numbers.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_reused_when_nothing_uses_it() {
        let mut names = Interner::<Arc<str>>::default();
        let a = names.acquire("a", |name| name.into());
        let b = names.acquire("b", |name| name.into());
        assert_eq!(names.acquire("a", |name| name.into()), a);
        names.release(a);
        assert_eq!(names.find("a"), Some(a));
        names.release(a);
        assert_eq!(names.find("a"), None);
        assert_eq!(names.acquire("c", |name| name.into()), a);
        assert_eq!(&**names.value(b), "b");
        assert_eq!(names.len(), 2);
    }
}
