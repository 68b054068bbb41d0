//! A real S3 server, and the stand-in for Antfly writing to it.

use antfly_stand_in::S3Destination;
use local_cluster::S3Server;
use std::sync::{Arc, Mutex, Weak};

/// Returns the S3 server that the running tests share, with the bucket `bucket`. It stops with the last of them.
pub fn storage() -> Arc<S3Server> {
    static SHARED: Mutex<Weak<S3Server>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap();
    shared.upgrade().unwrap_or_else(|| {
        let server = Arc::new(S3Server::start().unwrap());
        server.create_bucket("bucket").unwrap();
        *shared = Arc::downgrade(&server);
        server
    })
}

/// Returns that server as a destination. Servers of June have the correction without which no S3 server accepts them.
pub fn destination(server: &S3Server) -> S3Destination {
    S3Destination {
        endpoint: server.endpoint(),
        access_key: server.access_key().to_owned(),
        secret_key: server.secret_key().to_owned(),
        region: server.region().to_owned(),
        is_june_mended: true,
    }
}
