//! Request and response headers.

use crate::api::{self, ApiKey};
use crate::error::DecodeError;
use crate::read::Reader;

/// What stands before every request's body: header version 1, or 2 with flexible versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestHeader<'a> {
    pub api_key: i16,
    pub api_version: i16,
    /// Comes back in the response.
    pub correlation_id: i32,
    pub client_id: Option<&'a str>,
}

impl<'a> RequestHeader<'a> {
    /// Takes a frame (without its length) apart into header and body. The version may be one that
    /// is not served, even one that does not exist: that is for the caller to answer.
    ///
    /// # Errors
    /// The bytes are no header, or the key is unknown and with it the header's own version.
    pub fn parse(frame: &'a [u8]) -> Result<(RequestHeader<'a>, &'a [u8]), DecodeError> {
        let mut r = Reader::new(frame, 0, false);
        let api_key = r.int16()?;
        let api_version = r.int16()?;
        let correlation_id = r.int32()?;
        let key = ApiKey::from_i16(api_key).ok_or(DecodeError::UnknownApiKey { api_key })?;
        let client_id = r.int16_str(true)?;
        if api::flexible(key, api_version) {
            let mut tagged = Reader::new(r.remaining(), 0, true);
            tagged.skip_tags()?;
            r = tagged;
        }
        let header = RequestHeader {
            api_key,
            api_version,
            correlation_id,
            client_id,
        };
        Ok((header, r.remaining()))
    }
}

/// Appends a request's header, for clients.
pub fn request_header(
    out: &mut Vec<u8>,
    key: ApiKey,
    version: i16,
    correlation_id: i32,
    client_id: Option<&str>,
) {
    out.extend_from_slice(&key.code().to_be_bytes());
    out.extend_from_slice(&version.to_be_bytes());
    out.extend_from_slice(&correlation_id.to_be_bytes());
    match client_id {
        None => out.extend_from_slice(&(-1i16).to_be_bytes()),
        Some(id) => {
            // Cut at a character rather than refuse: a client id only labels.
            let id = &id[..id.floor_char_boundary(i16::MAX as usize)];
            out.extend_from_slice(&(id.len() as i16).to_be_bytes());
            out.extend_from_slice(id.as_bytes());
        }
    }
    if api::flexible(key, version) {
        out.push(0);
    }
}

/// Appends a response's header: version 1 (with tagged fields) goes with flexible versions, except
/// for ApiVersions, whose response header is always version 0, so that a client which does not
/// know our versions can read it (KIP-511).
pub fn response_header(out: &mut Vec<u8>, key: ApiKey, version: i16, correlation_id: i32) {
    out.extend_from_slice(&correlation_id.to_be_bytes());
    if api::flexible_response_header(key, version) {
        out.push(0);
    }
}

/// Takes a response frame apart into correlation id and body, for clients. `key` and `version`
/// are those of the request.
pub fn parse_response(
    frame: &[u8],
    key: ApiKey,
    version: i16,
) -> Result<(i32, &[u8]), DecodeError> {
    let flexible = api::flexible_response_header(key, version);
    let mut r = Reader::new(frame, 0, flexible);
    let correlation_id = r.int32()?;
    r.skip_tags()?;
    Ok((correlation_id, r.remaining()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_headers_round_trip() {
        for version in [0, 8, 9, 13, 99] {
            let mut frame = Vec::new();
            request_header(&mut frame, ApiKey::Produce, version, 7, Some("kcat"));
            frame.extend_from_slice(b"body");
            let (header, body) = RequestHeader::parse(&frame).unwrap();
            assert_eq!(body, b"body");
            assert_eq!(header.api_version, version);
            assert_eq!(header.correlation_id, 7);
            assert_eq!(header.client_id, Some("kcat"));
        }
    }

    #[test]
    fn unknown_keys_and_short_frames_are_errors() {
        let mut frame = Vec::new();
        request_header(&mut frame, ApiKey::Metadata, 12, 7, None);
        for end in 0..frame.len() {
            assert!(RequestHeader::parse(&frame[..end]).is_err(), "{end}");
        }
        frame[1] = 0xee;
        assert_eq!(
            RequestHeader::parse(&frame).unwrap_err(),
            DecodeError::UnknownApiKey { api_key: 0xee }
        );
    }

    #[test]
    fn api_versions_answers_with_header_zero_whatever_the_version() {
        for version in 0..6 {
            let mut out = Vec::new();
            response_header(&mut out, ApiKey::ApiVersions, version, 5);
            assert_eq!(out, [0, 0, 0, 5]);
        }
        let mut out = Vec::new();
        response_header(&mut out, ApiKey::Metadata, 9, 5);
        assert_eq!(out, [0, 0, 0, 5, 0]);
        assert_eq!(
            parse_response(&out, ApiKey::Metadata, 9),
            Ok((5, &[] as &[u8]))
        );
    }
}
