//! What the tasks of this process wait for and share.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use tokio::sync::Notify;

/// A poisoned lock is as good as any: no invariant spans a panic.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Until there is news, or that moment comes.
pub async fn news_or_time(news: &Notify, time: Option<Instant>) {
    let time = async {
        match time {
            Some(time) => tokio::time::sleep_until(time.into()).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = time => {}
        () = news.notified() => {}
    }
}
