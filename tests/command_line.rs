//! The commands that need no cluster, as a user types them.
#![allow(clippy::unwrap_used, reason = "tests, helpers included")]

#[path = "support/command.rs"]
mod support;

use antfly_backup_operator::testing::{api::CRD, desired::DEFAULT_IMAGE, names::cron_job_name};
use k8s_openapi::api::batch::v1::CronJob;
use std::{fs, process::Stdio};
use support::{Ended, command, run, run_on, run_on_files};

const BACKUP: &str = "\
apiVersion: antfly.io/v1
kind: AntflyBackup
metadata: {name: nightly, namespace: production}
spec:
  clusterRef: {name: main}
  schedule: 0 2 * * *
  destination: {location: s3://my-bucket/path}
";
const CLUSTER: &str = "\
apiVersion: antfly.io/v1
kind: AntflyCluster
metadata: {name: main, namespace: production}
spec: {image: example.com/antfly:v7, imagePullPolicy: Always, metadataNodes: {metadataAPI: {port: 9000}}}
";
const SECRET: &str = "{apiVersion: v1, kind: Secret, metadata: {name: credentials}}\n";

fn cron_jobs(yaml: &str) -> Vec<CronJob> {
    serde_saphyr::from_multiple(yaml).unwrap()
}

fn named(name: &str) -> String {
    BACKUP.replace("nightly", name)
}

#[test]
fn crd_prints_the_schema_file_byte_for_byte() {
    let ended = run(&["crd"]);
    assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""));
    assert_eq!(ended.output, CRD);
    assert_eq!(ended.output, fs::read_to_string("schema/antflybackup.yaml").unwrap());
}

#[test]
fn a_reader_that_closes_early_is_no_error() {
    let mut child = command(&["crd"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ended = Ended::from(child.wait_with_output().unwrap());
    assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""));
}

#[test]
fn render_prints_a_cron_job_of_the_backup_and_its_cluster() {
    let ended = run_on_files(&["render"], &[BACKUP, CLUSTER]);
    assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""));
    let [cron_job] = &cron_jobs(&ended.output)[..] else { panic!("{}", ended.output) };
    assert_eq!(cron_job.metadata.name, Some(cron_job_name("nightly")));
    assert_eq!(cron_job.metadata.namespace.as_deref(), Some("production"));
    let job = cron_job.spec.job_template.spec.as_ref().unwrap();
    let container = &job.template.spec.as_ref().unwrap().containers[0];
    // nothing of the cluster's image
    assert_eq!(container.image.as_deref(), Some(DEFAULT_IMAGE));
    assert_eq!((&container.image_pull_policy, &container.command), (&None, &None));
    assert_eq!(
        container.args.as_deref().unwrap(),
        [
            "backup",
            "--server=http://main-metadata.production.svc:9000",
            "--server=http://main-data.production.svc:12380",
            "--location=s3://my-bucket/path",
        ]
    );
    let again = serde_saphyr::to_string(cron_job).unwrap();
    assert_eq!(cron_jobs(&again), std::slice::from_ref(cron_job));
}

#[test]
fn render_takes_many_documents_from_files_and_standard_input_and_skips_other_kinds() {
    let input = format!("{SECRET}---\n{}---\n{CLUSTER}---\n\n---\n{}", named("one"), named("two"));
    let ended = run_on(&["render", "-f", "-"], &input);
    assert_eq!(ended.code, Some(0), "{}", ended.errors);
    let names: Vec<_> = cron_jobs(&ended.output).into_iter().map(|it| it.metadata.name.unwrap()).collect();
    assert_eq!(names, ["one-cron", "two-cron"]);
    assert_eq!(ended.errors, "-: skipped Secret \"credentials\": not an AntflyBackup or AntflyCluster\n");

    let ended = run_on_files(&["render"], &[&named("one"), &named("two"), CLUSTER]);
    assert_eq!((ended.code, cron_jobs(&ended.output).len()), (Some(0), 2));
}

#[test]
fn render_without_the_cluster_notes_that_it_takes_one_with_defaults() {
    let ended = run_on_files(&["render"], &[BACKUP]);
    assert_eq!(ended.code, Some(0), "{}", ended.errors);
    for port in ["main-metadata.production.svc:12377", "main-data.production.svc:12380"] {
        assert!(ended.output.contains(&format!("--server=http://{port}")), "{}", ended.output);
    }
    assert_eq!(
        ended.errors,
        "{0}: AntflyCluster production/main is in none of the files; taking one with all defaults\n"
    );
}

#[test]
fn render_takes_the_image_of_the_pods_and_the_secrets_that_it_is_pulled_with() {
    let options = ["--job-image", "mirror.example.com/operator:2", "--job-image-pull-secret", "one"];
    let ended =
        run_on_files(&[&["render"], &options[..], &["--job-image-pull-secret", "two"]].concat(), &[BACKUP, CLUSTER]);
    assert_eq!(ended.code, Some(0), "{}", ended.errors);
    let job = cron_jobs(&ended.output).remove(0).spec.job_template.spec.unwrap();
    let pod = job.template.spec.unwrap();
    assert_eq!(pod.containers[0].image.as_deref(), Some("mirror.example.com/operator:2"));
    let secrets: Vec<_> = pod.image_pull_secrets.into_iter().flatten().map(|secret| secret.name).collect();
    assert_eq!(secrets, ["one", "two"]);
}

#[test]
fn the_options_of_the_former_runner_are_gone() {
    for option in ["--runner-image", "--default-image"] {
        for subcommand in ["run", "render"] {
            let ended = run(&[subcommand, option, "example.com/any:1"]);
            assert_eq!(ended.code, Some(2), "{}", ended.errors);
            assert!(ended.errors.contains(option), "{}", ended.errors);
        }
    }
}

#[test]
fn render_without_a_namespace_is_for_the_default_one() {
    let anywhere = |text: &str| text.replace(", namespace: production", "");
    let ended = run_on_files(&["render"], &[&anywhere(BACKUP), &anywhere(CLUSTER)]);
    assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""));
    assert_eq!(cron_jobs(&ended.output)[0].metadata.namespace.as_deref(), Some("default"));
    assert!(ended.output.contains("http://main-metadata.default.svc:9000"), "{}", ended.output);
}

#[test]
fn render_refuses_what_the_api_server_refuses_and_renders_the_rest() {
    let invalid = named("invalid").replace("s3://my-bucket", "ftp://host");
    let never = named("never").replace("0 2 * * *", "0 0 30 2 *");
    let ended = run_on_files(&["render"], &[&invalid, &never, &named("valid"), CLUSTER]);
    assert_eq!(ended.code, Some(1));
    assert_eq!(cron_jobs(&ended.output).len(), 1, "{}", ended.output);
    let lines: Vec<_> = ended.errors.lines().collect();
    assert!(lines[0].starts_with("{0}: spec.destination.location: "), "{lines:#?}");
    assert!(
        lines[1].starts_with("{1}: InvalidSchedule: spec.schedule: ") && lines[1].contains("never fires"),
        "{lines:#?}"
    );

    let ended = run_on_files(&["render"], &[CLUSTER]);
    assert_eq!((ended.code, ended.errors.as_str()), (Some(1), "error: no AntflyBackup in {0}\n"));
    let ended = run(&["render", "-f", "/nonexistent/file.yaml"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.errors.starts_with("error: /nonexistent/file.yaml: cannot be read: "), "{}", ended.errors);
}

#[test]
fn validate_is_silent_and_0_for_what_is_valid() {
    let ended = run_on_files(&["validate"], &[BACKUP, &format!("{}---\n{}", named("one"), named("two"))]);
    assert_eq!((ended.code, ended.output.as_str(), ended.errors.as_str()), (Some(0), "", "3 valid, 0 refused\n"));
}

#[test]
fn validate_prints_a_line_for_every_violation() {
    let invalid = BACKUP.replace("0 2 * * *", "61 2 * *").replace("s3://my-bucket", "ftp://host") + "  typo: 1\n";
    let ended = run_on_files(&["validate"], &[&format!("{}---\n{invalid}", named("fine")), &named("Shouting")]);
    assert_eq!(ended.code, Some(1));
    let fields: Vec<_> =
        ended.output.lines().map(|line| line.split(": ").take(3).collect::<Vec<_>>().join(" ")).collect();
    for field in [
        "{0}:15:27 error spec.destination.location",
        "{0}:14:13 error spec.schedule",
        "{0}:16:3 error spec.typo",
        "{1}:3:18 error metadata.name",
    ] {
        assert!(fields.iter().any(|it| it == field), "{field} is not in {fields:#?}");
    }
    assert!(ended.output.lines().all(|line| line.splitn(4, ": ").count() == 4), "{}", ended.output);
    assert_eq!(ended.errors, "1 valid, 2 refused\n");
}

#[test]
fn validate_reads_lists_and_standard_input_and_skips_other_kinds() {
    let item = |text: &str| text.lines().map(|line| format!("  {line}\n")).collect::<String>();
    let list = format!(
        "apiVersion: v1\nkind: List\nitems:\n-\n{}-\n{}-\n{}",
        item(BACKUP),
        item(&BACKUP.replace("0 2 * * *", "no")),
        item(SECRET)
    );
    let ended = run_on(&["validate", "-f", "-"], &list);
    assert_eq!(ended.code, Some(1), "{}", ended.errors);
    assert!(ended.output.lines().all(|line| line.starts_with("-:18:15: error: spec.schedule: ")), "{}", ended.output);
    assert!(!ended.output.is_empty());
    assert_eq!(ended.errors, "-: skipped Secret \"credentials\": not an AntflyBackup\n1 valid, 1 refused, 1 skipped\n");
}

#[test]
fn validate_shows_where_yaml_is_broken_and_goes_on_with_the_other_files() {
    let broken = "apiVersion: [\n";
    let twice = format!("{BACKUP}  schedule: 0 3 * * *\n");
    let ended = run_on_files(&["validate"], &[broken, &twice, BACKUP]);
    assert_eq!((ended.code, ended.errors.lines().last()), (Some(1), Some("1 valid, 2 refused")));
    assert!(
        ended.output.contains("{0}:1:13: error: ") && ended.output.contains("{1}:8:3: error: "),
        "{}",
        ended.output
    );
    assert!(ended.output.contains("duplicate") && ended.output.contains("schedule"), "{}", ended.output);
    let ended = run(&["validate", "-f", "/nonexistent/file.yaml"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.output.starts_with("/nonexistent/file.yaml: cannot be read: "), "{}", ended.output);
}

#[test]
fn validate_warns_of_a_schedule_that_never_fires() {
    let ended = run_on_files(&["validate"], &[&BACKUP.replace("0 2 * * *", "0 0 31 4 *")]);
    assert_eq!((ended.code, ended.output.as_str()), (Some(0), ""));
    assert!(ended.errors.contains("{0}:6:13: warning: spec.schedule: \"0 0 31 4 *\" never fires"), "{}", ended.errors);
}

#[test]
fn validate_warns_of_an_unknown_time_zone() {
    let in_atlantis = BACKUP.replace("  schedule:", "  timeZone: Europe/Atlantis\n  schedule:");
    let ended = run_on_files(&["validate"], &[&in_atlantis]);
    assert_eq!((ended.code, ended.output.as_str()), (Some(0), ""));
    let warning = "{0}:6:13: warning: spec.timeZone: \"Europe/Atlantis\" is not a time zone";
    assert!(ended.errors.contains(warning), "{}", ended.errors);
}

#[test]
fn a_hostile_value_is_printed_escaped() {
    let hostile = BACKUP.replace("0 2 * * *", "\"* * * * *\\n\\e[31mred\\r\"");
    for subcommand in ["validate", "render"] {
        let ended = run_on_files(&[subcommand], &[&hostile]);
        let printed = ended.output + &ended.errors;
        assert_eq!(ended.code, Some(1), "{printed}");
        assert!(printed.contains("red") && !printed.contains(['\u{1b}', '\r']), "{printed:?}");
        assert!(printed.lines().all(|line| line.starts_with("{0}:") || line.ends_with(" refused")), "{printed:?}");
    }
    let ended = run(&["next", "* * * * *\n\u{1b}[31mred"]);
    assert_eq!(ended.code, Some(1));
    assert!(!ended.errors.contains('\u{1b}'), "{:?}", ended.errors);
}

#[test]
fn next_prints_upcoming_runs_in_utc() {
    let ended = run(&["next", "0 2 * * mon-fri", "--from", "2026-11-20T02:00:00Z", "--count", "3"]);
    assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""));
    assert_eq!(ended.output, "2026-11-23T02:00:00Z\n2026-11-24T02:00:00Z\n2026-11-25T02:00:00Z\n");
    let ended = run(&["next", "@yearly", "--from", "2026-06-01T12:00:00+02:00"]);
    assert_eq!(ended.output.lines().count(), 5);
    assert_eq!(ended.output.lines().next(), Some("2027-01-01T00:00:00Z"));
    let ended = run(&["next", "0 0 29 2 *", "--from", "2028-03-01T00:00:00Z", "--count", "1"]);
    assert_eq!(ended.output, "2032-02-29T00:00:00Z\n");
    assert_eq!(run(&["next", "@hourly", "--count", "0"]).output, "");
}

#[test]
fn next_prints_the_local_time_of_a_time_zone_too() {
    let next = |zone: &str, schedule: &str, from: &str| {
        run(&["next", schedule, "--time-zone", zone, "--from", from, "--count", "3"])
    };
    let berlin = next("Europe/Berlin", "30 2 * * *", "2027-03-27T00:00:00Z");
    assert_eq!((berlin.code, berlin.errors.as_str()), (Some(0), ""));
    let skipped = "2027-03-27T01:30:00Z  Sat 2027-03-27 02:30 +01:00\n\
                   2027-03-29T00:30:00Z  Mon 2027-03-29 02:30 +02:00\n\
                   2027-03-30T00:30:00Z  Tue 2027-03-30 02:30 +02:00\n";
    assert_eq!(berlin.output, skipped);
    let doubled = "2027-10-31T00:30:00Z  Sun 2027-10-31 02:30 +02:00\n\
                   2027-10-31T01:30:00Z  Sun 2027-10-31 02:30 +01:00\n\
                   2027-11-01T01:30:00Z  Mon 2027-11-01 02:30 +01:00\n";
    assert_eq!(next("Europe/Berlin", "30 2 * * *", "2027-10-30T12:00:00Z").output, doubled);
    let utc = next("UTC", "@daily", "2027-03-27T00:00:00Z").output;
    assert!(utc.starts_with("2027-03-28T00:00:00Z  Sun 2027-03-28 00:00 +00:00\n"), "{utc}");
    for (zone, error) in [
        ("Europe/Atlantis", "error: --time-zone: \"Europe/Atlantis\" is not a time zone that this version"),
        ("europe/berlin", "write \"Europe/Berlin\""),
        ("Local", "is not a time zone"),
        ("", "is not a time zone"),
    ] {
        let ended = next(zone, "@daily", "2027-03-27T00:00:00Z");
        assert_eq!((ended.code, ended.output.as_str()), (Some(1), ""), "{zone}");
        assert!(ended.errors.contains(error), "{}", ended.errors);
    }
}

#[test]
fn next_refuses_what_the_operator_refuses() {
    for (schedule, error) in [
        ("0 2 * *", "write five"),
        ("0 2 * * 7", "day of week"),
        ("@every 5m", "write a step such as */15 * * * *"),
        ("TZ=UTC 0 2 * * *", "spec.timeZone"),
        ("0 0 30 2 *", "never fires"),
    ] {
        let ended = run(&["next", schedule]);
        assert_eq!((ended.code, ended.output.as_str()), (Some(1), ""), "{schedule}");
        assert!(ended.errors.starts_with(&format!("error: schedule {schedule:?}")), "{}", ended.errors);
        assert!(ended.errors.contains(error), "{}", ended.errors);
    }
}

#[test]
fn every_command_has_help_with_an_example() {
    let ended = run(&["--help"]);
    assert_eq!(ended.code, Some(0));
    for subcommand in ["run", "crd", "render", "validate", "restore-manifest", "next"] {
        assert!(ended.output.contains(&format!("\n  {subcommand} ")), "{}", ended.output);
        let ended = run(&[subcommand, "--help"]);
        assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""));
        assert!(ended.output.contains(&format!("Usage: antfly-backup-operator {subcommand}")), "{}", ended.output);
        let example = ended.output.split("Example:\n").nth(1).unwrap_or_default();
        assert!(example.contains(&format!("antfly-backup-operator {subcommand}")), "{}", ended.output);
    }
    assert!(run(&["run", "--help"]).output.contains("ANTFLY_BACKUP_OPERATOR_NAMESPACE"));
    assert_eq!(run(&["--version"]).output, format!("antfly-backup-operator {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_usage_is_2() {
    for arguments in [
        &[][..],
        &["unknown"],
        &["render"],
        &["validate"],
        &["restore-manifest"],
        &["next"],
        &["next", "@daily", "--from", "yesterday"],
        &["next", "@daily", "--count", "many"],
        &["crd", "--unknown"],
        &["run", "--concurrency", "0"],
    ] {
        let ended = run(arguments);
        assert_eq!((ended.code, ended.output.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(ended.errors.contains("Usage") || ended.errors.contains("--help"), "{}", ended.errors);
    }
}

#[test]
fn a_file_of_pod_defaults_is_merged_by_render_and_one_that_is_not_valid_ends_the_operator_at_its_start() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pod.yaml");
    let path = file.to_str().unwrap();
    fs::write(&file, "nodeSelector: {pool: backups}\nserviceAccountName: backups\n").unwrap();
    let backup = format!("{BACKUP}  pod: {{nodeSelector: {{zone: east}}, priorityClassName: low}}\n");
    let ended = run_on_files(&["render", "--pod-defaults-file", path], &[&backup, CLUSTER]);
    assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""));
    let [cron_job] = &cron_jobs(&ended.output)[..] else { panic!("{}", ended.output) };
    let pod = cron_job.spec.job_template.spec.as_ref().unwrap().template.spec.as_ref().unwrap();
    let selector = serde_json::json!({"kubernetes.io/os": "linux", "pool": "backups", "zone": "east"});
    assert_eq!(serde_json::json!(pod.node_selector), selector);
    assert_eq!(
        (pod.service_account_name.as_deref(), pod.priority_class_name.as_deref()),
        (Some("backups"), Some("low"))
    );

    for (defaults, told) in [
        ("resources: {limits: {memory: lots}}", "resources.limits.memory: invalid value \"lots\": must be an amount"),
        ("labels: {antfly.io/backup: x}", "labels: keys that begin with app.kubernetes.io/, antfly.io/"),
        ("hostNetwork: true", "hostNetwork: unknown field"),
        ("[]", "must be an object, is a list"),
        ("a: b: c", "--pod-defaults-file"),
    ] {
        fs::write(&file, defaults).unwrap();
        for arguments in [["run", "--pod-defaults-file", path], ["render", "--pod-defaults-file", path]] {
            let ended = run_on_files(&arguments, if arguments[0] == "run" { &[] } else { &[BACKUP] });
            assert_eq!(ended.code, Some(1), "{defaults}");
            assert!(ended.errors.contains(told) && ended.errors.contains(path), "{defaults}: {}", ended.errors);
        }
    }
    fs::remove_file(&file).unwrap();
    let ended = run(&["run", "--pod-defaults-file", path]);
    assert!(ended.code == Some(1) && ended.errors.contains(path), "{}", ended.errors);
}

#[test]
fn only_three_fields_can_be_allowed() {
    let ended = run(&["run", "--allow-pod-fields=serviceAccountName,hostNetwork"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.errors.contains("serviceAccountName, priorityClassName, tolerations"), "{}", ended.errors);
}

#[test]
fn options_about_pods_that_are_set_to_nothing_are_absent() {
    let mut command = command(&["run"]);
    for name in ["ALLOW_POD_FIELDS", "POD_DEFAULTS_FILE", "JOB_IMAGE_PULL_SECRET"] {
        command.env(format!("ANTFLY_BACKUP_OPERATOR_{name}"), "");
    }
    let output = command.env("KUBECONFIG", "/dev/null").output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.starts_with("error: no Kubernetes configuration"), "{errors}");
}
