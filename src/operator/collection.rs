//! Lists a collection and watches it, in bounded memory.
//!
//! The API server streams the list, one object after the other, where it can (streaming lists,
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming-lists>): no list stands in memory as a whole. Where it
//! cannot, the list is read in small pages. Few lists are read at a time, whatever the number of watches.

use futures::{Stream, StreamExt, stream, stream::BoxStream};
use k8s_openapi::serde::de::DeserializeOwned;
use kube::{
    Api, Resource, ResourceExt,
    api::{ListParams, WatchEvent, WatchParams},
    runtime::watcher::{Error, Event},
};
use std::{collections::VecDeque, fmt::Debug, sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tracing::debug;

/// Most objects of a page: one may have more than a megabyte.
const PAGE: u32 = 8;

/// Most lists that are read at a time.
const LISTS_AT_A_TIME: usize = 2;

/// After how many seconds the API server ends a list that it streams.
const LIST_SECONDS: u32 = 290;

/// How much longer than the API server was asked to go on a stream is awaited.
const MARGIN: Duration = Duration::from_secs(5);

/// The annotation of the bookmark that ends a list which is streamed.
const END_OF_LIST: &str = "k8s.io/initial-events-end";

/// Status codes with which an API server that does not stream lists refuses to.
const CANNOT_STREAM: [u16; 2] = [400, 422];

/// What of a collection is watched, and how.
#[derive(Clone, Debug)]
pub struct Selection {
    /// A selector of labels.
    pub labels: Option<String>,
    /// A selector of fields.
    pub fields: Option<String>,
    /// After how many seconds the API server ends a watch, and the next one begins.
    pub watch_seconds: u32,
}

/// Bounds how many lists are read at a time.
#[derive(Clone, Debug)]
pub struct Lists(Arc<Semaphore>);

impl Default for Lists {
    fn default() -> Self {
        Lists(Arc::new(Semaphore::new(LISTS_AT_A_TIME)))
    }
}

/// Lists a collection and watches it, for ever. After an error, the next poll goes on where the stream was, or lists anew.
pub fn list_and_watch<T>(
    api: Api<T>,
    selection: Selection,
    lists: Lists,
) -> impl Stream<Item = Result<Event<T>, Error>> + Send
where
    T: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let collection = Collection { api, selection, lists, streams_lists: true };
    stream::unfold((collection, State::Empty), |(mut collection, mut state)| async {
        loop {
            let event;
            (event, state) = collection.step(state).await;
            if let Some(event) = event {
                return Some((event, (collection, state)));
            }
        }
    })
}

/// What the stream does.
enum State<T> {
    /// Nothing is listed.
    Empty,
    /// The API server streams the list.
    Streaming { events: Events<T>, list: OwnedSemaphorePermit },
    /// The list is read in pages. `next` is the token of the next one.
    Paging { page: VecDeque<T>, next: Option<String>, version: Option<String>, list: OwnedSemaphorePermit },
    /// All is listed, as it was in this version.
    Listed { version: String },
    /// Changes since this version are delivered.
    Watching { events: Events<T>, version: String },
}

type Events<T> = BoxStream<'static, kube::Result<WatchEvent<T>>>;

type Step<T> = (Option<Result<Event<T>, Error>>, State<T>);

struct Collection<T> {
    api: Api<T>,
    selection: Selection,
    lists: Lists,
    /// Whether the API server streams lists, as far as it is known.
    streams_lists: bool,
}

impl<T> Collection<T>
where
    T: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    async fn step(&mut self, state: State<T>) -> Step<T> {
        match state {
            State::Empty => self.begin().await,
            State::Streaming { events, list } => self.stream(events, list).await,
            State::Paging { mut page, next, version, list } => match (page.pop_front(), version) {
                (Some(object), version) => {
                    (Some(Ok(Event::InitApply(object))), State::Paging { page, next, version, list })
                }
                (None, Some(version)) if next.is_none() => (Some(Ok(Event::InitDone)), State::Listed { version }),
                (None, _) => self.page(next, list).await,
            },
            State::Listed { version } => match self.watch(false, &version).await {
                Ok(events) => (None, State::Watching { events, version }),
                Err(error) => (Some(Err(Error::WatchStartFailed(error))), State::Listed { version }),
            },
            State::Watching { events, version } => self.follow(events, version).await,
        }
    }

    async fn watch(&self, is_list: bool, version: &str) -> kube::Result<Events<T>> {
        let parameters = WatchParams {
            label_selector: self.selection.labels.clone(),
            field_selector: self.selection.fields.clone(),
            timeout: Some(if is_list { LIST_SECONDS } else { self.selection.watch_seconds }),
            bookmarks: true,
            send_initial_events: is_list,
        };
        Ok(self.api.watch(&parameters, version).await?.boxed())
    }

    fn list_parameters(&self) -> ListParams {
        ListParams {
            label_selector: self.selection.labels.clone(),
            field_selector: self.selection.fields.clone(),
            ..ListParams::default()
        }
    }

    /// Begins a list, once few others are read.
    async fn begin(&mut self) -> Step<T> {
        let list = self.lists.0.clone().acquire_owned().await.expect("nobody closes it");
        if !self.streams_lists {
            let page = VecDeque::new();
            return (Some(Ok(Event::Init)), State::Paging { page, next: None, version: None, list });
        }
        // a list that is streamed needs no permission to list, and pages do
        let first = self.api.list(&ListParams { limit: Some(1), ..self.list_parameters() }).await;
        if let Err(error) = first {
            return (Some(Err(Error::InitialListFailed(error))), State::Empty);
        }
        // without a version, the list is as new as the API server's data
        match self.watch(true, "").await {
            Ok(events) => (Some(Ok(Event::Init)), State::Streaming { events, list }),
            Err(kube::Error::Api(status)) if CANNOT_STREAM.contains(&status.code) => {
                // a selector that is refused is refused of a page, too
                debug!(answer = ?status.message, "the API server does not stream lists: reading pages");
                self.streams_lists = false;
                (None, State::Empty)
            }
            Err(error) => (Some(Err(Error::WatchStartFailed(error))), State::Empty),
        }
    }

    async fn stream(&mut self, mut events: Events<T>, list: OwnedSemaphorePermit) -> Step<T> {
        match next(&mut events, LIST_SECONDS).await {
            Some(Ok(WatchEvent::Added(object) | WatchEvent::Modified(object))) => {
                (Some(Ok(Event::InitApply(object))), State::Streaming { events, list })
            }
            Some(Ok(WatchEvent::Bookmark(bookmark))) if bookmark.metadata.annotations.contains_key(END_OF_LIST) => {
                // the next watch ends sooner than a list does
                let version = bookmark.metadata.resource_version;
                (Some(Ok(Event::InitDone)), State::Listed { version })
            }
            Some(Ok(WatchEvent::Bookmark(_) | WatchEvent::Deleted(_))) => (None, State::Streaming { events, list }),
            Some(Ok(WatchEvent::Error(status))) => (Some(Err(Error::WatchError(status))), State::Empty),
            Some(Err(error)) => (Some(Err(Error::WatchFailed(error))), State::Empty),
            None => {
                // one that ends without its bookmark may never have one
                self.streams_lists = false;
                (None, State::Empty)
            }
        }
    }

    async fn page(&mut self, next: Option<String>, list: OwnedSemaphorePermit) -> Step<T> {
        let parameters = ListParams { limit: Some(PAGE), continue_token: next, ..self.list_parameters() };
        match self.api.list(&parameters).await {
            Ok(page) => {
                let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
                let (version, next) = (filled(page.metadata.resource_version), filled(page.metadata.continue_));
                if version.is_none() && next.is_none() {
                    return (Some(Err(Error::NoResourceVersion)), State::Empty);
                }
                (None, State::Paging { page: page.items.into(), next, version, list })
            }
            Err(error) => (Some(Err(Error::InitialListFailed(error))), State::Empty),
        }
    }

    async fn follow(&mut self, mut events: Events<T>, mut version: String) -> Step<T> {
        match next(&mut events, self.selection.watch_seconds).await {
            Some(Ok(WatchEvent::Added(object) | WatchEvent::Modified(object))) => {
                let delivered = object.resource_version();
                self.delivered(Event::Apply(object), delivered, events)
            }
            Some(Ok(WatchEvent::Deleted(object))) => {
                let delivered = object.resource_version();
                self.delivered(Event::Delete(object), delivered, events)
            }
            Some(Ok(WatchEvent::Bookmark(bookmark))) => {
                version = bookmark.metadata.resource_version;
                (None, State::Watching { events, version })
            }
            Some(Ok(WatchEvent::Error(status))) => {
                // 410: what came after that version is forgotten
                let state = if status.code == 410 { State::Empty } else { State::Watching { events, version } };
                (Some(Err(Error::WatchError(status))), state)
            }
            Some(Err(error)) => (Some(Err(Error::WatchFailed(error))), State::Watching { events, version }),
            None => (None, State::Listed { version }),
        }
    }

    fn delivered(&self, event: Event<T>, version: Option<String>, events: Events<T>) -> Step<T> {
        match version.filter(|version| !version.is_empty()) {
            Some(version) => (Some(Ok(event)), State::Watching { events, version }),
            None => (Some(Err(Error::NoResourceVersion)), State::Empty),
        }
    }
}

/// Returns the next event. A stream that is silent for longer than it may go on has ended: its connection may be dead.
async fn next<T>(events: &mut Events<T>, seconds: u32) -> Option<kube::Result<WatchEvent<T>>> {
    timeout(Duration::from_secs(seconds.into()) + MARGIN, events.next()).await.unwrap_or_default()
}
