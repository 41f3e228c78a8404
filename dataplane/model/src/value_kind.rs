//! What type an option's value has, as Kafka's clients are told.

/// Kafka's `ConfigDef.Type`, with its number in DescribeConfigs responses (KIP-569).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
pub enum ValueKind {
    Boolean = 1,
    Text = 2,
    Int = 3,
    Short = 4,
    Long = 5,
    Double = 6,
    /// Items with commas between them; APPEND and SUBTRACT work on it.
    List = 7,
    /// Never shown to anybody.
    Password = 9,
}

impl ValueKind {
    /// Whether the value must not be shown.
    pub fn is_sensitive(self) -> bool {
        self == ValueKind::Password
    }

    /// The word for it in documents.
    pub fn name(self) -> &'static str {
        match self {
            ValueKind::Boolean => "boolean",
            ValueKind::Text => "string",
            ValueKind::Int => "int",
            ValueKind::Short => "short",
            ValueKind::Long => "long",
            ValueKind::Double => "double",
            ValueKind::List => "list",
            ValueKind::Password => "password",
        }
    }
}
