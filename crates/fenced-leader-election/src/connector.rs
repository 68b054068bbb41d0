//! Connections behind a fence.

use crate::fence::Fence;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tower::Service;

/// Makes connections that send nothing while the fence is closed.
///
/// A check before a request is handed to the HTTP client is not enough: a process can be stopped while the request waits
/// for a connection, and would send it when it wakes up. Here the check is the last thing before the system call. A
/// request that was sent in part is never complete, so the API server does not act on it.
#[derive(Clone, Debug)]
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
#[derive(Debug)]
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
    use crate::boot_time::BootTime;
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
}
