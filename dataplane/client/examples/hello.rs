//! Writes a record to a broker on this host and reads it back, over shared memory:
//! `cargo run -p precursor-client --example hello DATA_DIR`.

use std::time::Duration;

use precursor_client::{Client, ClientError, ClientOptions};

fn main() -> Result<(), ClientError> {
    let data_dir = std::env::args_os().nth(1);
    let data_dir = data_dir.ok_or_else(|| ClientError::Usage("name the data directory".into()))?;
    let mut client = Client::connect(ClientOptions::shm(data_dir))?;
    client.create_topic("hello", 1)?;
    let offset = client.produce("hello", 0, Some(b"greeting"), b"hello")?;
    let fetched = client.fetch("hello", 0, offset, Duration::from_secs(1))?;
    for record in fetched.records {
        let value = record.value.unwrap_or_default();
        println!("{}: {}", record.offset, String::from_utf8_lossy(&value));
    }
    Ok(())
}
