//! Sends a million single records with a thousand on the way, and counts the acknowledged ones:
//! `cargo run --release -p precursor-client --example pipeline HOST:PORT`.

use std::time::Instant;

use precursor_client::{Acknowledged, Client, ClientError, ClientOptions};

const RECORDS: u64 = 1_000_000;

fn main() -> Result<(), ClientError> {
    let address = std::env::args().nth(1);
    let address = address.ok_or_else(|| ClientError::Usage("name the listener".into()))?;
    let mut client = Client::connect(ClientOptions::tcp(address))?;
    client.create_topic("pipeline", 1)?;
    let mut appended = 0;
    let mut count = |answer: Acknowledged| {
        if !answer.error.is_error() {
            appended += u64::from(answer.count);
        }
    };
    let began = Instant::now();
    let mut pipeline = client.pipeline("pipeline", 0, 1000)?;
    for number in 0..RECORDS {
        pipeline.send(None, &number.to_be_bytes(), &mut count)?;
    }
    pipeline.flush(&mut count)?;
    drop(pipeline);
    println!("{appended} of {RECORDS} in {:?}", began.elapsed());
    Ok(())
}
