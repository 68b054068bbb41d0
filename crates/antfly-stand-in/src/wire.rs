//! A connection whose writes can be cut off or split into pieces.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// Controls what a connection may write. Clones control the same connection.
#[derive(Clone, Debug)]
pub(crate) struct Valve {
    /// Number of bytes that may still be written.
    rest: Arc<AtomicUsize>,
    /// Most bytes of one write.
    piece: Arc<AtomicUsize>,
}

impl Valve {
    pub(crate) fn new() -> Self {
        let open = || Arc::new(AtomicUsize::new(usize::MAX));
        Self { rest: open(), piece: open() }
    }

    /// Closes the connection after `bytes` more bytes.
    pub(crate) fn close_after(&self, bytes: usize) {
        self.rest.store(bytes, Ordering::Relaxed);
    }

    /// Limits each write to `bytes` bytes.
    pub(crate) fn cut_into_pieces(&self, bytes: usize) {
        self.piece.store(bytes, Ordering::Relaxed);
    }
}

/// A TCP connection behind a valve.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    valve: Valve,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream, valve: Valve) -> Self {
        Self { stream, valve }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let rest = self.valve.rest.load(Ordering::Relaxed);
        if rest == 0 && !bytes.is_empty() {
            // The error makes hyper drop the connection, which closes it.
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let most = bytes.len().min(rest).min(self.valve.piece.load(Ordering::Relaxed));
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, &bytes[..most]))?;
        if rest != usize::MAX {
            self.valve.rest.store(rest - written, Ordering::Relaxed);
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
