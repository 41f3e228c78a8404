//! Views see what owned messages see.

use crate::random::{Random, Source};
use precursor_protocol::{Message, every_view, messages, views};

/// A random message's bytes, without and with tagged fields that nobody knows.
fn twins<M: Message + Random>(seed: u64, version: i16) -> (M, Vec<u8>) {
    let mut plain_source = Source::new(seed);
    plain_source.unknown_tags = false;
    let plain = M::random(&mut plain_source, version);
    let mut bytes = Vec::new();
    M::random(&mut Source::new(seed), version)
        .encode(&mut bytes, version)
        .expect("random messages can be written");
    (plain, bytes)
}

#[test]
fn views_equal_owned_messages() {
    macro_rules! visit {
        ($name:ident, $view:ident) => {
            for version in messages::$name::VERSION_MIN..=messages::$name::VERSION_MAX {
                for seed in 0..100 {
                    let about = format!("{} version {version} seed {seed}", stringify!($name));
                    let (plain, bytes) = twins::<messages::$name>(seed, version);
                    let view = views::$view::parse(&bytes, version).expect(&about);
                    assert!(view.to_message() == plain, "{about}");
                    // Cut anywhere, both refuse for the same reason.
                    for end in 0..bytes.len().min(200) {
                        let owned = messages::$name::decode(&bytes[..end], version).err();
                        let view = views::$view::parse(&bytes[..end], version).err();
                        assert_eq!(owned, view, "{about} cut at {end}");
                        assert!(owned.is_some(), "{about} cut at {end}");
                    }
                }
            }
        };
    }
    every_view!(visit);
}
