//! Who may send how much: credits, as each side counts them. Pure.

/// Messages with bytes that one side may have with the other before the other released any.
pub(crate) const CREDITS: u32 = 16;
/// Messages without bytes that may be under way beside them: two of credits and two of memory given
/// back (each tells of half of what there can be), the end, and one after the peer's end.
pub(crate) const CONTROLS: u32 = 7;
/// Buffers of each side, for each connection.
pub(crate) const RECEIVES: u32 = CREDITS + CONTROLS;
/// Bytes of a message.
pub(crate) const MESSAGE_BYTES: usize = 16 << 10;

/// Released messages that are told of without being asked.
const TELL_AFTER: u32 = CREDITS / 2;
/// In the immediate data: no more bytes will come.
const END: u32 = 1 << 31;
/// The message tells of memory; bytes lie there.
pub(crate) const NOTE: u32 = 1 << 30;
/// The rest of it: how many messages were released, counted from the start.
const COUNT: u32 = NOTE - 1;

/// What a peer may not do. The connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Violation {
    /// It released more than it was sent.
    Credits,
    /// It sent more than it had credits for.
    TooMany,
    /// It sent a message that says nothing.
    Empty,
    /// It sent bytes after the end, or with it, or another end.
    AfterEnd,
    /// It told of memory that it has not, or of another place than the next.
    Place,
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bytes,
    Credits,
    End,
    /// It told of memory.
    Note,
}

/// One connection's counts. All are of messages with bytes, from the start, modulo 2^30.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flow {
    sent: u32,
    /// Of those, how many the peer has released.
    acknowledged: u32,
    received: u32,
    released: u32,
    /// How many released the peer was told of.
    told: u32,
    ended: bool,
    finished: bool,
}

impl Flow {
    /// Whether the peer has a buffer for another message.
    pub fn may_send(&self) -> bool {
        !self.finished && distance(self.acknowledged, self.sent) < CREDITS
    }

    /// A message with bytes is sent, with this immediate data.
    pub fn send(&mut self) -> u32 {
        self.sent = (self.sent + 1) & COUNT;
        self.tell()
    }

    /// A message without bytes is sent, with this immediate data.
    pub fn tell(&mut self) -> u32 {
        self.told = self.released;
        self.released
    }

    /// The last message is sent, with this immediate data.
    pub fn finish(&mut self) -> u32 {
        self.finished = true;
        self.tell() | END
    }

    /// How many messages were sent, and how many of those the peer has released.
    pub fn sent(&self) -> u32 {
        self.sent
    }

    /// See [`Flow::sent`].
    pub fn acknowledged(&self) -> u32 {
        self.acknowledged
    }

    /// How many messages were received.
    pub fn received(&self) -> u32 {
        self.received
    }

    /// Whether something was released that the peer was not told of.
    pub fn has_untold(&self) -> bool {
        self.told != self.released
    }

    /// Whether the end was sent.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// Whether the peer's end was received.
    pub fn is_ended(&self) -> bool {
        self.ended
    }

    /// A message was received. What it holds is to be released.
    pub fn receive(&mut self, length: u32, immediate: u32) -> Result<Kind, Violation> {
        let count = immediate & COUNT;
        let newly = distance(self.acknowledged, count);
        if newly > distance(self.acknowledged, self.sent) {
            return Err(Violation::Credits);
        }
        self.acknowledged = count;
        if immediate & END != 0 {
            if immediate & NOTE != 0 || self.ended || length > 0 {
                return Err(Violation::AfterEnd);
            }
            self.ended = true;
            return Ok(Kind::End);
        }
        if length == 0 {
            return match newly {
                0 => Err(Violation::Empty),
                _ => Ok(Kind::Credits),
            };
        }
        if self.ended {
            return Err(Violation::AfterEnd);
        }
        self.received = (self.received + 1) & COUNT;
        match distance(self.released, self.received) > CREDITS {
            true => Err(Violation::TooMany),
            false if immediate & NOTE != 0 => Ok(Kind::Note),
            false => Ok(Kind::Bytes),
        }
    }

    /// The bytes of the oldest message were taken; its buffer is free.
    pub fn release(&mut self) {
        self.released = (self.released + 1) & COUNT;
    }

    /// Whether the peer should be told of what was released.
    pub fn owes(&self) -> bool {
        distance(self.told, self.released) >= TELL_AFTER
    }
}

pub(crate) fn distance(from: u32, to: u32) -> u32 {
    to.wrapping_sub(from) & COUNT
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What one side sends arrives at the other.
    fn pass(from: &mut Flow, to: &mut Flow) {
        let immediate = from.send();
        assert_eq!(to.receive(100, immediate), Ok(Kind::Bytes));
    }

    #[test]
    fn a_side_stops_at_its_credits_and_goes_on_when_told() {
        let (mut a, mut b) = (Flow::default(), Flow::default());
        for _ in 0..CREDITS {
            assert!(a.may_send());
            pass(&mut a, &mut b);
        }
        assert!(!a.may_send());
        for _ in 0..TELL_AFTER {
            assert!(!b.owes());
            b.release();
        }
        assert!(b.owes());
        let immediate = b.tell();
        assert!(!b.owes());
        assert_eq!(a.receive(0, immediate), Ok(Kind::Credits));
        for _ in 0..TELL_AFTER {
            assert!(a.may_send());
            pass(&mut a, &mut b);
        }
        assert!(!a.may_send());
    }

    #[test]
    fn counts_go_round() {
        let start = COUNT - 3;
        let mut a = Flow {
            sent: start,
            acknowledged: start,
            ..Flow::default()
        };
        let mut b = Flow {
            received: start,
            released: start,
            told: start,
            ..Flow::default()
        };
        for _ in 0..100 {
            assert!(a.may_send());
            pass(&mut a, &mut b);
            b.release();
            if b.owes() {
                let immediate = b.tell();
                assert_eq!(a.receive(0, immediate), Ok(Kind::Credits));
            }
        }
    }

    #[test]
    fn a_lie_about_credits_is_found() {
        let mut a = Flow::default();
        a.send();
        assert_eq!(a.receive(0, 2), Err(Violation::Credits));
        assert_eq!(a.receive(0, COUNT), Err(Violation::Credits));
        assert_eq!(a.receive(0, 1), Ok(Kind::Credits));
        assert_eq!(a.receive(0, 1), Err(Violation::Empty));
        assert_eq!(
            a.receive(5, 0),
            Err(Violation::Credits),
            "none can be taken back"
        );
    }

    #[test]
    fn more_than_the_credits_is_found() {
        let mut b = Flow::default();
        for _ in 0..CREDITS {
            assert_eq!(b.receive(1, 0), Ok(Kind::Bytes));
        }
        assert_eq!(b.receive(1, 0), Err(Violation::TooMany));
    }

    #[test]
    fn nothing_but_credits_follows_the_end() {
        let (mut a, mut b) = (Flow::default(), Flow::default());
        pass(&mut b, &mut a);
        let immediate = a.finish();
        assert!(!a.may_send());
        assert_eq!(b.receive(0, immediate), Ok(Kind::End));
        a.release();
        let immediate = a.tell();
        assert_eq!(b.receive(0, immediate), Ok(Kind::Credits));
        assert_eq!(b.receive(7, immediate), Err(Violation::AfterEnd));
        assert_eq!(b.receive(0, immediate | END), Err(Violation::AfterEnd));
        assert_eq!(Flow::default().receive(7, END), Err(Violation::AfterEnd));
    }

    /// Whatever a peer that keeps the rules does, its other side's buffers suffice.
    #[test]
    fn buffers_suffice_for_any_order() {
        let mut seed = 0x9E37_79B9_u64;
        let mut random = move |below: u64| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed % below
        };
        let (mut a, mut b) = (Flow::default(), Flow::default());
        let mut to_a = std::collections::VecDeque::new();
        let mut to_b = std::collections::VecDeque::new();
        let (mut held_a, mut held_b) = (0, 0);
        let mut ended = false;
        for turn in 0..200_000 {
            let (from, from_held, to, inbox, to_held) = match random(2) {
                0 => (&mut a, &mut held_a, &mut to_b, &mut to_a, held_b),
                _ => (&mut b, &mut held_b, &mut to_a, &mut to_b, held_a),
            };
            match random(4) {
                0 if from.may_send() => to.push_back((1, from.send())),
                1 => {
                    if let Some((length, immediate)) = inbox.pop_front()
                        && from.receive(length, immediate) == Ok(Kind::Bytes)
                    {
                        *from_held += 1;
                    }
                }
                2 if *from_held > 0 => {
                    *from_held -= 1;
                    from.release();
                    if from.owes() {
                        to.push_back((0, from.tell()));
                    }
                }
                3 if turn > 190_000 && !ended => {
                    ended = true;
                    to.push_back((0, from.finish()));
                }
                _ => {}
            }
            assert!(to.len() as u32 + to_held <= RECEIVES);
        }
    }
}
