//! What keeps a process that is not the leader any more from writing.

use super::clock::BootTime;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};
use thiserror::Error;
use tower::Service;

/// Until when this process may write. Closes by itself when that moment passes, whatever else the process does or fails
/// to do meanwhile.
#[derive(Debug)]
pub struct Fence(AtomicU64);

/// The process may not write now.
#[derive(Debug, Error)]
#[error("not sent: this replica is not the leader")]
pub struct Fenced;

impl Fence {
    const CLOSED: u64 = 0;
    const OPEN: u64 = u64::MAX;

    /// One that is open for ever, for a process that shares its work with nobody.
    pub fn open() -> Arc<Self> {
        Arc::new(Fence(AtomicU64::new(Self::OPEN)))
    }

    /// One that is closed until it is opened.
    pub fn closed() -> Arc<Self> {
        Arc::new(Fence(AtomicU64::new(Self::CLOSED)))
    }

    /// Lets writes pass until that moment.
    pub fn open_until(&self, end: BootTime) {
        self.0.store(end.nanoseconds(), Ordering::SeqCst);
    }

    /// Lets no write pass.
    pub fn close(&self) {
        self.0.store(Self::CLOSED, Ordering::SeqCst);
    }

    /// Whether a write may pass now.
    ///
    /// # Errors
    /// It may not.
    pub fn check(&self) -> Result<(), Fenced> {
        let end = self.0.load(Ordering::SeqCst);
        if end == Self::OPEN || BootTime::now().nanoseconds() < end { Ok(()) } else { Err(Fenced) }
    }
}

/// Makes connections that send nothing while the fence is closed.
///
/// A check before a request is handed to the HTTP client is not enough: a process can be stopped while the request waits
/// for a connection, and would send it when it wakes. Here the check is the last thing before the system call. A request
/// that was sent in part is never complete, so the API server does not act on it.
#[derive(Clone)]
pub struct FencedConnector<C> {
    inner: C,
    fence: Arc<Fence>,
}

impl<C> FencedConnector<C> {
    /// Puts a fence before what `inner` connects.
    pub fn new(inner: C, fence: Arc<Fence>) -> Self {
        FencedConnector { inner, fence }
    }
}

impl<C, T> Service<T> for FencedConnector<C>
where
    C: Service<T>,
    C::Future: Send + 'static,
{
    type Response = FencedStream<C::Response>;
    type Error = C::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, target: T) -> Self::Future {
        let (connecting, fence) = (self.inner.call(target), self.fence.clone());
        Box::pin(async move { Ok(FencedStream { inner: connecting.await?, fence }) })
    }
}

/// A connection that sends nothing while the fence is closed.
pub struct FencedStream<S> {
    inner: S,
    fence: Arc<Fence>,
}

impl<S: Read + Unpin> Read for FencedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<S: Write + Unpin> Write for FencedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.fence.check().map_err(io::Error::other)?;
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.fence.check().map_err(io::Error::other)?;
        Pin::new(&mut self.inner).poll_write_vectored(context, buffers)
    }
}

impl<S: Connection> Connection for FencedStream<S> {
    fn connected(&self) -> Connected {
        self.inner.connected()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper_util::rt::TokioIo;
    use std::{future::poll_fn, time::Duration};
    use tokio::io::{AsyncReadExt, DuplexStream, duplex};

    fn pair(fence: &Arc<Fence>) -> (FencedStream<TokioIo<DuplexStream>>, DuplexStream) {
        let (near, far) = duplex(64);
        (FencedStream { inner: TokioIo::new(near), fence: fence.clone() }, far)
    }

    async fn write(stream: &mut FencedStream<TokioIo<DuplexStream>>) -> io::Result<usize> {
        poll_fn(|context| Pin::new(&mut *stream).poll_write(context, b"x")).await
    }

    #[tokio::test]
    async fn nothing_is_sent_while_the_fence_is_closed() {
        let fence = Fence::closed();
        let (mut stream, mut far) = pair(&fence);
        assert!(write(&mut stream).await.unwrap_err().to_string().contains("not the leader"));
        let vectored = poll_fn(|context| {
            Pin::new(&mut stream).poll_write_vectored(context, &[io::IoSlice::new(b"y"), io::IoSlice::new(b"z")])
        });
        assert!(vectored.await.is_err());
        fence.open_until(BootTime::now().plus(Duration::from_secs(60)));
        assert_eq!(write(&mut stream).await.unwrap(), 1);
        fence.close();
        assert!(write(&mut stream).await.is_err());
        drop(stream);
        let mut sent = String::new();
        far.read_to_string(&mut sent).await.unwrap();
        assert_eq!(sent, "x");
    }

    #[test]
    fn the_fence_closes_when_its_time_is_over() {
        let fence = Fence::closed();
        fence.open_until(BootTime::now());
        assert!(fence.check().is_err());
        fence.open_until(BootTime::now().plus(Duration::from_secs(60)));
        assert!(fence.check().is_ok());
        assert!(Fence::open().check().is_ok());
    }
}
