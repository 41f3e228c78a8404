//! What is kept of an OTLP `MetricsData` message (opentelemetry-proto, metrics/v1): names,
//! attributes and numbers. Field numbers are those of its schema; unknown fields are passed over.

use crate::wire::{Fields, Malformed, Value};

/// Data points that are taken of one push; the rest is passed over.
const SAMPLES_MAX: usize = 4_096;
/// Attributes of a data point with those of its resource; more are left out.
const LABELS_MAX: usize = 24;
/// Bytes of a label's name or value; the rest is cut off.
const LABEL_BYTES_MAX: usize = 128;
/// A longer name is no metric of any client.
const NAME_BYTES_MAX: usize = 255;
/// `AGGREGATION_TEMPORALITY_DELTA`.
const DELTA: u64 = 1;

/// How a number is to be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SampleKind {
    /// As it is now.
    Gauge,
    /// A sum that only grows, whole.
    Total,
    /// What a sum has grown by since the last push.
    Increase,
}

/// One number of one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub name: String,
    pub kind: SampleKind,
    /// Attributes of the resource and of the data point.
    pub labels: Vec<(String, String)>,
    pub value: f64,
}

/// The numbers of a push.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decoded {
    pub samples: Vec<Sample>,
    /// Data points that are not kept: too many, or of a kind that is no number.
    pub left_out: u64,
}

/// Reads a `MetricsData`.
pub(crate) fn metrics_data(message: &[u8]) -> Result<Decoded, Malformed> {
    let mut decoded = Decoded::default();
    let mut fields = Fields::new(message);
    while let Some((number, value)) = fields.next()? {
        if number == 1 {
            resource_metrics(value.bytes()?, &mut decoded)?;
        }
    }
    Ok(decoded)
}

fn resource_metrics(message: &[u8], decoded: &mut Decoded) -> Result<(), Malformed> {
    // The resource may come after what it describes.
    let mut labels = Vec::new();
    let mut fields = Fields::new(message);
    while let Some((number, value)) = fields.next()? {
        if number == 1 {
            let mut resource = Fields::new(value.bytes()?);
            while let Some((number, value)) = resource.next()? {
                if number == 1 {
                    attribute(value.bytes()?, &mut labels)?;
                }
            }
        }
    }
    let mut fields = Fields::new(message);
    while let Some((number, value)) = fields.next()? {
        if number == 2 {
            let mut scope = Fields::new(value.bytes()?);
            while let Some((number, value)) = scope.next()? {
                if number == 2 {
                    metric(value.bytes()?, &labels, decoded)?;
                }
            }
        }
    }
    Ok(())
}

/// The numbers of one metric, which know its name and how they add up.
struct Metric<'a> {
    name: &'a str,
    labels: &'a [(String, String)],
    kind: SampleKind,
}

fn metric(
    message: &[u8],
    labels: &[(String, String)],
    decoded: &mut Decoded,
) -> Result<(), Malformed> {
    let (mut name, mut data) = ("", None);
    let mut fields = Fields::new(message);
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => name = value.text()?,
            5 | 7 | 9 | 10 | 11 => data = Some((number, value.bytes()?)),
            _ => {}
        }
    }
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return Err(Malformed);
    }
    let Some((number, data)) = data else {
        return Ok(());
    };
    let (points, kind) = data_points(number, data)?;
    let metric = Metric { name, labels, kind };
    for point in points {
        match number {
            5 | 7 => number_point(point, &metric, decoded)?,
            9 => histogram_point(point, &metric, decoded)?,
            _ => decoded.left_out += 1,
        }
    }
    Ok(())
}

/// The points of a Gauge, Sum or Histogram, and what their numbers are.
fn data_points(number: u32, message: &[u8]) -> Result<(Vec<&[u8]>, SampleKind), Malformed> {
    let (mut points, mut delta, mut monotonic) = (Vec::new(), false, number == 9);
    let mut fields = Fields::new(message);
    while let Some((field, value)) = fields.next()? {
        match field {
            // A point more than is taken is enough to know of.
            1 if points.len() <= SAMPLES_MAX => points.push(value.bytes()?),
            2 if number != 5 => delta = value.varint()? == DELTA,
            3 if number == 7 => monotonic = value.varint()? != 0,
            _ => {}
        }
    }
    let kind = match (monotonic, delta) {
        (false, _) => SampleKind::Gauge,
        (true, false) => SampleKind::Total,
        (true, true) => SampleKind::Increase,
    };
    Ok((points, kind))
}

impl Metric<'_> {
    fn add(&self, suffix: &str, own: &[(String, String)], value: f64, decoded: &mut Decoded) {
        if decoded.samples.len() >= SAMPLES_MAX {
            decoded.left_out += 1;
            return;
        }
        let mut labels = self.labels.to_vec();
        labels.extend(
            own.iter()
                .take(LABELS_MAX.saturating_sub(labels.len()))
                .cloned(),
        );
        decoded.samples.push(Sample {
            name: format!("{}{suffix}", self.name),
            kind: self.kind,
            labels,
            value,
        });
    }
}

fn number_point(
    message: &[u8],
    metric: &Metric<'_>,
    decoded: &mut Decoded,
) -> Result<(), Malformed> {
    let (mut number, mut labels) = (None, Vec::new());
    let mut fields = Fields::new(message);
    while let Some((field, value)) = fields.next()? {
        match field {
            4 => number = Some(value.double()?),
            6 => number = Some(value.fixed64()? as i64 as f64),
            7 => attribute(value.bytes()?, &mut labels)?,
            _ => {}
        }
    }
    match number {
        Some(number) => metric.add("", &labels, number, decoded),
        // `flags` may say that there is no value this time.
        None => decoded.left_out += 1,
    }
    Ok(())
}

/// Of a histogram: how many values there were, and their sum.
fn histogram_point(
    message: &[u8],
    metric: &Metric<'_>,
    decoded: &mut Decoded,
) -> Result<(), Malformed> {
    let (mut count, mut sum, mut labels) = (0, None, Vec::new());
    let mut fields = Fields::new(message);
    while let Some((field, value)) = fields.next()? {
        match field {
            4 => count = value.fixed64()?,
            5 => sum = Some(value.double()?),
            9 => attribute(value.bytes()?, &mut labels)?,
            _ => {}
        }
    }
    metric.add(".count", &labels, count as f64, decoded);
    if let Some(sum) = sum {
        metric.add(".sum", &labels, sum, decoded);
    }
    Ok(())
}

/// Reads a `KeyValue`; lists and maps are no labels.
fn attribute(message: &[u8], labels: &mut Vec<(String, String)>) -> Result<(), Malformed> {
    let (mut key, mut text) = ("", None);
    let mut fields = Fields::new(message);
    while let Some((number, value)) = fields.next()? {
        match number {
            1 => key = value.text()?,
            2 => text = any_value(value.bytes()?)?,
            _ => {}
        }
    }
    if let Some(text) = text
        && !key.is_empty()
        && labels.len() < LABELS_MAX
    {
        labels.push((cut(key), cut(&text)));
    }
    Ok(())
}

fn any_value(message: &[u8]) -> Result<Option<String>, Malformed> {
    let mut found = None;
    let mut fields = Fields::new(message);
    while let Some((number, value)) = fields.next()? {
        found = match (number, value) {
            (1, value) => Some(value.text()?.to_owned()),
            (2, Value::Varint(flag)) => Some((flag != 0).to_string()),
            (3, Value::Varint(number)) => Some((number as i64).to_string()),
            (4, value) => Some(value.double()?.to_string()),
            _ => found,
        };
    }
    Ok(found)
}

fn cut(text: &str) -> String {
    let mut end = text.len().min(LABEL_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

#[cfg(test)]
#[path = "otlp_tests.rs"]
mod tests;
