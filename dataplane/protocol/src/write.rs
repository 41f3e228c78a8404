//! Writing the wire's primitive types. A writer keeps its first error and goes on, so that code
//! which writes reads like the schema; whoever began the message asks for the error at its end.

use crate::error::EncodeError;
use crate::read::{STRING_LENGTH_MAX, TaggedField};
use precursor_model::TopicId;

/// Appends one message, in one of its versions, to a buffer.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    version: i16,
    flexible: bool,
    error: Option<EncodeError>,
}

/// A value that can be written.
pub trait Write {
    fn write(&self, w: &mut Writer<'_>);
}

impl<'a> Writer<'a> {
    /// `flexible`: lengths are compact and structures end in tagged fields (KIP-482).
    pub fn new(out: &'a mut Vec<u8>, version: i16, flexible: bool) -> Self {
        Writer {
            start: out.len(),
            out,
            version,
            flexible,
            error: None,
        }
    }

    /// Ends the message.
    ///
    /// # Errors
    /// The first error of the message; the buffer is then as it was before the message.
    pub fn finish(self) -> Result<(), EncodeError> {
        match self.error {
            None => Ok(()),
            Some(error) => {
                self.out.truncate(self.start);
                Err(error)
            }
        }
    }

    #[inline]
    pub fn version(&self) -> i16 {
        self.version
    }

    #[inline]
    pub fn flexible(&self) -> bool {
        self.flexible
    }

    /// Length of the whole buffer, with what was in it before the message.
    #[inline]
    pub fn position(&self) -> usize {
        self.out.len()
    }

    /// Notes an error, if it is the first.
    #[cold]
    pub fn fail(&mut self, error: EncodeError) {
        self.error.get_or_insert(error);
    }

    /// Notes that a field holds what this version cannot carry.
    #[cold]
    pub fn not_in_version(&mut self, field: &'static str) {
        self.fail(EncodeError::FieldNotInVersion { field });
    }

    #[inline]
    pub fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    #[inline]
    pub fn int8(&mut self, value: i8) {
        self.raw(&value.to_be_bytes());
    }

    #[inline]
    pub fn int16(&mut self, value: i16) {
        self.raw(&value.to_be_bytes());
    }

    #[inline]
    pub fn uint16(&mut self, value: u16) {
        self.raw(&value.to_be_bytes());
    }

    #[inline]
    pub fn int32(&mut self, value: i32) {
        self.raw(&value.to_be_bytes());
    }

    #[inline]
    pub fn int64(&mut self, value: i64) {
        self.raw(&value.to_be_bytes());
    }

    #[inline]
    pub fn float64(&mut self, value: f64) {
        self.raw(&value.to_be_bytes());
    }

    #[inline]
    pub fn bool(&mut self, value: bool) {
        self.raw(&[u8::from(value)]);
    }

    #[inline]
    pub fn uuid(&mut self, value: &[u8; 16]) {
        self.raw(value);
    }

    #[inline]
    pub fn topic_id(&mut self, value: TopicId) {
        self.raw(&value.0);
    }

    /// An unsigned LEB128 integer.
    #[inline]
    pub fn unsigned_varint(&mut self, value: u32) {
        let (bytes, length) = encode_unsigned_varint(value);
        self.raw(&bytes[..length]);
    }

    /// The length of bytes or the count of an array.
    #[inline]
    pub fn length(&mut self, length: usize) {
        let Ok(length) = i32::try_from(length) else {
            self.fail(EncodeError::TooLong);
            return;
        };
        if self.flexible {
            self.unsigned_varint(length as u32 + 1);
        } else {
            self.int32(length);
        }
    }

    /// A null for bytes or an array.
    fn null_length(&mut self, null_allowed: bool, field: &'static str) {
        self.check_null(null_allowed, field);
        if self.flexible {
            self.unsigned_varint(0);
        } else {
            self.int32(-1);
        }
    }

    fn check_null(&mut self, null_allowed: bool, field: &'static str) {
        if !null_allowed {
            self.fail(EncodeError::NullNotAllowed { field });
        }
    }

    #[inline]
    pub fn string(&mut self, value: &str) {
        if value.len() > STRING_LENGTH_MAX {
            self.fail(EncodeError::TooLong);
            return;
        }
        if self.flexible {
            self.unsigned_varint(value.len() as u32 + 1);
        } else {
            self.int16(value.len() as i16);
        }
        self.raw(value.as_bytes());
    }

    pub fn option_string(&mut self, value: Option<&str>, null_allowed: bool, field: &'static str) {
        match value {
            Some(value) => self.string(value),
            None => {
                self.check_null(null_allowed, field);
                if self.flexible {
                    self.unsigned_varint(0);
                } else {
                    self.int16(-1);
                }
            }
        }
    }

    pub fn bytes(&mut self, value: &[u8]) {
        self.length(value.len());
        self.raw(value);
    }

    pub fn option_bytes(&mut self, value: Option<&[u8]>, null_allowed: bool, field: &'static str) {
        match value {
            Some(value) => self.bytes(value),
            None => self.null_length(null_allowed, field),
        }
    }

    pub fn array<T: Write>(&mut self, elements: &[T]) {
        self.length(elements.len());
        for element in elements {
            element.write(self);
        }
    }

    pub fn option_array<T: Write>(
        &mut self,
        elements: Option<&[T]>,
        null_allowed: bool,
        field: &'static str,
    ) {
        match elements {
            Some(elements) => self.array(elements),
            None => self.null_length(null_allowed, field),
        }
    }

    pub fn option_struct<T: Write>(
        &mut self,
        value: Option<&T>,
        null_allowed: bool,
        field: &'static str,
    ) {
        match value {
            Some(value) => {
                self.int8(1);
                value.write(self);
            }
            None => {
                self.check_null(null_allowed, field);
                self.int8(-1);
            }
        }
    }

    /// No tagged fields, where the version has any.
    #[inline]
    pub fn no_tags(&mut self) {
        if self.flexible {
            self.raw(&[0]);
        }
    }

    /// The tagged fields of a structure that knows none.
    pub fn unknown_tags(&mut self, unknown: &[TaggedField]) {
        if self.flexible {
            let mut tags = self.tags(0, unknown);
            self.rest_of_tags(&mut tags);
        } else if !unknown.is_empty() {
            self.not_in_version("tagged fields");
        }
    }

    /// Begins tagged fields: `known` of the schema's own follow through [`Writer::tagged`].
    pub fn tags<'t>(&mut self, known: u32, unknown: &'t [TaggedField]) -> TagsToWrite<'t> {
        self.unsigned_varint(known + unknown.len() as u32);
        TagsToWrite {
            unknown,
            tag_min: 0,
        }
    }

    /// Writes one known tagged field, and before it those unknown ones with lower tags.
    pub fn tagged(
        &mut self,
        tags: &mut TagsToWrite<'_>,
        tag: u32,
        content: impl FnOnce(&mut Writer<'_>),
    ) {
        while let Some((field, rest)) = tags.unknown.split_first()
            && field.tag < tag
        {
            tags.unknown = rest;
            self.unknown_tag(tags, field);
        }
        self.tag_number(tags, tag);
        let start = self.out.len();
        content(self);
        let size = self.out.len() - start;
        let Ok(size) = u32::try_from(size) else {
            self.fail(EncodeError::TooLong);
            return;
        };
        // The size goes before the content, and is known only now: append, then rotate.
        let (bytes, length) = encode_unsigned_varint(size);
        self.raw(&bytes[..length]);
        self.out[start..].rotate_right(length);
    }

    /// Writes the unknown tagged fields that are left.
    pub fn rest_of_tags(&mut self, tags: &mut TagsToWrite<'_>) {
        for field in std::mem::take(&mut tags.unknown) {
            self.unknown_tag(tags, field);
        }
    }

    fn unknown_tag(&mut self, tags: &mut TagsToWrite<'_>, field: &TaggedField) {
        self.tag_number(tags, field.tag);
        match u32::try_from(field.data.len()) {
            Ok(size) => self.unsigned_varint(size),
            Err(_) => self.fail(EncodeError::TooLong),
        }
        self.raw(&field.data);
    }

    fn tag_number(&mut self, tags: &mut TagsToWrite<'_>, tag: u32) {
        if u64::from(tag) < tags.tag_min {
            self.fail(EncodeError::TagsOutOfOrder);
        }
        tags.tag_min = u64::from(tag) + 1;
        self.unsigned_varint(tag);
    }
}

/// The tagged fields of one structure that are still to be written.
#[derive(Debug)]
pub struct TagsToWrite<'a> {
    unknown: &'a [TaggedField],
    tag_min: u64,
}

/// An unsigned varint's bytes and how many of them count.
#[inline]
pub(crate) fn encode_unsigned_varint(mut value: u32) -> ([u8; 5], usize) {
    let mut bytes = [0; 5];
    let mut length = 0;
    while value >= 0x80 {
        bytes[length] = value as u8 | 0x80;
        value >>= 7;
        length += 1;
    }
    bytes[length] = value as u8;
    (bytes, length + 1)
}

macro_rules! primitive {
    ($($type:ty, $write:ident;)*) => {$(
        impl Write for $type {
            #[inline]
            fn write(&self, w: &mut Writer<'_>) {
                w.$write(*self);
            }
        }
    )*};
}

primitive! {
    bool, bool;
    i8, int8;
    i16, int16;
    u16, uint16;
    i32, int32;
    i64, int64;
    f64, float64;
    TopicId, topic_id;
}

impl Write for [u8; 16] {
    fn write(&self, w: &mut Writer<'_>) {
        w.uuid(self);
    }
}

impl Write for String {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(self);
    }
}
