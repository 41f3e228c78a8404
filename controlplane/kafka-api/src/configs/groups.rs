//! Options of groups (`GROUP`), as Kafka 4 has them. They concern the groups of KIP-848, KIP-932
//! and KIP-1071; a group of the classic protocol is told its times by its members.

use precursor_metadata::Refusal;
use precursor_model::{ErrorCode, ValueKind, nearest_name};

/// What values an option takes.
#[derive(Debug)]
pub(super) enum Takes {
    Number {
        min: i32,
        max: i32,
    },
    OneOf(&'static [&'static str]),
    /// `earliest`, `latest` or `by_duration:` and an ISO 8601 duration.
    Reset,
}

/// One option of a group.
#[derive(Debug)]
pub(super) struct GroupOption {
    pub name: &'static str,
    pub default: &'static str,
    /// What the broker calls its default.
    pub of_broker: &'static str,
    pub takes: Takes,
    pub doc: &'static str,
}

const fn number(
    name: &'static str,
    of_broker: &'static str,
    default: &'static str,
    (min, max): (i32, i32),
    doc: &'static str,
) -> GroupOption {
    GroupOption {
        name,
        default,
        of_broker,
        takes: Takes::Number { min, max },
        doc,
    }
}

const ASSIGNMENT_DOC: &str = "Least time between two assignments of a group.";
const HEARTBEAT_DOC: &str = "How often members are to send a heartbeat.";
const SESSION_DOC: &str = "How long a member may be silent.";

/// Every option, in order of name.
pub(super) const OPTIONS: &[GroupOption] = &[
    number(
        "consumer.assignment.interval.ms",
        "group.consumer.assignment.interval.ms",
        "1000",
        (0, 15_000),
        ASSIGNMENT_DOC,
    ),
    number(
        "consumer.heartbeat.interval.ms",
        "group.consumer.heartbeat.interval.ms",
        "5000",
        (5_000, 15_000),
        HEARTBEAT_DOC,
    ),
    number(
        "consumer.session.timeout.ms",
        "group.consumer.session.timeout.ms",
        "45000",
        (45_000, 60_000),
        SESSION_DOC,
    ),
    number(
        "share.assignment.interval.ms",
        "group.share.assignment.interval.ms",
        "1000",
        (0, 15_000),
        ASSIGNMENT_DOC,
    ),
    GroupOption {
        name: "share.auto.offset.reset",
        default: "latest",
        of_broker: "share.auto.offset.reset",
        takes: Takes::Reset,
        doc: "Where a share group begins to read.",
    },
    number(
        "share.delivery.count.limit",
        "group.share.delivery.count.limit",
        "5",
        (2, 10),
        "How often a record is handed out.",
    ),
    number(
        "share.heartbeat.interval.ms",
        "group.share.heartbeat.interval.ms",
        "5000",
        (5_000, 15_000),
        HEARTBEAT_DOC,
    ),
    GroupOption {
        name: "share.isolation.level",
        default: "read_uncommitted",
        of_broker: "share.isolation.level",
        takes: Takes::OneOf(&["read_committed", "read_uncommitted"]),
        doc: "Whether a share group reads what transactions have not committed.",
    },
    number(
        "share.partition.max.record.locks",
        "group.share.partition.max.record.locks",
        "2000",
        (100, 4_000),
        "Records of a partition that are handed out at a time.",
    ),
    number(
        "share.record.lock.duration.ms",
        "group.share.record.lock.duration.ms",
        "30000",
        (15_000, 60_000),
        "How long a record stays handed out.",
    ),
    GroupOption {
        name: "share.renew.acknowledge.enable",
        default: "true",
        of_broker: "share.renew.acknowledge.enable",
        takes: Takes::OneOf(&["true", "false"]),
        doc: "Whether a member may keep a record for longer.",
    },
    number(
        "share.session.timeout.ms",
        "group.share.session.timeout.ms",
        "45000",
        (45_000, 60_000),
        SESSION_DOC,
    ),
    number(
        "streams.assignment.interval.ms",
        "group.streams.assignment.interval.ms",
        "1000",
        (0, 15_000),
        ASSIGNMENT_DOC,
    ),
    number(
        "streams.heartbeat.interval.ms",
        "group.streams.heartbeat.interval.ms",
        "5000",
        (5_000, 15_000),
        HEARTBEAT_DOC,
    ),
    number(
        "streams.initial.rebalance.delay.ms",
        "group.streams.initial.rebalance.delay.ms",
        "3000",
        (0, i32::MAX),
        "How long the first rebalance waits for more members.",
    ),
    number(
        "streams.num.standby.replicas",
        "group.streams.num.standby.replicas",
        "0",
        (0, 2),
        "Standby copies of each task.",
    ),
    number(
        "streams.session.timeout.ms",
        "group.streams.session.timeout.ms",
        "45000",
        (45_000, 60_000),
        SESSION_DOC,
    ),
];

impl GroupOption {
    /// # Errors
    /// There is no such option.
    pub fn find(name: &str) -> Result<&'static GroupOption, Refusal> {
        OPTIONS
            .iter()
            .find(|option| option.name == name)
            .ok_or_else(|| {
                let nearest = nearest_name(name, OPTIONS.iter().map(|option| option.name));
                let shown: String = name.chars().take(64).collect();
                invalid(format!(
                    "Unknown group option '{shown}'; did you mean '{nearest}'?"
                ))
            })
    }

    pub fn kind(&self) -> ValueKind {
        match self.takes {
            Takes::Number { .. } => ValueKind::Int,
            Takes::OneOf(&["true", "false"]) => ValueKind::Boolean,
            Takes::OneOf(_) | Takes::Reset => ValueKind::Text,
        }
    }

    pub fn accepts(&self) -> String {
        match self.takes {
            Takes::Number { min, max } => format!("a number from {min} to {max}"),
            Takes::OneOf(words) => words.join(" or "),
            Takes::Reset => "earliest, latest or by_duration:P…".to_owned(),
        }
    }

    /// The value as it is kept.
    ///
    /// # Errors
    /// The option does not take it.
    pub fn checked(&self, value: &str) -> Result<String, Refusal> {
        let value = value.trim();
        let taken = match self.takes {
            Takes::Number { min, max } => value
                .parse()
                .is_ok_and(|number: i32| (min..=max).contains(&number)),
            Takes::OneOf(words) => words.contains(&value),
            Takes::Reset => match value.strip_prefix("by_duration:") {
                Some(duration) => is_duration(duration),
                None => matches!(value, "earliest" | "latest"),
            },
        };
        if taken {
            return Ok(value.to_owned());
        }
        let shown: String = value.chars().take(64).collect();
        let accepts = self.accepts();
        Err(invalid(format!(
            "{} cannot be '{shown}': it takes {accepts}.",
            self.name
        )))
    }
}

/// `PnDTnHnMn.nS`: days, hours, minutes and seconds, each once and in this order.
fn is_duration(text: &str) -> bool {
    let Some(text) = text.strip_prefix('P') else {
        return false;
    };
    let (days, time) = match text.split_once('T') {
        Some((days, time)) => (days, Some(time)),
        None => (text, None),
    };
    let parts = |text: &str, units: &str| {
        let mut units = units.chars();
        let mut digits = 0;
        for c in text.chars() {
            match c {
                '0'..='9' => digits += 1,
                '.' if digits > 0 => {}
                unit if digits > 0 && units.any(|known| known == unit) => digits = 0,
                _ => return false,
            }
        }
        digits == 0
    };
    let something = !days.is_empty() || time.is_some();
    something && parts(days, "D") && time.is_none_or(|t| !t.is_empty() && parts(t, "HMS"))
}

fn invalid(message: String) -> Refusal {
    Refusal::new(ErrorCode::InvalidConfig, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_taken_and_bounds_are_kafkas() {
        assert!(OPTIONS.is_sorted_by_key(|option| option.name));
        for option in OPTIONS {
            assert_eq!(option.checked(option.default).unwrap(), option.default);
        }
        let taken = |name, value| {
            GroupOption::find(name)
                .and_then(|o| o.checked(value))
                .is_ok()
        };
        assert!(taken("consumer.session.timeout.ms", "60000"));
        assert!(!taken("consumer.session.timeout.ms", "60001"));
        assert!(!taken("consumer.session.timeout.ms", "soon"));
        assert!(taken("share.auto.offset.reset", "by_duration:P1DT2H3M4.5S"));
        assert!(taken("share.auto.offset.reset", "by_duration:PT1H"));
        for bad in [
            "by_duration:",
            "by_duration:P",
            "by_duration:PT",
            "by_duration:PT1D",
            "x",
        ] {
            assert!(!taken("share.auto.offset.reset", bad), "{bad}");
        }
        let refusal = GroupOption::find("consumer.session.timeout").unwrap_err();
        assert!(
            refusal.message.contains("'consumer.session.timeout.ms'"),
            "{refusal}"
        );
    }
}
