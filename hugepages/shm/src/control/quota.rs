//! Quotas of clients as the control plane publishes them.

use super::codec::{Malformed, Reader, Writer};

/// Whom a quota is for, in one of its two dimensions (user or client id).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaEntity<'a> {
    /// The dimension is no part of the quota: every value fits, and those that fit share it only
    /// as far as the other dimension says.
    Any,
    /// Each value that has no quota of its own (Kafka's `<default>`).
    Default,
    Name(&'a str),
}

/// A client quota: limits of one broker for one entity; `None` sets no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct QuotaLimits {
    /// Bytes of Produce requests, per second.
    pub producer_byte_rate: Option<f64>,
    /// Bytes of Fetch responses, per second.
    pub consumer_byte_rate: Option<f64>,
    /// Share of a shard thread's time, in percent of one thread (KIP-124).
    pub request_percentage: Option<f64>,
}

impl QuotaLimits {
    /// Whether nothing is limited: the quota is removed.
    pub fn is_empty(&self) -> bool {
        *self == QuotaLimits::default()
    }
}

impl QuotaEntity<'_> {
    pub(super) fn write(&self, w: &mut Writer<'_>) {
        match self {
            QuotaEntity::Any => w.u8(0),
            QuotaEntity::Default => w.u8(1),
            QuotaEntity::Name(name) => {
                w.u8(2);
                w.text(name);
            }
        }
    }
}

impl<'a> QuotaEntity<'a> {
    pub(super) fn read(r: &mut Reader<'a>) -> Result<Self, Malformed> {
        match r.u8()? {
            0 => Ok(QuotaEntity::Any),
            1 => Ok(QuotaEntity::Default),
            2 => Ok(QuotaEntity::Name(r.text()?)),
            _ => Err(Malformed("an unknown kind of quota entity")),
        }
    }
}

impl QuotaLimits {
    fn all(&self) -> [Option<f64>; 3] {
        [
            self.producer_byte_rate,
            self.consumer_byte_rate,
            self.request_percentage,
        ]
    }

    pub(super) fn write(&self, w: &mut Writer<'_>) {
        for limit in self.all() {
            w.u8(u8::from(limit.is_some()));
            w.u64(limit.unwrap_or(0.0).to_bits());
        }
    }

    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut limit = || {
            let there = r.bool()?;
            let value = f64::from_bits(r.u64()?);
            if !value.is_finite() || value < 0.0 {
                return Err(Malformed("a quota that is no rate"));
            }
            Ok(there.then_some(value))
        };
        Ok(QuotaLimits {
            producer_byte_rate: limit()?,
            consumer_byte_rate: limit()?,
            request_percentage: limit()?,
        })
    }
}
