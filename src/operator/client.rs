//! The clients of the API server.

use fenced_leader_election::{Fence, fenced_client};
use kube::{Client, Config};
use std::time::Duration;

/// How long a watch lasts until the API server ends it and the next one begins, in seconds. A watch on which nothing
/// comes for a little longer is given up: the connection looks alive, and what is behind it is not. (A balancer that has
/// lost its server keeps answering TCP's own questions.) So this is how late a change can be noticed.
pub const WATCH_SECONDS: u32 = 30;

/// How long nothing may come from the API server while something is read from it. Longer than a watch lasts.
const SILENCE: Duration = Duration::from_secs(WATCH_SECONDS as u64 + 15);

/// Makes a client for what changes nothing but the Lease. It sends no request again: a watch has its own backoff.
///
/// # Errors
/// The configuration cannot be used.
pub fn reader(mut config: Config) -> kube::Result<Client> {
    config.read_timeout = Some(SILENCE);
    config.reset_reader_on_write = true;
    config.default_retry = false;
    fenced_client(config, Fence::always_open(), None)
}
