//! Which of several replicas acts: the one that holds a Lease.
//!
//! Every replica watches; the leader alone writes. It renews the Lease, and may write for a while after each renewal that
//! succeeded ([`Fence`]); the others wait longer than that before they take the Lease over.

mod candidate;
mod identity;

pub use candidate::Timing;
pub use identity::{identity, namespace};

use super::{backoff::WatchBackoff, client::WATCH_SECONDS, clock::BootTime, fence::Fence, readiness::Readiness};
use candidate::{Candidate, Claim};
use futures::{StreamExt, stream::BoxStream};
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::{
    Api, Client,
    api::PostParams,
    runtime::{
        WatchStreamExt,
        watcher::{self, Event, watcher},
    },
};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

/// Which Lease, and whose.
pub struct Settings {
    /// Namespace of the Lease.
    pub namespace: String,
    /// Name of the Lease.
    pub name: String,
    /// Name of this replica, different from all others'.
    pub identity: String,
    /// Durations.
    pub timing: Timing,
}

/// A replica's part in the election.
pub struct Elector {
    api: Api<Lease>,
    settings: Settings,
    candidate: Candidate,
    news: BoxStream<'static, watcher::Result<Event<Lease>>>,
    fence: Arc<Fence>,
    readiness: Arc<Readiness>,
    /// When the last renewal began that succeeded.
    renewed: BootTime,
    was_read: bool,
    is_failing: bool,
}

impl Elector {
    /// How long the API server may take to answer the release.
    const RELEASE_LIMIT: Duration = Duration::from_millis(800);

    /// Takes part in an election; `fence` is open while this replica leads.
    pub fn new(client: Client, settings: Settings, fence: Arc<Fence>, readiness: Arc<Readiness>) -> Self {
        let Settings { namespace, name, identity, timing } = &settings;
        let api = Api::namespaced(client, namespace);
        let only_this = watcher::Config::default().timeout(WATCH_SECONDS).fields(&format!("metadata.name={name}"));
        Elector {
            news: watcher(api.clone(), only_this).backoff(WatchBackoff::patient()).boxed(),
            candidate: Candidate::new(namespace, name, identity.clone(), *timing),
            api,
            fence,
            readiness,
            renewed: BootTime::now(),
            was_read: false,
            is_failing: false,
            settings,
        }
    }

    /// Waits until this replica leads, and opens the fence. Gives false if it was stopped before.
    pub async fn acquire(&mut self, stopping: &CancellationToken) -> bool {
        let mut told = None;
        while !stopping.is_cancelled() {
            if !self.was_read {
                if !self.read().await {
                    self.until_news_or(Some(BootTime::now().plus(self.settings.timing.retry_period)), stopping).await;
                }
            } else if self.candidate.claimable_from().is_none_or(|from| from <= BootTime::now()) {
                if self.claim().await {
                    info!(identity = self.settings.identity, "leading");
                    return true;
                }
                self.until_news_or(Some(BootTime::now().plus(self.retry_soon())), stopping).await;
            } else {
                let holder = self.candidate.holder().map(str::to_owned);
                if told != holder {
                    info!(leader = holder, identity = self.settings.identity, "following");
                    told = holder;
                }
                self.until_news_or(self.candidate.claimable_from(), stopping).await;
            }
        }
        false
    }

    /// Renews for as long as this replica leads. When this ends, it does not, and the fence is closed.
    pub async fn hold(&mut self) {
        let never = CancellationToken::new();
        let Timing { renew_deadline, retry_period, .. } = self.settings.timing;
        let mut next = self.renewed.plus(retry_period);
        loop {
            let end = self.renewed.plus(renew_deadline);
            self.until_news_or(Some(next.min(end)), &never).await;
            let now = BootTime::now();
            if !self.candidate.is_holder() || now >= end {
                break;
            }
            if now >= next {
                next = match self.claim().await {
                    true => self.renewed.plus(retry_period),
                    false => BootTime::now().plus(self.retry_soon()),
                };
            }
        }
        self.fence.close();
        let leader = self.candidate.holder().filter(|holder| *holder != self.settings.identity);
        warn!(identity = self.settings.identity, leader, "not the leader any more: nothing is written from now on");
    }

    /// Gives the Lease up, so that another replica takes over at once. All writes must have ended.
    pub async fn release(&mut self) {
        self.fence.close();
        let released = tokio::time::timeout(Self::RELEASE_LIMIT, async {
            // again if the Lease has changed since it was last read, such as by a renewal that was cut off
            while let Some(lease) = self.candidate.release(Timestamp::now()) {
                match self.api.replace(&self.settings.name, &PostParams::default(), &lease).await {
                    Ok(lease) => self.candidate.saw(Some(lease), BootTime::now()),
                    Err(kube::Error::Api(status)) if status.code == 409 => self.refresh().await?,
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        });
        match released.await {
            Ok(Ok(())) => info!(identity = self.settings.identity, "released the Lease"),
            Ok(Err(error)) => warn!(error = ?error.to_string(), "cannot release the Lease; it runs out by itself"),
            Err(_) => warn!("the API server did not answer to the release of the Lease; it runs out by itself"),
        }
    }

    /// Takes news of the Lease; ends early at that moment, or when stopping.
    async fn until_news_or(&mut self, moment: Option<BootTime>, stopping: &CancellationToken) {
        let moment = async {
            match moment {
                Some(moment) => moment.sleep_until().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            news = self.news.next() => match news {
                Some(Ok(Event::Apply(lease) | Event::InitApply(lease))) => self.candidate.saw(Some(lease), BootTime::now()),
                Some(Ok(Event::Delete(_))) => self.candidate.saw(None, BootTime::now()),
                Some(Ok(Event::Init | Event::InitDone)) | None => {}
                // what is known comes from this replica's own requests until it can: a leader's end is noticed late
                Some(Err(error)) => warn!(error = ?error.to_string(), "the Lease cannot be watched; trying again"),
            },
            () = moment => {}
            () = stopping.cancelled() => {}
        }
    }

    /// Reads the Lease; gives whether that worked.
    async fn read(&mut self) -> bool {
        let answer = tokio::time::timeout(self.request_limit(), self.refresh()).await;
        self.done("read", answer)
    }

    async fn refresh(&mut self) -> kube::Result<()> {
        let lease = self.api.get_opt(&self.settings.name).await?;
        self.candidate.saw(lease, BootTime::now());
        self.was_read = true;
        Ok(())
    }

    /// Writes the Lease with this replica as its holder; gives whether it leads now.
    async fn claim(&mut self) -> bool {
        let begun = BootTime::now();
        let parameters = PostParams::default();
        let claim = self.candidate.claim(Timestamp::now());
        let written = async {
            match &claim {
                Claim::Create(lease) => self.api.create(&parameters, lease).await,
                Claim::Update(lease) => self.api.replace(&self.settings.name, &parameters, lease).await,
            }
        };
        match tokio::time::timeout(self.request_limit(), written).await {
            Ok(Ok(lease)) => {
                self.candidate.saw(Some(lease), BootTime::now());
                if !self.candidate.is_holder() {
                    return false; // a later version is known already
                }
                self.renewed = begun;
                self.fence.open_until(begun.plus(self.settings.timing.renew_deadline));
                self.done("written", Ok(Ok(())))
            }
            // somebody was faster, the answer to an earlier try got lost, or the Lease was deleted
            Ok(Err(kube::Error::Api(status)))
                if status.code == 409 || (status.code == 404 && matches!(claim, Claim::Update(_))) =>
            {
                debug!(answer = status.message, "the Lease has changed");
                self.read().await;
                false
            }
            other => self.done("written", other.map(|answer| answer.map(drop))),
        }
    }

    /// How soon to try again after a claim that failed.
    fn retry_soon(&self) -> Duration {
        self.settings.timing.retry_period / 4
    }

    fn request_limit(&self) -> Duration {
        self.settings.timing.renew_deadline / 2
    }

    /// Notes how a request went: the log gets one line when requests begin to fail, and one when they work again.
    fn done(&mut self, action: &str, answer: Result<kube::Result<()>, tokio::time::error::Elapsed>) -> bool {
        let Settings { namespace, name, .. } = &self.settings;
        let error = match answer {
            Ok(Ok(())) => {
                if std::mem::take(&mut self.is_failing) {
                    info!(namespace, name, "the Lease can be {action} again");
                }
                if self.candidate.holder().is_some() {
                    self.readiness.lease_is_known();
                }
                return true;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("the API server did not answer within {:?}", self.request_limit()),
        };
        if !std::mem::replace(&mut self.is_failing, true) {
            warn!(namespace, name, error = ?error, "the Lease cannot be {action}; trying again");
        }
        self.readiness.lease_failed(&format!("Lease {namespace}/{name} cannot be {action}: {error}"));
        false
    }
}
