//! Arithmetic of sequence numbers, modulo 2³² (RFC 9293, 3.4).

pub fn before(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) < 0
}

pub fn after(a: u32, b: u32) -> bool {
    before(b, a)
}

pub fn at_most(a: u32, b: u32) -> bool {
    !before(b, a)
}

pub fn at_least(a: u32, b: u32) -> bool {
    !before(a, b)
}

pub fn later(a: u32, b: u32) -> u32 {
    if before(a, b) { b } else { a }
}

pub fn earlier(a: u32, b: u32) -> u32 {
    if before(a, b) { a } else { b }
}

/// `to - from`, 0 where `to` comes before.
pub fn distance(from: u32, to: u32) -> u32 {
    let difference = to.wrapping_sub(from);
    if (difference as i32) < 0 {
        0
    } else {
        difference
    }
}
