//! The operator where its users run it: its image and its manifests in a real Kubernetes node, with Pods that really start.
//!
//! Needs a Docker daemon, and the image of a node: kind's own, or the one that `KIND_NODE_IMAGE` names (`cargo xtask
//! kind-node` builds one where none can be pulled). Without a daemon the tests are skipped, unless `REQUIRE_KIND=1`.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "tests are shell: they talk to an API server and wait on a clock"
)]

#[path = "kind/antfly.rs"]
mod antfly;
#[path = "kind/arguments.rs"]
mod arguments;
#[path = "kind/deployment.rs"]
mod deployment;
#[path = "kind/disruptions.rs"]
mod disruptions;
#[path = "kind/failures.rs"]
mod failures;
#[path = "support/golden.rs"]
#[allow(dead_code, reason = "shared with tests that need more of it")]
mod golden;
#[path = "kind/node.rs"]
mod node;
#[path = "kind/page.rs"]
mod page;
#[path = "kind/room.rs"]
mod room;
#[path = "kind/schedule.rs"]
mod schedule;
#[path = "kind/snapshots.rs"]
mod snapshots;
#[path = "kind/storage.rs"]
mod storage;

use futures::future::LocalBoxFuture;
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use node::Cluster;
use parking_lot::Mutex;
use std::{
    env,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    process::ExitCode,
    sync::{Arc, OnceLock},
};
use tokio::runtime::Runtime;

/// How many tests run at a time: they mostly wait.
const AT_A_TIME: usize = 12;

/// A test.
type Test = for<'a> fn(&'a Cluster) -> LocalBoxFuture<'a, ()>;

/// Names and functions of the tests of a module; those of `alone` run while no other test does.
macro_rules! tests {
    (beside $($module:ident::$name:ident,)* ; alone $($alone_module:ident::$alone_name:ident,)*) => {
        vec![
            $((concat!(stringify!($module), "::", stringify!($name)), false, (|cluster| Box::pin($module::$name(cluster))) as Test),)*
            $((concat!(stringify!($alone_module), "::", stringify!($alone_name)), true, (|cluster| Box::pin($alone_module::$alone_name(cluster))) as Test),)*
        ]
    };
}

fn all() -> Vec<(&'static str, bool, Test)> {
    tests! {
        beside
            deployment::the_operator_is_ready_under_its_own_account_in_a_restricted_namespace,
            deployment::the_operator_may_do_what_the_manifests_allow_and_nothing_else,
            page::every_example_and_command_of_the_reference_page_works,
            deployment::the_operators_image_is_below_30_mib,
            schedule::a_schedule_fires_and_the_record_has_what_antfly_received_and_what_was_read_back,
            schedule::two_backups_of_one_name_time_and_location_have_two_ids_and_are_both_restorable,
            schedule::the_pod_is_locked_down_and_gets_its_id_and_the_keys_and_nothing_else_of_the_secret,
            schedule::suspending_stops_the_runs_and_resuming_starts_them_again,
            schedule::a_job_made_by_hand_is_a_backup_like_any_other,
            schedule::deleting_the_backup_deletes_its_pods_too,
            failures::a_partial_backup_fails_with_the_table_that_is_missing,
            failures::a_failed_backup_is_tried_again_and_fails_with_the_error_of_its_tables,
            failures::a_login_that_antfly_refuses_is_not_tried_again,
            failures::a_backup_that_takes_too_long_is_killed_and_recorded_as_such,
            failures::a_missing_secret_is_reported_while_the_backup_waits_for_it,
            failures::a_missing_key_is_reported_while_the_backup_waits_for_it,
            failures::an_image_that_cannot_be_pulled_is_reported_while_the_backup_waits_for_it,
            failures::a_sidecar_that_keeps_the_pod_running_is_reported_and_fails_the_job_and_not_the_backup,
            arguments::what_a_user_writes_reaches_antfly_literally_or_is_refused,
        ;
        alone
            disruptions::an_operator_that_is_deleted_during_a_run_loses_nothing,
            disruptions::a_kubelet_that_is_restarted_during_a_run_loses_nothing,
            deployment::applying_the_manifests_again_restarts_nothing,
            snapshots::the_snapshots_are_what_the_cluster_runs,
    }
}

/// The cluster, started by the first test that needs it. If it does not start, every test fails.
struct Suite {
    runtime: Runtime,
    cluster: OnceLock<Result<Cluster, String>>,
    starting: Mutex<()>,
}

impl Suite {
    fn cluster(&self) -> Result<&Cluster, Failed> {
        let _one_starts = self.starting.lock();
        let start = || self.runtime.block_on(Cluster::start()).map_err(|error| format!("no cluster: {error:#}"));
        self.cluster.get_or_init(start).as_ref().map_err(Failed::from)
    }

    fn run(&self, is_alone: bool, test: Test) -> Result<(), Failed> {
        let cluster = self.cluster()?;
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            self.runtime.block_on(async {
                if is_alone {
                    let _turn = cluster.turns.write().await;
                    test(cluster).await;
                } else {
                    let _turn = cluster.turns.read().await;
                    test(cluster).await;
                }
            });
        }));
        outcome.map_err(|panic| {
            eprintln!("{}", cluster.describe());
            resume_unwind(panic)
        })
    }
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = arguments.test_threads.or(Some(AT_A_TIME));
    let suite = Arc::new(Suite {
        runtime: Runtime::new().expect("a runtime"),
        cluster: OnceLock::new(),
        starting: Mutex::default(),
    });
    let is_required = env::var_os("REQUIRE_KIND").is_some_and(|value| value == "1");
    let is_skipped = !node::has_docker() && !is_required;
    if is_skipped && !arguments.list {
        eprintln!(
            "SKIPPED: the tests in kind need a Docker daemon and there is none; start one, or set REQUIRE_KIND=1 to have them fail"
        );
    }
    let trials = all().into_iter().map(|(name, is_alone, test)| {
        let suite = suite.clone();
        Trial::ignorable_test(name, move || {
            if is_skipped {
                return Ok(Completion::ignored_with("there is no Docker daemon"));
            }
            suite.run(is_alone, test).map(|()| Completion::Completed)
        })
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    // the tests hold the suite no longer
    let suite = Arc::into_inner(suite).expect("no test runs any more");
    if let Some(Ok(cluster)) = suite.cluster.into_inner()
        && let Err(error) = suite.runtime.block_on(cluster.stop())
    {
        eprintln!("kind: the node could not be removed: {error:#}");
        return ExitCode::FAILURE;
    }
    conclusion.exit_code()
}
