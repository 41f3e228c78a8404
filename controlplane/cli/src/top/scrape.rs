//! A broker's own numbers, from its metrics' address (Prometheus' text format over HTTP).

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use precursor_config::Endpoint;

/// How long the answer may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The longest answer that is read.
const BYTES_MAX: u64 = 64 << 20;

/// Every sample of one scrape.
#[derive(Clone, Debug, Default)]
pub struct Samples(Vec<Sample>);

#[derive(Clone, Debug, PartialEq)]
struct Sample {
    name: String,
    labels: Vec<(String, String)>,
    value: f64,
}

impl Samples {
    /// Reads the text format; lines that have another form are passed over.
    pub fn parse(text: &str) -> Samples {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        Samples(lines.filter_map(parse_line).collect())
    }

    /// The sum of a family over all its labels, whole names without the prefix `precursor_`.
    pub fn sum(&self, name: &str) -> f64 {
        self.of(name).map(|sample| sample.value).sum()
    }

    /// The sample of a family that bears this label.
    pub fn labelled(&self, name: &str, label: &str, value: &str) -> Option<f64> {
        let mut samples = self.of(name);
        let found = samples.find(|sample| {
            let mut labels = sample.labels.iter();
            labels.any(|(key, is)| key == label && is == value)
        });
        found.map(|sample| sample.value)
    }

    fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Sample> {
        self.0.iter().filter(move |sample| {
            let own = sample.name.strip_prefix("precursor_");
            own.unwrap_or(&sample.name) == name
        })
    }
}

/// Asks once.
///
/// # Errors
/// Nobody answers, or not with metrics.
pub fn scrape(endpoint: &Endpoint) -> io::Result<Samples> {
    let mut stream = TcpStream::connect_timeout(&endpoint.resolve()?, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    // HTTP/1.0: the answer comes whole and ends with the connection.
    write!(stream, "GET /metrics HTTP/1.0\r\nHost: {endpoint}\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(BYTES_MAX).read_to_string(&mut answer)?;
    let wrong = || io::Error::new(io::ErrorKind::InvalidData, "it answers no metrics");
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(wrong)?;
    let status = head.split(' ').nth(1);
    if status != Some("200") {
        return Err(wrong());
    }
    Ok(Samples::parse(body))
}

/// `name{label="value",…} number`; what has another form is passed over.
fn parse_line(line: &str) -> Option<Sample> {
    let (name, rest) = line.split_at(line.find(['{', ' '])?);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(labels) => parse_labels(labels)?,
        None => (Vec::new(), rest),
    };
    let value = rest.split_whitespace().next()?.parse().ok()?;
    Some(Sample {
        name: name.to_owned(),
        labels,
        value,
    })
}

/// Labels up to and with the closing brace, and what follows.
fn parse_labels(mut rest: &str) -> Option<(Vec<(String, String)>, &str)> {
    let mut labels = Vec::new();
    loop {
        rest = rest.trim_start_matches(',');
        if let Some(behind) = rest.strip_prefix('}') {
            return Some((labels, behind));
        }
        let (key, value) = rest.split_once("=\"")?;
        let mut text = String::new();
        let mut letters = value.char_indices();
        let end = loop {
            match letters.next()? {
                (at, '"') => break at,
                (_, '\\') => match letters.next()?.1 {
                    'n' => text.push('\n'),
                    other => text.push(other),
                },
                (_, letter) => text.push(letter),
            }
        };
        labels.push((key.to_owned(), text));
        rest = &value[end + 1..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_read_with_their_labels() {
        let text = "# HELP precursor_x X.\n# TYPE precursor_x counter\n\
                    precursor_x_total{shard=\"0\"} 3\nprecursor_x_total{shard=\"1\"} 4.5\n\
                    precursor_ready 1\nprecursor_y{topic=\"a\\\"b\\\\c\\n}\",p=\"1\"} 2e3\nnonsense\n";
        let samples = Samples::parse(text);
        assert_eq!(samples.0.len(), 4);
        assert_eq!(samples.sum("x_total"), 7.5);
        assert_eq!(samples.sum("ready"), 1.0);
        assert_eq!(samples.labelled("x_total", "shard", "1"), Some(4.5));
        assert_eq!(samples.labelled("y", "topic", "a\"b\\c\n}"), Some(2000.0));
        assert_eq!(samples.labelled("x_total", "shard", "7"), None);
    }

    #[test]
    fn broken_lines_are_passed_over() {
        for line in ["", "x", "x{", "x{a=\"b", "x{a=\"b\"}", "x{a} 1", "x y"] {
            assert_eq!(parse_line(line), None, "{line}");
        }
    }
}
