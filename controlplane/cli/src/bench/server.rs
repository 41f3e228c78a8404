//! The ceilings: a null target that only frames and answers, and a bare echo. Each runs in a
//! process of its own, so that its processor time is its own as well.

use std::io::{self, BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::process::{Child, Command, Stdio};

use precursor_protocol::{ApiKey, RequestHeader};

use super::arguments::{BenchArguments, Kind};
use super::link::Link;
use super::process_cpu;
use super::wire::{batch_of, fetch_answer, produce_answer};
use crate::failure::Failure;

/// The topic that the null target answers about.
pub const NULL_TOPIC: &str = "null";

/// Where the correlation id stands in an answer, its length included.
const CORRELATION: Range<usize> = 4..8;

/// Serves connections, one thread each, until the process ends. Prints the address first.
///
/// # Errors
/// The address cannot be listened on.
pub fn serve(arguments: &BenchArguments) -> Result<(), Failure> {
    let listen = &arguments.listen;
    let cannot = |error: io::Error| Failure::new(format!("cannot listen on {listen}: {error}"));
    let listener = TcpListener::bind(listen).map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    if let Some(cpu) = arguments.server_cpu {
        process_cpu::pin(cpu)?;
    }
    let answers = Answers::new(arguments);
    println!("precursor: ready, listening on {address}");
    if arguments.until_input_ends {
        // The one who started this holds the other end; whatever becomes of it, this ends too.
        std::thread::spawn(|| {
            let _ = io::stdin().read_to_end(&mut Vec::new());
            std::process::exit(0);
        });
    }
    accept(&listener, arguments.what, arguments.spin, &answers);
    Ok(())
}

/// Serves connections for ever.
pub(super) fn accept(listener: &TcpListener, kind: Kind, spin: bool, answers: &Answers) {
    for stream in listener.incoming() {
        let Ok(stream) = stream else {
            continue;
        };
        let answers = answers.clone();
        std::thread::spawn(move || {
            // A client that leaves ends its thread; there is nobody to tell.
            let _ = match kind {
                Kind::Echo => echo(stream, spin),
                _ => answer_frames(stream, spin, answers),
            };
        });
    }
}

/// The prepared answers of the null target.
#[derive(Clone)]
pub(super) struct Answers {
    produce: Vec<u8>,
    fetch: Vec<u8>,
}

impl Answers {
    pub(super) fn new(arguments: &BenchArguments) -> Answers {
        let batch = batch_of(arguments.batch_records, arguments.record_bytes);
        let batches = (arguments.fetch_bytes as usize / batch.len()).max(1);
        Answers {
            produce: produce_answer(NULL_TOPIC),
            fetch: fetch_answer(NULL_TOPIC, &batch.repeat(batches)),
        }
    }
}

fn echo(stream: TcpStream, spin: bool) -> io::Result<()> {
    let mut link = Link::over(stream, spin)?;
    let mut copy = Vec::new();
    loop {
        while !link.try_fill()? {
            link.wait(false, None)?;
        }
        copy.clear();
        copy.extend_from_slice(link.take_raw());
        link.write_all(&copy)?;
    }
}

/// Finds frames and answers them. The bytes of a request are received and nothing more; answers
/// to all Produce requests of one read go out in one write.
fn answer_frames(stream: TcpStream, spin: bool, mut answers: Answers) -> io::Result<()> {
    let mut link = Link::over(stream, spin)?;
    let mut produced = Vec::new();
    loop {
        while !link.try_fill()? {
            link.wait(false, None)?;
        }
        while let Some(frame) = link.next_frame() {
            let parsed = RequestHeader::parse(frame);
            let (header, _) = parsed.map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
            let correlation = header.correlation_id.to_be_bytes();
            match ApiKey::from_i16(header.api_key) {
                Some(ApiKey::Produce) => {
                    answers.produce[CORRELATION].copy_from_slice(&correlation);
                    produced.extend_from_slice(&answers.produce);
                }
                Some(ApiKey::Fetch) => {
                    answers.fetch[CORRELATION].copy_from_slice(&correlation);
                    link.write_all(&answers.fetch)?;
                }
                _ => return Err(io::ErrorKind::Unsupported.into()),
            }
        }
        link.write_all(&produced)?;
        produced.clear();
    }
}

/// A ceiling's process; it ends with this value.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

impl Server {
    /// Starts a null target or an echo like the measurement needs it.
    ///
    /// # Errors
    /// This program cannot be started again.
    pub fn start(kind: Kind, arguments: &BenchArguments) -> Result<Server, Failure> {
        let mut words = vec![
            "bench".to_owned(),
            kind.name().to_owned(),
            "--until-input-ends".to_owned(),
            format!("--record-bytes={}", arguments.record_bytes),
            format!("--batch-records={}", arguments.batch_records),
            format!("--fetch-bytes={}", arguments.fetch_bytes),
        ];
        words.extend(
            arguments
                .server_cpu
                .map(|cpu| format!("--server-cpu={cpu}")),
        );
        words.extend(arguments.spin.then(|| "--spin".to_owned()));
        let start = || -> io::Result<Server> {
            let mut child = Command::new(std::env::current_exe()?)
                .args(&words)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()?;
            let mut line = String::new();
            if let Some(output) = child.stdout.take() {
                BufReader::new(output).read_line(&mut line)?;
            }
            let address = line.rsplit(' ').next().unwrap_or_default().trim();
            let address = address.parse().map_err(io::Error::other)?;
            Ok(Server { child, address })
        };
        start().map_err(|error| {
            Failure::new(format!("the {} target did not start: {error}", kind.name()))
        })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
