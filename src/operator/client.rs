//! The clients of the API server.

use fenced_leader_election::{Fence, fenced_client};
use kube::{Client, Config};
use std::time::Duration;

/// After how many seconds the API server ends a watch, and the next one begins. A watch that is silent for a little longer
/// is ended by the client: its connection may be dead although TCP is alive, such as behind a load balancer that has lost
/// its server. So this is how late a change can be noticed.
pub const WATCH_SECONDS: u32 = 30;

/// How long the API server may be silent during a read. Longer than a watch lasts.
const SILENCE: Duration = Duration::from_secs(WATCH_SECONDS as u64 + 15);

/// Makes a client for reads and the Lease. It does not retry: watches have their own backoff.
///
/// # Errors
/// The configuration cannot be used.
pub fn reader(mut config: Config) -> kube::Result<Client> {
    config.read_timeout = Some(SILENCE);
    config.reset_reader_on_write = true;
    config.default_retry = false;
    fenced_client(config, Fence::always_open(), None)
}
