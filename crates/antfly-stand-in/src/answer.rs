//! Creates HTTP responses, and damages them if a fault asks for it.

use std::{io::Write, time::Duration};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use futures::{StreamExt, stream};
use http::{
    HeaderValue, Response, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, RETRY_AFTER},
};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Frame;
use serde::Serialize;

use crate::{
    fault::{Cut, Refusal},
    wire::Valve,
};

/// An HTTP response.
pub(crate) type Answer = Response<UnsyncBoxBody<Bytes, std::io::Error>>;

/// Bytes that are sent before a cut within the head.
const PART_OF_HEAD: usize = 12;
/// Bytes of each piece of a response that is sent in pieces.
const PIECE: usize = 7;
/// Time for sending the first half of a body, before the connection is closed.
const HALF_TIME: Duration = Duration::from_millis(100);

/// Returns status 200 with JSON.
pub(crate) fn json(content: &impl Serialize) -> Answer {
    let content = serde_json::to_vec(content).expect("maps with strings as keys, lists and numbers are JSON");
    bytes(StatusCode::OK, "application/json", content.into())
}

/// Returns status 200 with bytes whose content type says JSON.
pub(crate) fn claimed_json(content: impl Into<Bytes>) -> Answer {
    bytes(StatusCode::OK, "application/json", content.into())
}

/// Returns status 200 with plain text.
pub(crate) fn text(content: &'static str) -> Answer {
    bytes(StatusCode::OK, "text/plain; charset=utf-8", content.into())
}

/// Returns the response of a refusal.
pub(crate) fn refusal(refusal: &Refusal) -> Answer {
    let kind = if refusal.is_json { "application/json" } else { "text/plain; charset=utf-8" };
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = bytes(status, kind, refusal.body.clone().into());
    if let Some(value) = refusal.retry_after.as_ref().and_then(|value| HeaderValue::from_str(value).ok()) {
        answer.headers_mut().insert(RETRY_AFTER, value);
    }
    answer
}

/// Returns a redirect to `url`.
pub(crate) fn redirect(url: &str) -> Answer {
    let mut answer = bytes(StatusCode::TEMPORARY_REDIRECT, "text/plain; charset=utf-8", Bytes::new());
    if let Ok(value) = HeaderValue::from_str(url) {
        answer.headers_mut().insert(LOCATION, value);
    }
    answer
}

/// Returns status 200 with `count` bytes that are neither JSON nor text.
pub(crate) fn garbage(count: usize) -> Answer {
    claimed_json((0..count).map(|index| 0x80 | (index % 127) as u8).collect::<Vec<u8>>())
}

/// Compresses a response.
pub(crate) async fn gzip(answer: Answer) -> Answer {
    let (mut head, body) = answer.into_parts();
    let plain = whole(body).await;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let compressed = encoder.write_all(&plain).and_then(|()| encoder.finish()).expect("a vector takes every write");
    head.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    head.headers.remove(CONTENT_LENGTH);
    Response::from_parts(head, full(compressed.into()))
}

/// Sends a response in pieces.
pub(crate) fn in_pieces(answer: Answer, valve: &Valve) -> Answer {
    valve.cut_into_pieces(PIECE);
    answer
}

/// Cuts a response off.
pub(crate) async fn cut(answer: Answer, cut: Cut, valve: &Valve) -> Answer {
    match cut {
        Cut::BeforeHead => valve.close_after(0),
        Cut::InHead => valve.close_after(PART_OF_HEAD),
        Cut::AfterHead => {
            let (mut head, body) = answer.into_parts();
            let content = whole(body).await;
            head.headers.insert(CONTENT_LENGTH, content.len().into());
            let half = content.slice(..content.len() / 2);
            let frames = stream::once(async { Ok(Frame::data(half)) }).chain(stream::once(async {
                tokio::time::sleep(HALF_TIME).await;
                Err(std::io::ErrorKind::ConnectionAborted.into())
            }));
            return Response::from_parts(head, StreamBody::new(frames).boxed_unsync());
        }
    }
    answer
}

fn bytes(status: StatusCode, kind: &'static str, content: Bytes) -> Answer {
    let mut answer = Response::new(full(content));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

fn full(content: Bytes) -> UnsyncBoxBody<Bytes, std::io::Error> {
    Full::new(content).map_err(|never| match never {}).boxed_unsync()
}

async fn whole(body: UnsyncBoxBody<Bytes, std::io::Error>) -> Bytes {
    body.collect().await.map(|content| content.to_bytes()).unwrap_or_default()
}
