//! Waits of this process's tasks.

use std::time::Instant;
use tokio::sync::Notify;

/// Waits for a notification, or until `time`.
pub async fn notified_or_at(notify: &Notify, time: Option<Instant>) {
    let time = async {
        match time {
            Some(time) => tokio::time::sleep_until(time.into()).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = time => {}
        () = notify.notified() => {}
    }
}
