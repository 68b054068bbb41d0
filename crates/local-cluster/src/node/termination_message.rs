//! The termination message of a container, read as the kubelet reads it.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

/// Most bytes of one container's message. Only its last bytes are read.
const LONGEST: u64 = 4096;
/// Most bytes of all containers of a Pod together.
const LONGEST_OF_POD: usize = 12 * 1024;
/// Number of the log's last lines that replace an empty message.
const LOG_LINES: usize = 80;
/// Most bytes of those lines.
const LOG_BYTES: u64 = 2048;

/// Reads the message of a container that has ended.
///
/// `log` is present if its end replaces an empty message. `containers` is how many the Pod has, init containers counted.
pub(super) fn read(file: &Path, log: Option<&Path>, containers: usize) -> String {
    let mut message = match last_bytes(file, LONGEST) {
        Ok(message) => message,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => format!("Error on reading termination log {}: {error}", file.display()).into_bytes(),
    };
    if let Some(log) = log.filter(|_| message.is_empty()) {
        message = last_bytes(log, LOG_BYTES).map(|end| last_lines(&end).to_vec()).unwrap_or_default();
    }
    message.truncate(LONGEST_OF_POD / containers.max(1));
    String::from_utf8_lossy(&message).into_owned()
}

fn last_bytes(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(most)))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn last_lines(text: &[u8]) -> &[u8] {
    let ends = text.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    let start = ends.filter(|end| *end < text.len()).nth(LOG_LINES - 1);
    &text[start.unwrap_or(0)..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    struct Files(tempfile::TempDir);

    impl Files {
        fn new(message: &str, log: &str) -> Self {
            let directory = tempfile::tempdir().unwrap();
            fs::write(directory.path().join("message"), message).unwrap();
            fs::write(directory.path().join("log"), log).unwrap();
            Self(directory)
        }

        fn read(&self, falls_back: bool, containers: usize) -> String {
            let log = self.0.path().join("log");
            read(&self.0.path().join("message"), falls_back.then_some(log.as_path()), containers)
        }
    }

    #[test]
    fn a_message_is_cut_at_its_start_and_then_to_its_share_of_the_pod() {
        let message = format!("{}{}{}", "x".repeat(10), "a".repeat(2048), "b".repeat(2048));
        let files = Files::new(&message, "");
        assert_eq!(files.read(false, 1), message[10..]);
        assert_eq!(files.read(false, 3), message[10..]);
        assert_eq!(files.read(false, 6), "a".repeat(2048));
        assert_eq!(files.read(false, 8), "a".repeat(1536));
    }

    #[test]
    fn a_cut_character_is_replaced() {
        assert_eq!(Files::new(&"ä".repeat(300), "").read(false, 24), format!("{}", "ä".repeat(256)));
        assert_eq!(
            Files::new(&format!("x{}", "ä".repeat(300)), "").read(false, 24),
            format!("x{}\u{fffd}", "ä".repeat(255))
        );
    }

    #[test]
    fn the_end_of_the_log_stands_in_for_an_empty_message() {
        assert_eq!(Files::new("message", "log").read(true, 1), "message");
        assert_eq!(Files::new("", "log").read(false, 1), "");
        assert_eq!(Files::new("", "log").read(true, 1), "log");
        let lines: Vec<_> = (0..100).map(|number| format!("{number}\n")).collect();
        assert_eq!(Files::new("", &lines.concat()).read(true, 1), lines[20..].concat());
        assert_eq!(Files::new("", &"y".repeat(5000)).read(true, 1), "y".repeat(2048));
    }

    #[test]
    fn a_container_that_removed_its_file_has_no_message() {
        let files = Files::new("", "log");
        fs::remove_file(files.0.path().join("message")).unwrap();
        assert_eq!(files.read(false, 1), "");
        assert_eq!(files.read(true, 1), "log");
    }
}
