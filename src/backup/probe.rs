//! Judges the response to `GET /db/v1/tables`: whether an address serves the API, and which tables the cluster has.

use super::{
    address::Probe,
    answer::{Came, Reply},
    decide::{Decision, Ending, Request, Verdict, http_error},
    reason,
    wanted::read_tables,
};
use std::{collections::BTreeSet, time::Duration};

/// The path of the request.
pub const PATH: &str = "/db/v1/tables";

/// The meaning of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probed {
    /// The address does not serve the API, or not yet.
    Elsewhere(Probe),
    /// The address serves the API. Holds the cluster's tables, or `None` if the login must not list them.
    Serves(Option<BTreeSet<String>>),
    /// The address serves the API, and the attempt ends.
    Ends(Box<Verdict>),
}

/// Judges the response to the probe that precedes `request`.
pub fn judge(request: &Request<'_>, came: &Came) -> Probed {
    let reply = match came {
        Came::NotSent(cause) | Came::Lost(cause) => return not_ready(request.mask.foreign(cause)),
        Came::Reply(reply) => reply,
    };
    match reply.status {
        200..300 => judge_tables(request, reply),
        403 => Probed::Serves(None),
        404 => Probed::Elsewhere(Probe::NoApi),
        408 | 429 | 501.. => not_ready(http_error(reply.status, &request.mask.foreign(&reply.text()))),
        _ => match request.decide(came) {
            Decision::Verdict(verdict) => Probed::Ends(verdict),
            Decision::CheckList(why) => not_ready(why),
        },
    }
}

fn judge_tables(request: &Request<'_>, reply: &Reply) -> Probed {
    let tables = reply.readable().map(|body| read_tables(body).map_err(|error| error.to_string()));
    match tables.and_then(|tables| tables) {
        Ok(tables) => Probed::Serves(Some(tables)),
        Err(why) => {
            let error = format!("Antfly's list of tables can't be read: {}", request.mask.foreign(&why));
            let ending = Ending::Again(Duration::ZERO);
            Probed::Ends(Box::new(Verdict::failed(request.id, reason::UNREADABLE_ANSWER, error, ending)))
        }
    }
}

fn not_ready(cause: String) -> Probed {
    Probed::Elsewhere(Probe::NotReady(cause))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::{advice::Asked, credentials::Login, mask::Mask, wanted::Wanted};

    fn judged(login: &Login, status: u16, body: &str) -> Probed {
        let reply = Reply { status, body: Some(body.into()), location: Some("http://x".into()), ..Default::default() };
        judged_came(login, &Came::Reply(reply))
    }

    fn judged_came(login: &Login, came: &Came) -> Probed {
        let asked = Asked { connection: None, secret: None, login };
        let mask = Mask::default();
        judge(&Request { id: "x", wanted: &Wanted::Unknown, by_data_node: false, asked, mask: &mask }, came)
    }

    #[test]
    fn each_answer_has_its_meaning() {
        let login = Login::None;
        assert_eq!(judged(&login, 200, r#"[{"name":"a"}]"#), Probed::Serves(Some(["a".to_owned()].into())));
        assert_eq!(judged(&login, 200, "[]"), Probed::Serves(Some(BTreeSet::new())));
        assert_eq!(judged(&login, 403, "forbidden"), Probed::Serves(None));
        assert_eq!(judged(&login, 404, "404 page not found"), Probed::Elsewhere(Probe::NoApi));
        assert_eq!(judged(&login, 503, "starting"), not_ready("Antfly answers 503 \"starting\"".into()));
        assert_eq!(judged_came(&login, &Came::NotSent("refused".into())), not_ready("refused".into()));
        assert_eq!(judged_came(&login, &Came::Lost("reset".into())), not_ready("reset".into()));
    }

    #[test]
    fn a_permanent_refusal_ends_the_attempt() {
        let token = Login::Token(http::HeaderValue::from_static("x"));
        for (status, body, reason, is_for_good, text) in [
            (401, "unauthorized", "Unauthorized", true, "correct key ANTFLY_TOKEN"),
            (500, "", "ServerError", false, "a token that is not base64"),
            (500, "backup failed", "ServerError", false, "Antfly answers 500 \"backup failed\""),
            (302, "", "UnreadableAnswer", false, "redirects to \"http://x\""),
            (200, "<html>", "UnreadableAnswer", false, "list of tables can't be read"),
            (400, "bad", "RequestRefused", true, "Antfly answers 400 \"bad\""),
        ] {
            let Probed::Ends(verdict) = judged(&token, status, body) else { panic!("{status}") };
            assert_eq!(verdict.result.reason, reason);
            assert_eq!(verdict.ending == Ending::ForGood, is_for_good, "{status}");
            assert!(verdict.result.error.as_deref().unwrap().contains(text), "{:?}", verdict.result.error);
            assert!(!verdict.result.outcome_unknown);
        }
    }
}
