//! Concurrent requests.

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};

/// Calls `work` for each item on all processors, `concurrency` calls at a time. Returns the results in any order.
///
/// # Errors
/// Returns the first error, and drops the remaining work.
pub async fn each<T, R, W, F>(concurrency: usize, items: impl IntoIterator<Item = T>, work: W) -> Result<Vec<R>>
where
    T: Send + 'static,
    R: Send + 'static,
    W: Fn(T) -> F,
    F: Future<Output = Result<R>> + Send + 'static,
{
    stream::iter(items.into_iter().map(|item| tokio::spawn(work(item))))
        .buffer_unordered(concurrency)
        .map(|joined| joined.context("a task has panicked")?)
        .try_collect()
        .await
}
