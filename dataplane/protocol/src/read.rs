//! Reading the wire's primitive types out of bytes that nobody has vouched for.

use crate::error::DecodeError;
use precursor_model::TopicId;
use std::marker::PhantomData;

/// Most memory that the elements of one message's arrays may take when decoded into owned values
/// (strings and bytes not counted, those are never larger than the message). A message that is
/// nothing but empty strings would otherwise grow twenty-four-fold.
pub const ELEMENT_BYTES_MAX: usize = 64 << 20;

/// Kafka's strings have at most this many bytes, whatever their encoding could say.
pub const STRING_LENGTH_MAX: usize = i16::MAX as usize;

/// A cursor over a message's bytes, in one version of that message.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    version: i16,
    flexible: bool,
    element_bytes_left: usize,
}

/// A value that is read into owned memory.
pub trait Read: Sized {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError>;
}

/// A value that is read without copying.
pub trait ReadView<'a>: Sized {
    fn read_view(r: &mut Reader<'a>) -> Result<Self, DecodeError>;
}

impl<'a> Reader<'a> {
    /// `flexible`: lengths are compact and structures end in tagged fields (KIP-482).
    pub fn new(bytes: &'a [u8], version: i16, flexible: bool) -> Self {
        Reader {
            bytes,
            version,
            flexible,
            element_bytes_left: ELEMENT_BYTES_MAX,
        }
    }

    /// The message's version.
    #[inline]
    pub fn version(&self) -> i16 {
        self.version
    }

    #[inline]
    pub fn flexible(&self) -> bool {
        self.flexible
    }

    /// What has not been read yet.
    #[inline]
    pub fn remaining(&self) -> &'a [u8] {
        self.bytes
    }

    /// The next `length` bytes.
    #[inline]
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self
            .bytes
            .split_at_checked(length)
            .ok_or(DecodeError::UnexpectedEnd)?;
        self.bytes = rest;
        Ok(taken)
    }

    #[inline]
    fn array_of<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (taken, rest) = self
            .bytes
            .split_first_chunk::<N>()
            .ok_or(DecodeError::UnexpectedEnd)?;
        self.bytes = rest;
        Ok(*taken)
    }

    #[inline]
    pub fn int8(&mut self) -> Result<i8, DecodeError> {
        self.array_of().map(i8::from_be_bytes)
    }

    #[inline]
    pub fn int16(&mut self) -> Result<i16, DecodeError> {
        self.array_of().map(i16::from_be_bytes)
    }

    #[inline]
    pub fn uint16(&mut self) -> Result<u16, DecodeError> {
        self.array_of().map(u16::from_be_bytes)
    }

    #[inline]
    pub fn int32(&mut self) -> Result<i32, DecodeError> {
        self.array_of().map(i32::from_be_bytes)
    }

    #[inline]
    pub fn int64(&mut self) -> Result<i64, DecodeError> {
        self.array_of().map(i64::from_be_bytes)
    }

    #[inline]
    pub fn float64(&mut self) -> Result<f64, DecodeError> {
        self.array_of().map(f64::from_be_bytes)
    }

    /// Any byte but 0 is true, as in Kafka.
    #[inline]
    pub fn bool(&mut self) -> Result<bool, DecodeError> {
        self.int8().map(|byte| byte != 0)
    }

    #[inline]
    pub fn uuid(&mut self) -> Result<[u8; 16], DecodeError> {
        self.array_of()
    }

    #[inline]
    pub fn topic_id(&mut self) -> Result<TopicId, DecodeError> {
        self.array_of().map(TopicId)
    }

    /// An unsigned LEB128 integer of up to 32 bits.
    #[inline]
    pub fn unsigned_varint(&mut self) -> Result<u32, DecodeError> {
        let first = self.array_of::<1>()?[0];
        if first < 0x80 {
            return Ok(u32::from(first));
        }
        self.unsigned_varint_rest(first)
    }

    fn unsigned_varint_rest(&mut self, first: u8) -> Result<u32, DecodeError> {
        let mut value = u32::from(first & 0x7f);
        for shift in [7, 14, 21, 28] {
            let byte = self.array_of::<1>()?[0];
            if shift == 28 && byte > 0x0f {
                return Err(DecodeError::VarintOverflow);
            }
            value |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(DecodeError::VarintOverflow)
    }

    /// A compact length: the varint is length + 1, zero is null.
    #[inline]
    fn compact_length(&mut self) -> Result<Option<usize>, DecodeError> {
        let length_plus_one = self.unsigned_varint()?;
        Ok((length_plus_one as usize).checked_sub(1))
    }

    /// The length of bytes or the count of an array: both are an int32 or compact.
    #[inline]
    fn length(&mut self) -> Result<Option<usize>, DecodeError> {
        if self.flexible {
            return self.compact_length();
        }
        match self.int32()? {
            -1 => Ok(None),
            length => usize::try_from(length)
                .map(Some)
                .map_err(|_| DecodeError::NegativeLength),
        }
    }

    /// The count of an array. Every element takes at least one byte, so a count beyond the bytes
    /// that are there is refused before anything is done with it.
    fn count(&mut self) -> Result<Option<usize>, DecodeError> {
        let count = self.length()?;
        if count.is_some_and(|count| count > self.bytes.len()) {
            return Err(DecodeError::UnexpectedEnd);
        }
        Ok(count)
    }

    /// A string, or null. Strings have an int16 length or a compact one.
    #[inline]
    pub fn option_str(&mut self, null_allowed: bool) -> Result<Option<&'a str>, DecodeError> {
        if self.flexible {
            let length = self.compact_length()?;
            return self.str_of(length, null_allowed);
        }
        self.int16_str(null_allowed)
    }

    /// A string with an int16 length whatever the version (the header's client id).
    #[inline]
    pub fn int16_str(&mut self, null_allowed: bool) -> Result<Option<&'a str>, DecodeError> {
        let length = match self.int16()? {
            -1 => None,
            length => Some(usize::try_from(length).map_err(|_| DecodeError::NegativeLength)?),
        };
        self.str_of(length, null_allowed)
    }

    #[inline]
    fn str_of(
        &mut self,
        length: Option<usize>,
        null_allowed: bool,
    ) -> Result<Option<&'a str>, DecodeError> {
        let Some(length) = length else {
            return null(null_allowed);
        };
        if length > STRING_LENGTH_MAX {
            return Err(DecodeError::StringTooLong);
        }
        let bytes = self.take(length)?;
        std::str::from_utf8(bytes)
            .map(Some)
            .map_err(|_| DecodeError::NotUtf8)
    }

    #[inline]
    pub fn str(&mut self) -> Result<&'a str, DecodeError> {
        self.option_str(false)?.ok_or(DecodeError::NullNotAllowed)
    }

    pub fn string(&mut self) -> Result<String, DecodeError> {
        self.str().map(str::to_owned)
    }

    pub fn option_string(&mut self, null_allowed: bool) -> Result<Option<String>, DecodeError> {
        Ok(self.option_str(null_allowed)?.map(str::to_owned))
    }

    #[inline]
    pub fn option_slice(&mut self, null_allowed: bool) -> Result<Option<&'a [u8]>, DecodeError> {
        match self.length()? {
            None => null(null_allowed),
            Some(length) => self.take(length).map(Some),
        }
    }

    #[inline]
    pub fn slice(&mut self) -> Result<&'a [u8], DecodeError> {
        self.option_slice(false)?.ok_or(DecodeError::NullNotAllowed)
    }

    pub fn bytes(&mut self) -> Result<Vec<u8>, DecodeError> {
        self.slice().map(<[u8]>::to_vec)
    }

    pub fn option_bytes(&mut self, null_allowed: bool) -> Result<Option<Vec<u8>>, DecodeError> {
        Ok(self.option_slice(null_allowed)?.map(<[u8]>::to_vec))
    }

    pub fn array<T: Read>(&mut self) -> Result<Vec<T>, DecodeError> {
        self.option_array(false)?.ok_or(DecodeError::NullNotAllowed)
    }

    pub fn option_array<T: Read>(
        &mut self,
        null_allowed: bool,
    ) -> Result<Option<Vec<T>>, DecodeError> {
        let Some(count) = self.count()? else {
            return null(null_allowed);
        };
        let bytes = count.saturating_mul(size_of::<T>());
        self.element_bytes_left = self
            .element_bytes_left
            .checked_sub(bytes)
            .ok_or(DecodeError::TooManyElements)?;
        // Grows as elements are found: the count is only a claim.
        let mut elements = Vec::new();
        for _ in 0..count {
            elements.push(T::read(self)?);
        }
        Ok(Some(elements))
    }

    /// A struct that may be null: a byte says whether it is there (-1: null).
    pub fn option_struct<T: Read>(&mut self, null_allowed: bool) -> Result<Option<T>, DecodeError> {
        if self.int8()? < 0 {
            return null(null_allowed);
        }
        T::read(self).map(Some)
    }

    /// An array that stays where it is: walked once here, so that walking it again cannot fail.
    pub fn items<T: ReadView<'a>>(&mut self) -> Result<Items<'a, T>, DecodeError> {
        self.option_items(false)?.ok_or(DecodeError::NullNotAllowed)
    }

    pub fn option_items<T: ReadView<'a>>(
        &mut self,
        null_allowed: bool,
    ) -> Result<Option<Items<'a, T>>, DecodeError> {
        let Some(count) = self.count()? else {
            return null(null_allowed);
        };
        let items = Items {
            reader: *self,
            left: count,
            element: PhantomData,
        };
        for _ in 0..count {
            T::read_view(self)?;
        }
        Ok(Some(items))
    }

    /// Begins a structure's tagged fields.
    pub fn tags(&mut self) -> Result<Tags, DecodeError> {
        let left = self.unsigned_varint()?;
        Ok(Tags { left, tag_min: 0 })
    }

    /// The tagged fields of a structure that knows none.
    pub fn unknown_tags(&mut self) -> Result<Vec<TaggedField>, DecodeError> {
        let mut unknown = Vec::new();
        if self.flexible {
            let mut tags = self.tags()?;
            while let Some((tag, field)) = tags.next(self)? {
                unknown.push(field.to_tagged_field(tag));
            }
        }
        Ok(unknown)
    }

    /// Passes over the tagged fields of a structure that knows none.
    #[inline]
    pub fn skip_tags(&mut self) -> Result<(), DecodeError> {
        if self.flexible {
            let mut tags = self.tags()?;
            while tags.next(self)?.is_some() {}
        }
        Ok(())
    }

    /// Ends a known tagged field's own reader: all of it must have been read.
    pub fn end_tag(&mut self, field: &Reader<'_>) -> Result<(), DecodeError> {
        self.element_bytes_left = field.element_bytes_left;
        if field.bytes.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::TaggedFieldSize)
        }
    }

    /// This whole reader as a tagged field that we do not know.
    pub fn to_tagged_field(&self, tag: u32) -> TaggedField {
        TaggedField {
            tag,
            data: self.bytes.to_vec(),
        }
    }
}

#[inline]
fn null<T>(allowed: bool) -> Result<Option<T>, DecodeError> {
    if allowed {
        Ok(None)
    } else {
        Err(DecodeError::NullNotAllowed)
    }
}

/// A tagged field that this version of us does not know; kept, and written again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaggedField {
    pub tag: u32,
    pub data: Vec<u8>,
}

/// Walks a structure's tagged fields.
#[derive(Debug)]
pub struct Tags {
    left: u32,
    /// The least tag that may come next.
    tag_min: u64,
}

impl Tags {
    /// The next field: its tag and a reader bounded to its content.
    pub fn next<'a>(
        &mut self,
        r: &mut Reader<'a>,
    ) -> Result<Option<(u32, Reader<'a>)>, DecodeError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let tag = r.unsigned_varint()?;
        if u64::from(tag) < self.tag_min {
            return Err(DecodeError::TagsOutOfOrder);
        }
        self.tag_min = u64::from(tag) + 1;
        let size = r.unsigned_varint()?;
        let field = Reader {
            bytes: r.take(size as usize)?,
            ..*r
        };
        Ok(Some((tag, field)))
    }
}

/// An array inside a message, not copied. Its bytes were walked when the message was parsed, so
/// iterating cannot fail.
#[derive(Clone, Copy, Debug)]
pub struct Items<'a, T> {
    reader: Reader<'a>,
    left: usize,
    element: PhantomData<fn() -> T>,
}

impl<T> Default for Items<'_, T> {
    fn default() -> Self {
        Items {
            reader: Reader::new(&[], 0, false),
            left: 0,
            element: PhantomData,
        }
    }
}

impl<'a, T: ReadView<'a>> Iterator for Items<'a, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        self.left = self.left.checked_sub(1)?;
        T::read_view(&mut self.reader).ok()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<'a, T: ReadView<'a>> ExactSizeIterator for Items<'a, T> {}

macro_rules! primitive {
    ($($type:ty, $read:ident;)*) => {$(
        impl Read for $type {
            #[inline]
            fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
                r.$read()
            }
        }

        impl<'a> ReadView<'a> for $type {
            #[inline]
            fn read_view(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
                r.$read()
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
    [u8; 16], uuid;
    TopicId, topic_id;
}

impl Read for String {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.string()
    }
}

impl<'a> ReadView<'a> for &'a str {
    #[inline]
    fn read_view(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        r.str()
    }
}
