//! An HTTP client with access to the raw bytes.
#![allow(dead_code, clippy::unwrap_used, reason = "helpers of tests, of which no test needs all")]

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::Value;

/// Timeout, longer than any response takes.
pub const LIMIT: Duration = Duration::from_secs(120);

/// A request that was sent.
pub struct Exchange {
    stream: TcpStream,
    read: Vec<u8>,
}

/// A response.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Sends a request.
pub fn send(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Exchange {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    Exchange { stream, read: Vec::new() }
}

impl Exchange {
    /// Waits for the first byte. Returns `None` if the connection is closed before.
    pub fn first_byte(&mut self) -> Option<u8> {
        let mut byte = [0];
        let count = self.stream.read(&mut byte).unwrap_or(0);
        self.read.extend(&byte[..count]);
        self.read.first().copied()
    }

    /// Closes the sending side of the connection.
    pub fn half_close(&self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// Returns all bytes until the connection is closed or reset.
    pub fn bytes(mut self) -> Vec<u8> {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = self.stream.read(&mut buffer) {
            self.read.extend(&buffer[..count]);
        }
        self.read
    }

    /// Returns the response, or `None` if it is incomplete.
    pub fn try_answer(self) -> Option<Answer> {
        let bytes = self.bytes();
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        let answer = Answer { status, headers, body: bytes[end + 4..].to_vec() };
        let length: usize = answer.header("content-length")?.parse().ok()?;
        (answer.body.len() == length).then_some(answer)
    }

    /// Returns the response.
    pub fn answer(self) -> Answer {
        self.try_answer().expect("a whole answer")
    }
}

impl Answer {
    /// Returns a header.
    pub fn header(&self, name: &str) -> Option<String> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.clone())
    }

    /// Returns the body as text.
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// Returns the body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}
