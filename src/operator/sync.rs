//! What the tasks of this process wait for.

use std::time::Instant;
use tokio::sync::Notify;

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
