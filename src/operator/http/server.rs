//! A server for few clients: it bounds the number of connections, and how long each may take.

use http::{Method, Response};
use http_body_util::Full;
use hyper::{body::Bytes, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use std::{collections::VecDeque, convert::Infallible, pin::pin, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    task::AbortHandle,
    time::{Instant, sleep, sleep_until, timeout},
};
use tracing::debug;

/// How long a new connection is safe from being closed for a newer one: long enough for a request that has been sent to be
/// answered, after those of all other connections.
const SAFE: Duration = Duration::from_millis(100);

/// How large the head of a request may be, in bytes.
const LARGEST_HEAD: usize = 16 * 1024;

/// How long to wait after an error of the listener, such as too many open files.
const REST: Duration = Duration::from_millis(50);

/// The limits of a port.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many connections may be open.
    pub connections: usize,
    /// How long a client may take to send the head of a request, the first as well as the next on the same connection.
    pub head: Duration,
    /// How long a connection may last. A request that is being answered then has `head` to end.
    pub lifetime: Duration,
    /// How much time is between two answers: a flood of requests does not take the processor from the reconciles.
    pub pace: Duration,
}

/// Gives out the moments of answers.
#[derive(Debug)]
struct Pace {
    pace: Duration,
    next: Mutex<Instant>,
}

impl Pace {
    async fn turn(&self) {
        let now = Instant::now();
        let turn = {
            let mut next = self.next.lock();
            let turn = now.max(*next);
            *next = turn + self.pace;
            turn
        };
        if turn > now {
            sleep_until(turn).await;
        }
    }
}

/// Answers a request by its method and path.
pub type Answer = Arc<dyn Fn(&Method, &str) -> Response<Full<Bytes>> + Send + Sync>;

/// Serves until the process ends. A connection too many takes the place of the oldest, so that clients that keep theirs
/// open do not keep the others out.
pub async fn serve(listener: TcpListener, limits: Limits, answer: Answer) {
    let pace = Arc::new(Pace { pace: limits.pace, next: Mutex::new(Instant::now()) });
    let mut open = Open::default();
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                debug!(%error, "a connection cannot be accepted");
                sleep(REST).await;
                continue;
            }
        };
        open.make_room(limits.connections).await;
        open.add(tokio::spawn(talk(stream, limits, pace.clone(), answer.clone())).abort_handle());
    }
}

async fn talk(stream: TcpStream, limits: Limits, pace: Arc<Pace>, answer: Answer) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let (pace, answer) = (pace.clone(), answer.clone());
        async move {
            pace.turn().await;
            Ok::<_, Infallible>(answer(request.method(), request.uri().path()))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    // errors are the client's
    if timeout(limits.lifetime, connection.as_mut()).await.is_err() {
        connection.as_mut().graceful_shutdown();
        let _ = timeout(limits.head, connection).await;
    }
}

/// The open connections, the oldest first.
#[derive(Debug, Default)]
struct Open(VecDeque<(Instant, AbortHandle)>);

impl Open {
    fn add(&mut self, connection: AbortHandle) {
        self.0.push_back((Instant::now(), connection));
    }

    /// Returns once fewer than `most` are open; closes the oldest where it must.
    async fn make_room(&mut self, most: usize) {
        loop {
            self.0.retain(|(_, connection)| !connection.is_finished());
            if self.0.len() < most {
                return;
            }
            let Some((since, oldest)) = self.0.front() else { return };
            if since.elapsed() < SAFE {
                sleep_until(*since + SAFE).await;
            } else {
                oldest.abort();
                // it closes when it is polled next
                tokio::task::yield_now().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const LARGE: usize = 64 * 1024 * 1024;

    /// So long that no test lasts it.
    const LONG: Duration = Duration::from_secs(3600);
    const SHORT: Duration = Duration::from_millis(100);

    async fn server(head: Duration, lifetime: Duration) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let large = Bytes::from(vec![b'x'; LARGE]);
        let answer = move |_: &Method, path: &str| {
            Response::new(Full::new(if path == "/large" { large.clone() } else { Bytes::from(path.to_owned()) }))
        };
        tokio::spawn(serve(
            listener,
            Limits { connections: 4, head, lifetime, pace: Duration::ZERO },
            Arc::new(answer),
        ));
        address
    }

    async fn get(stream: &mut TcpStream, path: &str) -> String {
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(path.as_bytes()) {
            assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "{}", String::from_utf8_lossy(&answer));
        }
        String::from_utf8(answer).unwrap()
    }

    async fn slow(address: SocketAddr) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nX-Slow: ").await.unwrap();
        stream
    }

    /// Reads until the server closes the connection. Returns how many bytes came.
    async fn until_closed(mut stream: TcpStream) -> usize {
        let mut read = Vec::new();
        let _ = stream.read_to_end(&mut read).await;
        read.len()
    }

    #[tokio::test]
    async fn a_connection_too_many_takes_the_place_of_the_oldest() {
        let address = server(LONG, LONG).await;
        let mut waiting = Vec::new();
        for _ in 0..40 {
            waiting.push(slow(address).await);
        }
        let mut honest = TcpStream::connect(address).await.unwrap();
        assert!(get(&mut honest, "/one").await.starts_with("HTTP/1.1 200"));
        assert!(get(&mut honest, "/two").await.starts_with("HTTP/1.1 200"), "the connection is kept");
        // the newest three are open beside it
        for stream in waiting.drain(..37) {
            until_closed(stream).await;
        }
    }

    #[tokio::test]
    async fn a_client_that_sends_no_request_is_closed() {
        let address = server(SHORT, LONG).await;
        let silent = TcpStream::connect(address).await.unwrap();
        let mut idle = TcpStream::connect(address).await.unwrap();
        get(&mut idle, "/once").await;
        for stream in [silent, idle, slow(address).await] {
            until_closed(stream).await;
        }
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_its_answer_is_closed() {
        let address = server(SHORT, SHORT).await;
        let mut lazy = TcpStream::connect(address).await.unwrap();
        lazy.write_all(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        sleep(Duration::from_secs(1)).await;
        let read = until_closed(lazy).await;
        assert!(read < LARGE, "all of the answer was sent");
    }
}
