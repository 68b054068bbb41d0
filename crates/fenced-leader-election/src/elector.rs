//! A replica's part in the election: the requests, and when to make them.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "this is the shell: it has the client and the clock"
)]

use crate::{
    boot_time::BootTime,
    candidate::{Candidate, Claim},
    error::{Action, LeaseError, RequestError, causes},
    fence::Fence,
    observer::Observer,
    settings::Settings,
    timing::Timing,
};
use backon::ExponentialBuilder;
use futures::{StreamExt, stream::BoxStream};
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::{
    Api, Client,
    api::PostParams,
    runtime::{
        WatchStreamExt,
        utils::ResetTimerBackoff,
        watcher::{self, Event, ExponentialBackoff, watcher},
    },
};
use std::{fmt, sync::Arc, time::Duration};
use tokio::time::error::Elapsed;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span, debug, error_span, info, warn};

/// How long a watch of the Lease lasts until the API server ends it and the next one begins, in seconds.
const WATCH_SECONDS: u32 = 30;

/// Waits after failures of the watch: short, since a follower without a watch does not notice a release.
const WATCH_BACKOFF: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(500))
    .with_max_delay(Duration::from_secs(4))
    .without_max_times();

/// How long the watch must work until its waits begin anew. A watch that fails lists again and again, which must not count
/// as a success.
const WATCH_BACKOFF_RESET: Duration = Duration::from_secs(30);

/// How long the API server may take to answer the release.
const RELEASE_LIMIT: Duration = Duration::from_millis(800);

/// A replica's part in an election. The documentation of the crate shows how to use it.
///
/// All its log lines have the namespace and name of the Lease and the identity of the replica, from a span.
pub struct Elector {
    api: Api<Lease>,
    parameters: PostParams,
    candidate: Candidate,
    changes: BoxStream<'static, watcher::Result<Event<Lease>>>,
    fence: Arc<Fence>,
    observer: Arc<dyn Observer>,
    /// When the last renewal that succeeded was begun.
    renewed: BootTime,
    was_read: bool,
    is_failing: bool,
}

impl fmt::Debug for Elector {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Elector").field("candidate", &self.candidate).finish_non_exhaustive()
    }
}

impl Elector {
    /// Takes part in an election. `fence` is open while this replica leads; `client` must not be behind it.
    pub fn new(client: Client, settings: Settings, fence: Arc<Fence>) -> Self {
        let api = Api::namespaced(client, &settings.namespace);
        let only_this =
            watcher::Config::default().timeout(WATCH_SECONDS).fields(&format!("metadata.name={}", settings.name));
        let backoff = ResetTimerBackoff::new(ExponentialBackoff::from(WATCH_BACKOFF), WATCH_BACKOFF_RESET);
        Elector {
            changes: watcher(api.clone(), only_this).backoff(backoff).boxed(),
            api,
            parameters: PostParams { field_manager: settings.field_manager.clone(), ..PostParams::default() },
            candidate: Candidate::new(settings),
            fence,
            observer: Arc::new(()),
            renewed: BootTime::now(),
            was_read: false,
            is_failing: false,
        }
    }

    /// Sets the observer of the requests.
    #[must_use]
    pub fn observed_by(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = observer;
        self
    }

    /// Waits until this replica leads, and opens the fence. Returns `false` if it was stopped before.
    ///
    /// Errors are retried for as long as it takes. Stop it by the token: a dropped future may leave the Lease claimed,
    /// so that other replicas wait until it has expired.
    pub async fn acquire(&mut self, stopping: &CancellationToken) -> bool {
        let span = self.span();
        async {
            let mut followed = None;
            while !stopping.is_cancelled() {
                if !self.was_read {
                    if !self.read().await {
                        self.until_change_or(Some(BootTime::now().plus(self.timing().retry_period())), stopping).await;
                    }
                } else if self.candidate.claimable_from().is_none_or(|from| from <= BootTime::now()) {
                    if self.claim().await {
                        info!("leading");
                        return true;
                    }
                    self.until_change_or(Some(BootTime::now().plus(self.retry_soon())), stopping).await;
                } else {
                    let holder = self.candidate.holder().map(str::to_owned);
                    if followed != holder {
                        info!(leader = holder, "following");
                        followed = holder;
                    }
                    self.until_change_or(self.candidate.claimable_from(), stopping).await;
                }
            }
            false
        }
        .instrument(span)
        .await
    }

    /// Renews for as long as this replica leads. When this ends, it does not lead any more, and the fence is closed.
    ///
    /// Call it after [`Elector::acquire`] has returned `true`, beside the work of the leader. It may be dropped when that
    /// work ends: then call [`Elector::release`].
    pub async fn hold(&mut self) {
        let span = self.span();
        async {
            let never = CancellationToken::new();
            let timing = self.timing();
            let mut next = self.renewed.plus(timing.retry_period());
            loop {
                let end = self.renewed.plus(timing.renew_deadline());
                self.until_change_or(Some(next.min(end)), &never).await;
                let now = BootTime::now();
                if !self.candidate.is_holder() || now >= end {
                    break;
                }
                if now >= next {
                    next = match self.claim().await {
                        true => self.renewed.plus(timing.retry_period()),
                        false => BootTime::now().plus(self.retry_soon()),
                    };
                }
            }
            self.fence.close();
            let leader = self.candidate.holder().filter(|holder| *holder != self.settings().identity);
            warn!(leader, "not the leader any more: nothing is written from now on");
        }
        .instrument(span)
        .await
    }

    /// Closes the fence and releases the Lease, so that another replica takes over at once.
    ///
    /// Call it only when all writes have ended. A write that is still on its way may take effect after another replica
    /// has taken over; in that case drop the elector, and the Lease expires.
    pub async fn release(&mut self) {
        let span = self.span();
        async {
            self.fence.close();
            let released = tokio::time::timeout(RELEASE_LIMIT, async {
                // again if the Lease has changed since it was last read, such as by a renewal that was cut off
                while let Some(lease) = self.candidate.release(Timestamp::now()) {
                    match self.api.replace(&self.settings().name, &self.parameters, &lease).await {
                        Ok(lease) => self.candidate.observe(Some(lease), BootTime::now()),
                        Err(kube::Error::Api(status)) if status.code == 409 => self.refresh().await?,
                        Err(error) => return Err(error),
                    }
                }
                Ok(())
            });
            match released.await {
                Ok(Ok(())) => info!("released the Lease"),
                Ok(Err(error)) => warn!(error = ?error.to_string(), "cannot release the Lease; it expires"),
                Err(Elapsed { .. }) => warn!("the API server did not answer to the release of the Lease; it expires"),
            }
        }
        .instrument(span)
        .await
    }

    /// Returns the span of all log lines.
    fn span(&self) -> Span {
        let Settings { namespace, name, identity, .. } = self.settings();
        error_span!("election", namespace, name, identity)
    }

    fn settings(&self) -> &Settings {
        self.candidate.settings()
    }

    fn timing(&self) -> Timing {
        self.settings().timing
    }

    /// Takes the next change of the Lease. Ends early at that moment, or when stopping.
    async fn until_change_or(&mut self, moment: Option<BootTime>, stopping: &CancellationToken) {
        let moment = async {
            match moment {
                Some(moment) => moment.sleep_until().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            change = self.changes.next() => match change {
                Some(Ok(Event::Apply(lease) | Event::InitApply(lease))) => {
                    self.candidate.observe(Some(lease), BootTime::now());
                }
                Some(Ok(Event::Delete(_))) => self.candidate.observe(None, BootTime::now()),
                Some(Ok(Event::Init | Event::InitDone)) | None => {}
                // meanwhile this replica sees the Lease only by its own requests
                Some(Err(error)) => warn!(error = ?causes(&error), "the Lease cannot be watched; trying again"),
            },
            () = moment => {}
            () = stopping.cancelled() => {}
        }
    }

    /// Reads the Lease. Returns whether that worked.
    async fn read(&mut self) -> bool {
        let answer = tokio::time::timeout(self.request_limit(), self.refresh()).await;
        self.finish(Action::Read, answer)
    }

    async fn refresh(&mut self) -> kube::Result<()> {
        let lease = self.api.get_opt(&self.settings().name).await?;
        self.candidate.read(lease, BootTime::now());
        self.was_read = true;
        Ok(())
    }

    /// Writes the Lease with this replica as its holder. Returns whether it leads now.
    async fn claim(&mut self) -> bool {
        let begun = BootTime::now();
        let claim = self.candidate.claim(Timestamp::now());
        let written = async {
            match &claim {
                Claim::Create(lease) => self.api.create(&self.parameters, lease).await,
                Claim::Update(lease) => self.api.replace(&self.settings().name, &self.parameters, lease).await,
            }
        };
        match tokio::time::timeout(self.request_limit(), written).await {
            Ok(Ok(lease)) => {
                self.candidate.observe(Some(lease), BootTime::now());
                if !self.candidate.is_holder() {
                    return false; // a later version is known already
                }
                self.renewed = begun;
                self.fence.open_until(begun.plus(self.timing().renew_deadline()));
                self.finish(Action::Write, Ok(Ok(())))
            }
            // another replica was faster, the answer to an earlier attempt got lost, or the Lease was deleted
            Ok(Err(kube::Error::Api(status)))
                if status.code == 409 || (status.code == 404 && matches!(claim, Claim::Update(_))) =>
            {
                debug!(answer = status.message, "the Lease has changed");
                self.read().await;
                false
            }
            other => self.finish(Action::Write, other.map(|answer| answer.map(drop))),
        }
    }

    /// Returns how soon to try again after a claim that failed.
    fn retry_soon(&self) -> Duration {
        self.timing().retry_period() / 4
    }

    fn request_limit(&self) -> Duration {
        self.timing().renew_deadline() / 2
    }

    /// Reports the result of a request. Returns whether it succeeded. The log gets one line when requests begin to fail, and
    /// one when they work again.
    fn finish(&mut self, action: Action, answer: Result<kube::Result<()>, Elapsed>) -> bool {
        let source = match answer {
            Ok(Ok(())) => {
                if std::mem::take(&mut self.is_failing) {
                    info!("the Lease can be {action} again");
                }
                if let Some(leader) = self.candidate.holder() {
                    self.observer.leader_known(leader);
                }
                return true;
            }
            Ok(Err(error)) => RequestError::Kube(error),
            Err(Elapsed { .. }) => RequestError::NoAnswer(self.request_limit()),
        };
        if !std::mem::replace(&mut self.is_failing, true) {
            warn!(error = ?source.to_string(), "the Lease cannot be {action}; trying again");
        }
        let Settings { namespace, name, .. } = self.settings();
        self.observer.request_failed(&LeaseError { namespace: namespace.clone(), name: name.clone(), action, source });
        false
    }
}
