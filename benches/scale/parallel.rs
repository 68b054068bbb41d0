//! Many requests at the same time.

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};

/// Calls `work` for each item, so many at the same time, on all processors; gives what it gave, in no order.
///
/// # Errors
/// The first error; the rest is given up.
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
