//! Chooses which address of Antfly's API to ask next, from what each has answered and when.

use std::{fmt, time::Duration};
use url::{Host, Url};

/// How long to keep asking an address before asking the next one.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// How long to wait between two requests.
pub const PAUSE: Duration = Duration::from_secs(2);

/// Time for the whole search, in addition to [`PATIENCE`] for each address.
const SEARCH: Duration = Duration::from_secs(60);

/// An address at which the API may be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The host, without the brackets of an IPv6 address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The prefix of the API's paths, without a trailing slash.
    pub path: String,
    /// Whether this is the address of data nodes. They serve the API only in the June versions.
    pub is_data: bool,
    authority: String,
}

impl Address {
    /// Parses a URL. The address is one of data nodes if the first label of its host ends with `-data`, or if the URL has
    /// the fragment `#data`.
    ///
    /// # Errors
    /// Returns why `text` cannot be used: it is not a URL, its scheme is not `http`, or it contains a login.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| error.to_string())?;
        if url.scheme() != "http" {
            return Err("the scheme must be http: Antfly's API has no TLS".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(
                "a login does not belong into the URL; give it as ANTFLY_USERNAME and ANTFLY_PASSWORD".to_owned()
            );
        }
        if url.query().is_some() {
            return Err("the URL must have no query".to_owned());
        }
        let Some(host) = url.host() else { return Err("the URL has no host".to_owned()) };
        let first_label_is_data = matches!(host, Host::Domain(name) if is_of_data_nodes(name));
        let is_data = first_label_is_data || url.fragment() == Some("data");
        let port = url.port_or_known_default().unwrap_or(80);
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_string(),
        };
        let host = match host {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(ip) => ip.to_string(),
            Host::Ipv6(ip) => ip.to_string(),
        };
        Ok(Address { host, port, path: url.path().trim_end_matches('/').to_owned(), is_data, authority })
    }

    /// Returns the value of the `Host` header.
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

fn is_of_data_nodes(host: &str) -> bool {
    host.split('.').next().is_some_and(|label| label.ends_with("-data"))
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "http://{}{}", self.authority, self.path)
    }
}

/// Why an address is not usable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// The address answered 404: it does not serve the API.
    NoApi,
    /// The address is unreachable or not ready, with the cause.
    NotReady(String),
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Ask the address with this index.
    Ask(usize),
    /// Wait until this time.
    Wait(Duration),
    /// Every address answered 404.
    NowhereServed,
    /// The search has taken too long.
    GiveUp,
}

/// The search for a usable address. All times are measured from the start of the search.
#[derive(Clone, Debug)]
pub struct Search {
    candidates: Vec<Candidate>,
    /// Index of the address to ask.
    current: usize,
    /// Whether every address has had [`PATIENCE`]. From then on each address is asked once per round.
    is_later_round: bool,
    /// When the search moved to the current address.
    since: Duration,
    /// When the next request may be sent.
    not_before: Duration,
}

#[derive(Clone, Debug)]
struct Candidate {
    is_data: bool,
    last: Option<Probe>,
}

impl Search {
    /// Starts a search of `addresses`, in their order.
    pub fn new(addresses: &[Address]) -> Self {
        let candidates = addresses.iter().map(|address| Candidate { is_data: address.is_data, last: None }).collect();
        Search { candidates, current: 0, is_later_round: false, since: Duration::ZERO, not_before: Duration::ZERO }
    }

    /// Returns what to do at `now`, measured from the start of the search.
    pub fn next(&self, now: Duration) -> Next {
        if self.candidates.iter().all(|candidate| candidate.last == Some(Probe::NoApi)) {
            return Next::NowhereServed;
        }
        if now >= self.deadline() {
            return Next::GiveUp;
        }
        if now < self.not_before {
            return Next::Wait(self.not_before.min(self.deadline()));
        }
        Next::Ask(self.current)
    }

    /// Records the result of asking the address with this index. Returns whether it differs from the previous result.
    pub fn take(&mut self, index: usize, probe: Probe, now: Duration) -> bool {
        let has_changed = self.candidates[index].last.as_ref() != Some(&probe);
        let has_no_api = probe == Probe::NoApi;
        self.candidates[index].last = Some(probe);
        // Stay with data nodes: they come last, and are asked only if the API must be there.
        let is_over = self.is_later_round || (!self.candidates[index].is_data && now >= self.since + PATIENCE);
        let mut is_first_question = false;
        if has_no_api || is_over {
            self.advance(now);
            is_first_question = self.candidates[self.current].last.is_none();
        }
        self.not_before = if is_first_question { now } else { now + PAUSE };
        has_changed
    }

    /// Returns whether any address has answered 404. Then only the data node of a June version can serve the API.
    pub fn saw_404(&self) -> bool {
        self.candidates.iter().any(|candidate| candidate.last == Some(Probe::NoApi))
    }

    /// Returns the last result of each address, or `None` for an address that was not asked.
    pub fn causes(&self) -> impl Iterator<Item = Option<&Probe>> {
        self.candidates.iter().map(|candidate| candidate.last.as_ref())
    }

    /// Returns the longest time that the search may take.
    pub fn deadline(&self) -> Duration {
        SEARCH + PATIENCE * u32::try_from(self.candidates.len()).unwrap_or(u32::MAX)
    }

    /// Moves to the next address that can be asked.
    fn advance(&mut self, now: Duration) {
        let count = self.candidates.len();
        for step in 1..=count {
            let index = (self.current + step) % count;
            if self.can_be_asked(index) {
                self.is_later_round |= self.current + step >= count;
                self.current = index;
                self.since = now;
                return;
            }
        }
    }

    /// Skips an address that answered 404. Data nodes are asked only after the address before them answered 404.
    fn can_be_asked(&self, index: usize) -> bool {
        let before = index.checked_sub(1).map(|before| &self.candidates[before]);
        let may = !self.candidates[index].is_data || before.is_none_or(|before| before.last == Some(Probe::NoApi));
        may && self.candidates[index].last != Some(Probe::NoApi)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(urls: &[&str]) -> Vec<Address> {
        urls.iter().map(|url| Address::parse(url).unwrap()).collect()
    }

    fn cause(text: &str) -> Probe {
        Probe::NotReady(text.to_owned())
    }

    /// Runs a search against `answer`. Returns which address was asked at which second, and how the search ended.
    fn search(urls: &[&str], answer: impl Fn(usize, u64) -> Option<Probe>) -> (Vec<(usize, u64)>, Result<usize, Next>) {
        let mut search = Search::new(&addresses(urls));
        let (mut now, mut firsts) = (Duration::ZERO, Vec::<(usize, u64)>::new());
        loop {
            match search.next(now) {
                Next::Ask(index) => {
                    if !firsts.iter().any(|(first, _)| *first == index) {
                        firsts.push((index, now.as_secs()));
                    }
                    match answer(index, now.as_secs()) {
                        Some(probe) => search.take(index, probe, now),
                        None => return (firsts, Ok(index)),
                    };
                }
                Next::Wait(until) => now = until,
                end => {
                    assert!(now <= search.deadline());
                    return (firsts, Err(end));
                }
            }
        }
    }

    const THREE: [&str; 3] = ["http://c-public-api", "http://c-metadata:12377", "http://c-data:12380"];

    #[test]
    fn the_first_that_serves_is_taken() {
        assert_eq!(search(&THREE, |_, _| None), (vec![(0, 0)], Ok(0)));
        let late = |_, now| (now < 90).then(|| cause("refused"));
        assert_eq!(search(&THREE, late), (vec![(0, 0)], Ok(0)));
    }

    #[test]
    fn an_address_that_cannot_be_reached_is_passed_over_after_two_minutes() {
        let first_is_down = |index, _| (index == 0).then(|| cause("refused"));
        assert_eq!(search(&THREE, first_is_down), (vec![(0, 0), (1, 120)], Ok(1)));
    }

    #[test]
    fn data_nodes_are_asked_after_a_404_of_the_one_before() {
        let june = |index, now| match index {
            1 => Some(if now < 200 { cause("refused") } else { Probe::NoApi }),
            0 => Some(cause("no such host")),
            _ => None,
        };
        assert_eq!(search(&THREE, june), (vec![(0, 0), (1, 120), (2, 200)], Ok(2)));
        // The public API and the metadata nodes do not serve the API.
        let at_once = |index, _| (index < 2).then_some(Probe::NoApi);
        assert_eq!(search(&THREE, at_once), (vec![(0, 0), (1, 0), (2, 0)], Ok(2)));
    }

    #[test]
    fn data_nodes_are_not_asked_without_a_404_of_the_one_before() {
        let (asked, end) = search(&THREE, |_, _| Some(cause("refused")));
        assert_eq!((asked, end), (vec![(0, 0), (1, 120)], Err(Next::GiveUp)));
        // Only a 404 of the address directly before counts.
        let (asked, _) = search(&THREE, |index, _| Some(if index == 0 { Probe::NoApi } else { cause("refused") }));
        assert_eq!(asked, [(0, 0), (1, 0)]);
    }

    #[test]
    fn data_nodes_get_all_the_time_that_is_left() {
        let slow = |index, now| match index {
            1 => Some(Probe::NoApi),
            2 if now > 350 => None,
            _ => Some(cause("refused")),
        };
        assert_eq!(search(&THREE, slow), (vec![(0, 0), (1, 120), (2, 120)], Ok(2)));
    }

    #[test]
    fn an_unreachable_address_is_asked_again_later() {
        let slow = |index, now| (index != 0 || now < 300).then(|| cause("refused"));
        assert_eq!(search(&THREE, slow).1, Ok(0));
    }

    #[test]
    fn a_404_everywhere_ends_the_search_at_once() {
        assert_eq!(search(&THREE, |_, _| Some(Probe::NoApi)).1, Err(Next::NowhereServed));
    }

    #[test]
    fn take_returns_whether_the_result_changed() {
        let mut search = Search::new(&addresses(&["http://a"]));
        assert!(search.take(0, cause("refused"), PAUSE));
        assert!(!search.take(0, cause("refused"), PAUSE));
        assert!(search.take(0, cause("no such host"), PAUSE));
        assert!(!search.saw_404());
        assert_eq!(search.causes().collect::<Vec<_>>(), [Some(&cause("no such host"))]);
    }

    #[test]
    fn addresses_are_urls_of_plain_http() {
        let shown = |text| Address::parse(text).map(|address| (address.to_string(), address.host, address.port));
        let expected = |url: &str, host: &str, port| Ok((url.to_owned(), host.to_owned(), port));
        assert_eq!(shown("http://c.ns.svc:12377/"), expected("http://c.ns.svc:12377", "c.ns.svc", 12377));
        assert_eq!(shown("http://[::1]:8080"), expected("http://[::1]:8080", "::1", 8080));
        assert_eq!(shown("http://c/api/"), expected("http://c/api", "c", 80));
        for wrong in ["c:80", "https://c", "http://u:p@c", "http://", "http://c?x"] {
            assert!(Address::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn data_nodes_are_known_by_host_or_fragment() {
        for (url, expected) in [
            ("http://c-data.ns.svc:12380", true),
            ("http://c-data", true),
            ("http://127.0.0.1:1#data", true),
            ("http://c-metadata.my-data.svc", false),
            ("http://c-database", false),
            ("http://127.0.0.1:1", false),
        ] {
            assert_eq!(Address::parse(url).unwrap().is_data, expected, "{url}");
        }
    }
}
