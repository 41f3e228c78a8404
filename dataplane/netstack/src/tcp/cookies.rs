//! Numbers that strangers cannot guess: initial sequence numbers (RFC 6528), timestamps' offsets, and
//! SYN cookies (RFC 4987, 3.6), which keep a half-open connection in its own sequence number.

use siphasher::sip::SipHasher24;

use super::connection::milliseconds;
use crate::config::{Nanos, SECOND};
use crate::table::{Key, bytes_of};
use crate::wire::tcp::Options;

/// Segment sizes that a cookie can name.
const SIZES: [u16; 8] = [64, 536, 1220, 1380, 1440, 1460, 4312, 8960];
/// How long one number of the cookies' clock lasts; a cookie is good for one to two of them.
const PERIOD: Nanos = 64 * SECOND;
const MAC_MASK: u32 = 0x00ff_ffff;
/// Bits of a timestamp that carry options; offsets leave them free.
const OPTION_BITS: u32 = 0x3f;
const NO_SCALE: u32 = 15;

pub struct Cookies {
    hash: SipHasher24,
}

/// What a good cookie says of the peer's SYN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remembered {
    pub mss: u16,
    pub window_scale: Option<u8>,
    pub sack_permitted: bool,
}

impl Cookies {
    pub fn new(key: [u8; 16]) -> Cookies {
        Cookies {
            hash: SipHasher24::new_with_key(&key),
        }
    }

    fn digest(&self, key: &Key, purpose: u8, extra: u64) -> u64 {
        let mut bytes = [0; 30];
        bytes[..21].copy_from_slice(&bytes_of(key));
        bytes[21] = purpose;
        bytes[22..].copy_from_slice(&extra.to_be_bytes());
        self.hash.hash(&bytes)
    }

    /// A clock of 4 µs plus a keyed hash of the connection's name.
    pub fn initial_sequence(&self, key: &Key, now: Nanos) -> u32 {
        ((now / 4_000) as u32).wrapping_add(self.digest(key, 1, 0) as u32)
    }

    pub fn timestamp_offset(&self, key: &Key) -> u32 {
        self.digest(key, 2, 0) as u32 & !OPTION_BITS
    }

    pub fn cookie(&self, key: &Key, peer_sequence: u32, mss: u16, now: Nanos) -> u32 {
        let size = SIZES.partition_point(|size| *size <= mss).saturating_sub(1) as u32;
        let period = (now / PERIOD) as u32 & 31;
        period << 27 | size << 24 | self.mac(key, peer_sequence, now / PERIOD, size)
    }

    fn mac(&self, key: &Key, peer_sequence: u32, period: u64, size: u32) -> u32 {
        let extra = u64::from(peer_sequence) << 32 | (period & 0x0fff_ffff) << 4 | u64::from(size);
        self.digest(key, 3, extra) as u32 & MAC_MASK
    }

    /// The segment size that a cookie of ours names; None where it is none, or too old.
    pub fn check(&self, key: &Key, peer_sequence: u32, cookie: u32, now: Nanos) -> Option<u16> {
        let current = now / PERIOD;
        let age = (current as u32).wrapping_sub(cookie >> 27) & 31;
        let period = current.checked_sub(u64::from(age)).filter(|_| age <= 1)?;
        let size = cookie >> 24 & 7;
        let good = self.mac(key, peer_sequence, period, size) == cookie & MAC_MASK;
        good.then(|| SIZES[size as usize])
    }

    /// A timestamp that carries what a cookie has no room for; never ahead of the clock.
    pub fn timestamp(&self, key: &Key, options: &Options, now: Nanos) -> u32 {
        let scale = options.window_scale.map_or(NO_SCALE, u32::from);
        let bits = scale | u32::from(options.sack_permitted) << 4;
        let clock = milliseconds(now).wrapping_add(self.timestamp_offset(key));
        let value = clock & !OPTION_BITS | bits;
        if value > clock {
            value.wrapping_sub(OPTION_BITS + 1)
        } else {
            value
        }
    }

    /// What [`Cookies::timestamp`] put into the timestamp that the peer echoes.
    pub fn remembered(mss: u16, echo: Option<u32>) -> Remembered {
        let scale = echo.map_or(NO_SCALE, |echo| echo & 15);
        Remembered {
            mss,
            window_scale: (scale <= 14).then_some(scale as u8),
            sack_permitted: echo.is_some_and(|echo| echo & 16 != 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::ip::Address;

    fn key(port: u16) -> Key {
        Key {
            remote: Address::v4([10, 0, 0, 2]),
            remote_port: port,
            local_port: 9092,
            local: 0,
        }
    }

    #[test]
    fn a_cookie_is_good_for_its_connection_and_its_time() {
        let cookies = Cookies::new([3; 16]);
        let now = 1_000 * SECOND;
        for mss in [64, 100, 536, 1460, 1461, 9000, 65535] {
            let cookie = cookies.cookie(&key(7), 99, mss, now);
            let size = cookies.check(&key(7), 99, cookie, now).unwrap();
            assert!(size <= mss);
            assert_eq!(
                cookies.check(&key(7), 99, cookie, now + 60 * SECOND),
                Some(size)
            );
            assert_eq!(cookies.check(&key(7), 99, cookie, now + 200 * SECOND), None);
            assert_eq!(cookies.check(&key(8), 99, cookie, now), None);
            assert_eq!(cookies.check(&key(7), 98, cookie, now), None);
            assert_eq!(cookies.check(&key(7), 99, cookie ^ 1, now), None);
        }
    }

    #[test]
    fn options_ride_in_the_timestamp() {
        let cookies = Cookies::new([3; 16]);
        for (window_scale, sack_permitted) in [(None, true), (Some(0), false), (Some(14), true)] {
            let options = Options {
                window_scale,
                sack_permitted,
                ..Options::default()
            };
            for step in 0..200 {
                let now = step * 1_000_000;
                let value = cookies.timestamp(&key(1), &options, now);
                let clock = milliseconds(now).wrapping_add(cookies.timestamp_offset(&key(1)));
                assert!(clock.wrapping_sub(value) <= 64);
                let remembered = Cookies::remembered(536, Some(value));
                assert_eq!(remembered.window_scale, window_scale);
                assert_eq!(remembered.sack_permitted, sack_permitted);
            }
        }
    }

    #[test]
    fn sequence_numbers_move_on_with_the_clock() {
        let cookies = Cookies::new([3; 16]);
        let first = cookies.initial_sequence(&key(1), SECOND);
        assert_eq!(
            cookies.initial_sequence(&key(1), 2 * SECOND),
            first.wrapping_add(250_000)
        );
        assert_ne!(cookies.initial_sequence(&key(2), SECOND), first);
    }
}
