// This is a generated file: validation of the API. Do not edit it; change `schema/antflybackup.yaml`
// and run `cargo xtask generate`.

use super::{Path, Violations, cel, metadata};
use regex::Regex;
use serde_json::Value;
use std::sync::LazyLock;

/// Checks the whole object.
pub(super) fn object(value: &Value, path: &Path<'_>, out: &mut Violations) {
    let Some(object) = out
        .object(
            value,
            path,
            &["apiVersion", "kind", "metadata", "spec", "status"],
            &["spec"],
        ) else { return };
    if let Some(value) = cel::not_null(object, "apiVersion") {
        api_version(value, &path.field("apiVersion"), out);
    }
    if let Some(value) = cel::not_null(object, "kind") {
        kind(value, &path.field("kind"), out);
    }
    metadata::check(object.get("metadata"), &path.field("metadata"), out);
    if let Some(value) = object.get("spec") {
        spec(value, &path.required_field("spec"), out);
    }
    if let Some(value) = cel::not_null(object, "status") {
        out.unknown_fields_only(|out| status(value, &path.field("status"), out));
    }
    let subject = value;
    out.rule(
        value,
        path,
        cel::text_at(subject, &["metadata", "name"])
            .map(|value| cel::size(value))
            .zip(Some(47))
            .map(|(left, right)| left <= right),
        "metadata.name must have at most 47 characters: the CronJob is called NAME-cron, and Kubernetes allows a CronJob's name 52",
    );
}

/// Checks `apiVersion`.
pub(super) fn api_version(value: &Value, path: &Path<'_>, out: &mut Violations) {
    out.text(value, path);
}

/// Checks `kind`.
pub(super) fn kind(value: &Value, path: &Path<'_>, out: &mut Violations) {
    out.text(value, path);
}

/// Checks `spec`.
pub(super) fn spec(value: &Value, path: &Path<'_>, out: &mut Violations) {
    let Some(object) = out
        .object(
            value,
            path,
            &[
                "clusterRef",
                "schedule",
                "destination",
                "tables",
                "suspend",
                "backupTimeout",
                "startingDeadline",
                "retries",
                "successfulJobsHistoryLimit",
                "failedJobsHistoryLimit",
                "pod",
            ],
            &["clusterRef", "schedule", "destination"],
        ) else { return };
    if let Some(value) = object.get("clusterRef") {
        spec_cluster_ref(value, &path.required_field("clusterRef"), out);
    }
    if let Some(value) = object.get("schedule") {
        spec_schedule(value, &path.required_field("schedule"), out);
    }
    if let Some(value) = object.get("destination") {
        spec_destination(value, &path.required_field("destination"), out);
    }
    if let Some(value) = cel::not_null(object, "tables") {
        spec_tables(value, &path.field("tables"), out);
    }
    if let Some(value) = cel::not_null(object, "suspend") {
        spec_suspend(value, &path.field("suspend"), out);
    }
    if let Some(value) = cel::not_null(object, "backupTimeout") {
        spec_backup_timeout(value, &path.field("backupTimeout"), out);
    }
    if let Some(value) = cel::not_null(object, "startingDeadline") {
        spec_starting_deadline(value, &path.field("startingDeadline"), out);
    }
    if let Some(value) = cel::not_null(object, "retries") {
        spec_retries(value, &path.field("retries"), out);
    }
    if let Some(value) = cel::not_null(object, "successfulJobsHistoryLimit") {
        spec_successful_jobs_history_limit(
            value,
            &path.field("successfulJobsHistoryLimit"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "failedJobsHistoryLimit") {
        spec_failed_jobs_history_limit(
            value,
            &path.field("failedJobsHistoryLimit"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "pod") {
        spec_pod(value, &path.field("pod"), out);
    }
}

/// Checks `spec.clusterRef`.
pub(super) fn spec_cluster_ref(value: &Value, path: &Path<'_>, out: &mut Violations) {
    let Some(object) = out.object(value, path, &["name", "namespace"], &["name"]) else {
        return
    };
    if let Some(value) = object.get("name") {
        spec_cluster_ref_name(value, &path.required_field("name"), out);
    }
    if let Some(value) = cel::not_null(object, "namespace") {
        spec_cluster_ref_namespace(value, &path.field("namespace"), out);
    }
}

/// Checks `spec.clusterRef.name`.
pub(super) fn spec_cluster_ref_name(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.min_length(subject, path, 1);
    out.max_length(subject, path, 63);
    out.rule(
        value,
        path,
        SPEC_CLUSTER_REF_NAME_RULE_1_1.is_match(subject),
        "must be the name of an AntflyCluster: lower-case letters, digits and '-', beginning and ending with a letter or digit, such as my-cluster",
    );
}

/// Checks `spec.clusterRef.namespace`.
pub(super) fn spec_cluster_ref_namespace(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 63);
    out.rule(
        value,
        path,
        ((subject == "") || SPEC_CLUSTER_REF_NAMESPACE_RULE_1_1.is_match(subject)),
        "must be the name of a namespace: lower-case letters, digits and '-', beginning and ending with a letter or digit, such as production",
    );
}

/// Checks `spec.schedule`.
pub(super) fn spec_schedule(value: &Value, path: &Path<'_>, out: &mut Violations) {
    let Some(subject) = out.text(value, path) else { return };
    out.min_length(subject, path, 1);
    out.max_length(subject, path, 400);
    out.rule(
        value,
        path,
        SPEC_SCHEDULE_RULE_1_1.is_match(subject),
        "must be plain ASCII, with spaces (no tabs or line breaks) between the fields",
    );
    out.rule(
        value,
        path,
        !SPEC_SCHEDULE_RULE_2_1.is_match(subject),
        "must not name a time zone: backups are scheduled in UTC, so remove TZ= and write the hour in UTC",
    );
    out.rule(
        value,
        path,
        (!subject.starts_with("@")
            || [
                "@yearly",
                "@annually",
                "@monthly",
                "@weekly",
                "@daily",
                "@midnight",
                "@hourly",
            ]
                .contains(&subject)),
        "a schedule that begins with @ must be one of @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly; for an interval write a step, such as \"*/30 * * * *\" for every 30 minutes",
    );
    out.rule(
        value,
        path,
        (SPEC_SCHEDULE_RULE_4_1.is_match(subject)
            || SPEC_SCHEDULE_RULE_4_2.is_match(subject)),
        "must have five fields with spaces between them, and none before or after: minute hour day-of-month month day-of-week, such as \"0 2 * * *\"",
    );
    out.rule(
        value,
        path,
        ((SPEC_SCHEDULE_RULE_5_1.is_match(subject)
            || !SPEC_SCHEDULE_RULE_5_2.is_match(subject))
            || SPEC_SCHEDULE_RULE_5_3.is_match(subject)),
        "each field must be *, ?, a number, a range such as 1-5, or a list of those such as 1,15,20-25, with a step if wanted, such as */15; months and days of the week may be written jan-dec and sun-sat, but a range must not mix a name with a number",
    );
    out.rule(
        value,
        path,
        !SPEC_SCHEDULE_RULE_6_1.is_match(subject),
        "minute (the first field) must be 0 to 59",
    );
    out.rule(
        value,
        path,
        !SPEC_SCHEDULE_RULE_7_1.is_match(subject),
        "hour (the second field) must be 0 to 23",
    );
    out.rule(
        value,
        path,
        !SPEC_SCHEDULE_RULE_8_1.is_match(subject),
        "day of month (the third field) must be 1 to 31",
    );
    out.rule(
        value,
        path,
        !SPEC_SCHEDULE_RULE_9_1.is_match(subject),
        "month (the fourth field) must be 1 to 12, or jan to dec",
    );
    out.rule(
        value,
        path,
        !SPEC_SCHEDULE_RULE_10_1.is_match(subject),
        "day of week (the fifth field) must be 0 to 6 (0 is Sunday), or sun to sat",
    );
    out.rule(
        value,
        path,
        !SPEC_SCHEDULE_RULE_11_1.is_match(subject),
        "a step, the number after /, must be 1 to 9999",
    );
    out.rule(
        value,
        path,
        !SPEC_SCHEDULE_RULE_12_1.is_match(subject),
        "a range must not fall: write 3-5, not 5-3; for one that passes midnight or the end of the week or year write a list, such as 22-23,0-4",
    );
}

/// Checks `spec.destination`.
pub(super) fn spec_destination(value: &Value, path: &Path<'_>, out: &mut Violations) {
    let Some(object) = out
        .object(
            value,
            path,
            &["location", "credentialsSecret", "caBundle", "connection"],
            &["location"],
        ) else { return };
    if let Some(value) = object.get("location") {
        spec_destination_location(value, &path.required_field("location"), out);
    }
    if let Some(value) = cel::not_null(object, "credentialsSecret") {
        spec_destination_credentials_secret(
            value,
            &path.field("credentialsSecret"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "caBundle") {
        spec_destination_ca_bundle(value, &path.field("caBundle"), out);
    }
    if let Some(value) = cel::not_null(object, "connection") {
        spec_destination_connection(value, &path.field("connection"), out);
    }
}

/// Checks `spec.destination.location`.
pub(super) fn spec_destination_location(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.min_length(subject, path, 1);
    out.max_length(subject, path, 1024);
    out.rule(
        value,
        path,
        SPEC_DESTINATION_LOCATION_RULE_1_1.is_match(subject),
        "must begin with s3:// or file:///, such as s3://my-bucket/antfly-backups",
    );
    out.rule(
        value,
        path,
        !SPEC_DESTINATION_LOCATION_RULE_2_1.is_match(subject),
        "must not contain white space or control characters",
    );
    out.rule(
        value,
        path,
        !SPEC_DESTINATION_LOCATION_RULE_3_1.is_match(subject),
        "must not contain a '..' segment; write the path that is meant",
    );
    out.rule(
        value,
        path,
        (!subject.starts_with("s3://")
            || SPEC_DESTINATION_LOCATION_RULE_4_1.is_match(subject)),
        "the bucket, between s3:// and the next /, must have lower-case letters, digits, '-', '_' and '.' only, and begin and end with a letter or digit",
    );
    out.rule(
        value,
        path,
        (!subject.starts_with("s3://")
            || SPEC_DESTINATION_LOCATION_RULE_5_1.is_match(subject)),
        "the bucket, between s3:// and the next /, must have 3 to 63 characters (with dots up to 222, 63 between two dots)",
    );
    out.rule(
        value,
        path,
        !SPEC_DESTINATION_LOCATION_RULE_6_1.is_match(subject),
        "the bucket, between s3:// and the next /, must not be an IP address, have two dots in a row or more than 222 characters",
    );
    out.rule(
        value,
        path,
        (!subject.starts_with("file:///")
            || SPEC_DESTINATION_LOCATION_RULE_7_1.is_match(subject)),
        "must name an absolute path after file://, such as file:///var/backups",
    );
}

/// Checks `spec.destination.credentialsSecret`.
pub(super) fn spec_destination_credentials_secret(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(object) = out.object(value, path, &["name"], &["name"]) else { return };
    if let Some(value) = object.get("name") {
        spec_destination_credentials_secret_name(
            value,
            &path.required_field("name"),
            out,
        );
    }
}

/// Checks `spec.destination.credentialsSecret.name`.
pub(super) fn spec_destination_credentials_secret_name(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.min_length(subject, path, 1);
    out.max_length(subject, path, 253);
    out.rule(
        value,
        path,
        SPEC_DESTINATION_CREDENTIALS_SECRET_NAME_RULE_1_1.is_match(subject),
        "must be the name of a Secret: lower-case letters, digits, '-' and '.', each part between dots beginning and ending with a letter or digit, such as backup-credentials",
    );
}

/// Checks `spec.destination.caBundle`.
pub(super) fn spec_destination_ca_bundle(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(object) = out
        .object(value, path, &["configMapKeyRef"], &["configMapKeyRef"]) else { return };
    if let Some(value) = object.get("configMapKeyRef") {
        spec_destination_ca_bundle_config_map_key_ref(
            value,
            &path.required_field("configMapKeyRef"),
            out,
        );
    }
}

/// Checks `spec.destination.caBundle.configMapKeyRef`.
pub(super) fn spec_destination_ca_bundle_config_map_key_ref(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(object) = out.object(value, path, &["name", "key"], &["name", "key"]) else {
        return
    };
    if let Some(value) = object.get("name") {
        spec_destination_ca_bundle_config_map_key_ref_name(
            value,
            &path.required_field("name"),
            out,
        );
    }
    if let Some(value) = object.get("key") {
        spec_destination_ca_bundle_config_map_key_ref_key(
            value,
            &path.required_field("key"),
            out,
        );
    }
}

/// Checks `spec.destination.caBundle.configMapKeyRef.name`.
pub(super) fn spec_destination_ca_bundle_config_map_key_ref_name(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.min_length(subject, path, 1);
    out.max_length(subject, path, 253);
    out.rule(
        value,
        path,
        SPEC_DESTINATION_CA_BUNDLE_CONFIG_MAP_KEY_REF_NAME_RULE_1_1.is_match(subject),
        "must be the name of a ConfigMap: lower-case letters, digits, '-' and '.', each part between dots beginning and ending with a letter or digit, such as storage-ca",
    );
}

/// Checks `spec.destination.caBundle.configMapKeyRef.key`.
pub(super) fn spec_destination_ca_bundle_config_map_key_ref_key(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.min_length(subject, path, 1);
    out.max_length(subject, path, 253);
    out.rule(
        value,
        path,
        SPEC_DESTINATION_CA_BUNDLE_CONFIG_MAP_KEY_REF_KEY_RULE_1_1.is_match(subject),
        "must be a key of a ConfigMap: letters, digits, '-', '_' and '.', with no two dots at the beginning, such as ca.crt",
    );
}

/// Checks `spec.destination.connection`.
pub(super) fn spec_destination_connection(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.min_length(subject, path, 1);
    out.max_length(subject, path, 256);
    out.rule(
        value,
        path,
        !SPEC_DESTINATION_CONNECTION_RULE_1_1.is_match(subject),
        "must not contain control or format characters; write the id of a connection, such as backups",
    );
}

/// Checks `spec.tables`.
pub(super) fn spec_tables(value: &Value, path: &Path<'_>, out: &mut Violations) {
    let Some(subject) = out.array(value, path) else { return };
    out.max_items(subject, path, 256);
    out.set(subject, path);
    for (index, item) in subject.iter().enumerate() {
        spec_tables_item(item, &path.index(index), out);
    }
}

/// Checks `spec.tables[]`.
pub(super) fn spec_tables_item(value: &Value, path: &Path<'_>, out: &mut Violations) {
    let Some(subject) = out.text(value, path) else { return };
    out.min_length(subject, path, 1);
    out.max_length(subject, path, 255);
    out.rule(
        value,
        path,
        !SPEC_TABLES_ITEM_RULE_1_1.is_match(subject),
        "a table's name must not contain control characters",
    );
}

/// Checks `spec.suspend`.
pub(super) fn spec_suspend(value: &Value, path: &Path<'_>, out: &mut Violations) {
    out.boolean(value, path);
}

/// Checks `spec.backupTimeout`.
pub(super) fn spec_backup_timeout(value: &Value, path: &Path<'_>, out: &mut Violations) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 64);
    out.rule(
        value,
        path,
        ((subject == "") || SPEC_BACKUP_TIMEOUT_RULE_1_1.is_match(subject)),
        "must be a duration, numbers each with a unit (h, m, s, ms, us, ns), such as 30m, 1h30m or 90s",
    );
    out.rule(
        value,
        path,
        cel::or(
            Some(!SPEC_BACKUP_TIMEOUT_RULE_2_1.is_match(subject)),
            || cel::and(
                cel::and(
                    Some(SPEC_BACKUP_TIMEOUT_RULE_2_2.is_match(subject)),
                    || {
                        cel::duration(subject)
                            .zip(cel::duration("1s"))
                            .map(|(left, right)| left >= right)
                    },
                ),
                || {
                    cel::duration(subject)
                        .zip(cel::duration("168h"))
                        .map(|(left, right)| left <= right)
                },
            ),
        ),
        "must be at least 1s and at most 168h",
    );
}

/// Checks `spec.startingDeadline`.
pub(super) fn spec_starting_deadline(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 64);
    out.rule(
        value,
        path,
        ((subject == "") || SPEC_STARTING_DEADLINE_RULE_1_1.is_match(subject)),
        "must be a duration, numbers each with a unit (h, m, s, ms, us, ns), such as 30m, 1h30m or 90s",
    );
    out.rule(
        value,
        path,
        cel::or(
            Some(!SPEC_STARTING_DEADLINE_RULE_2_1.is_match(subject)),
            || cel::and(
                cel::and(
                    Some(SPEC_STARTING_DEADLINE_RULE_2_2.is_match(subject)),
                    || {
                        cel::duration(subject)
                            .zip(cel::duration("10s"))
                            .map(|(left, right)| left >= right)
                    },
                ),
                || {
                    cel::duration(subject)
                        .zip(cel::duration("168h"))
                        .map(|(left, right)| left <= right)
                },
            ),
        ),
        "must be at least 10s and at most 168h",
    );
}

/// Checks `spec.retries`.
pub(super) fn spec_retries(value: &Value, path: &Path<'_>, out: &mut Violations) {
    let Some(subject) = out.integer(value, path) else { return };
    out.minimum(subject, path, 0);
    out.maximum(subject, path, 10);
}

/// Checks `spec.successfulJobsHistoryLimit`.
pub(super) fn spec_successful_jobs_history_limit(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.integer(value, path) else { return };
    out.minimum(subject, path, 0);
    out.maximum(subject, path, 2147483647);
}

/// Checks `spec.failedJobsHistoryLimit`.
pub(super) fn spec_failed_jobs_history_limit(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.integer(value, path) else { return };
    out.minimum(subject, path, 0);
    out.maximum(subject, path, 2147483647);
}

/// Checks `spec.pod`.
pub(super) fn spec_pod(value: &Value, path: &Path<'_>, out: &mut Violations) {
    let Some(object) = out
        .object(
            value,
            path,
            &[
                "labels",
                "annotations",
                "resources",
                "nodeSelector",
                "tolerations",
                "priorityClassName",
                "serviceAccountName",
                "imagePullSecrets",
                "securityContext",
            ],
            &[],
        ) else { return };
    if let Some(value) = cel::not_null(object, "labels") {
        spec_pod_labels(value, &path.field("labels"), out);
    }
    if let Some(value) = cel::not_null(object, "annotations") {
        spec_pod_annotations(value, &path.field("annotations"), out);
    }
    if let Some(value) = cel::not_null(object, "resources") {
        spec_pod_resources(value, &path.field("resources"), out);
    }
    if let Some(value) = cel::not_null(object, "nodeSelector") {
        spec_pod_node_selector(value, &path.field("nodeSelector"), out);
    }
    if let Some(value) = cel::not_null(object, "tolerations") {
        spec_pod_tolerations(value, &path.field("tolerations"), out);
    }
    if let Some(value) = cel::not_null(object, "priorityClassName") {
        spec_pod_priority_class_name(value, &path.field("priorityClassName"), out);
    }
    if let Some(value) = cel::not_null(object, "serviceAccountName") {
        spec_pod_service_account_name(value, &path.field("serviceAccountName"), out);
    }
    if let Some(value) = cel::not_null(object, "imagePullSecrets") {
        spec_pod_image_pull_secrets(value, &path.field("imagePullSecrets"), out);
    }
    if let Some(value) = cel::not_null(object, "securityContext") {
        spec_pod_security_context(value, &path.field("securityContext"), out);
    }
}

/// Checks `spec.pod.labels`.
pub(super) fn spec_pod_labels(value: &Value, path: &Path<'_>, out: &mut Violations) {
    let Some(subject) = out.map(value, path) else { return };
    out.max_properties(subject, path, 32);
    for (key, value) in subject.iter().filter(|(_, value)| !value.is_null()) {
        spec_pod_labels_value(value, &path.field(key), out);
    }
    out.rule(
        value,
        path,
        subject
            .keys()
            .all(|key| {
                (SPEC_POD_LABELS_RULE_1_1.is_match(key.as_str())
                    && SPEC_POD_LABELS_RULE_1_2.is_match(key.as_str()))
            }),
        "each key must have 1 to 63 letters, digits, '-', '_' and '.', and begin and end with a letter or digit; before it may be a DNS name of at most 253 characters and '/', such as example.com/team",
    );
    out.rule(
        value,
        path,
        subject.keys().all(|key| !SPEC_POD_LABELS_RULE_2_1.is_match(key.as_str())),
        "keys that begin with app.kubernetes.io/, antfly.io/ or batch.kubernetes.io/, and controller-uid and job-name, are of the operator and of Kubernetes; choose another key, such as example.com/team",
    );
}

/// Checks `spec.pod.labels{}`.
pub(super) fn spec_pod_labels_value(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 63);
    out.rule(
        value,
        path,
        SPEC_POD_LABELS_VALUE_RULE_1_1.is_match(subject),
        "must have letters, digits, '-', '_' and '.' only, and begin and end with a letter or digit, or be empty",
    );
}

/// Checks `spec.pod.annotations`.
pub(super) fn spec_pod_annotations(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.map(value, path) else { return };
    out.max_properties(subject, path, 32);
    for (key, value) in subject.iter().filter(|(_, value)| !value.is_null()) {
        spec_pod_annotations_value(value, &path.field(key), out);
    }
    out.rule(
        value,
        path,
        subject
            .keys()
            .all(|key| {
                (SPEC_POD_ANNOTATIONS_RULE_1_1.is_match(key.as_str())
                    && SPEC_POD_ANNOTATIONS_RULE_1_2.is_match(key.as_str()))
            }),
        "each key must have 1 to 63 letters, digits, '-', '_' and '.', and begin and end with a letter or digit; before it may be a DNS name of at most 253 characters and '/', such as example.com/team",
    );
    out.rule(
        value,
        path,
        subject.keys().all(|key| !SPEC_POD_ANNOTATIONS_RULE_2_1.is_match(key.as_str())),
        "keys that begin with app.kubernetes.io/, antfly.io/ or batch.kubernetes.io/, and controller-uid and job-name, are of the operator and of Kubernetes; choose another key, such as example.com/team",
    );
    out.rule(
        value,
        path,
        subject.keys().all(|key| !SPEC_POD_ANNOTATIONS_RULE_3_1.is_match(key.as_str())),
        "profiles of seccomp and AppArmor are not set by annotations; write them in securityContext",
    );
}

/// Checks `spec.pod.annotations{}`.
pub(super) fn spec_pod_annotations_value(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 4096);
}

/// Checks `spec.pod.resources`.
pub(super) fn spec_pod_resources(value: &Value, path: &Path<'_>, out: &mut Violations) {
    let Some(object) = out.object(value, path, &["limits", "requests"], &[]) else {
        return
    };
    if let Some(value) = cel::not_null(object, "limits") {
        spec_pod_resources_limits(value, &path.field("limits"), out);
    }
    if let Some(value) = cel::not_null(object, "requests") {
        spec_pod_resources_requests(value, &path.field("requests"), out);
    }
}

/// Checks `spec.pod.resources.limits`.
pub(super) fn spec_pod_resources_limits(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.map(value, path) else { return };
    out.max_properties(subject, path, 8);
    for (key, value) in subject.iter().filter(|(_, value)| !value.is_null()) {
        spec_pod_resources_limits_value(value, &path.field(key), out);
    }
    out.rule(
        value,
        path,
        subject
            .keys()
            .all(|key| {
                (SPEC_POD_RESOURCES_LIMITS_RULE_1_1.is_match(key.as_str())
                    && SPEC_POD_RESOURCES_LIMITS_RULE_1_2.is_match(key.as_str()))
            }),
        "each key must be a resource: cpu, memory, ephemeral-storage, hugepages- with a size, or one with the DNS name of its maker, such as example.com/gpu",
    );
}

/// Checks `spec.pod.resources.limits{}`.
pub(super) fn spec_pod_resources_limits_value(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.quantity(value, path) else { return };
    let subject = subject.as_str();
    out.max_length(subject, path, 32);
    out.rule(
        value,
        path,
        SPEC_POD_RESOURCES_LIMITS_VALUE_RULE_1_1.is_match(subject),
        "must be an amount that is not negative: a number, with a unit if wanted, such as 500m, 2 or 256Mi",
    );
}

/// Checks `spec.pod.resources.requests`.
pub(super) fn spec_pod_resources_requests(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.map(value, path) else { return };
    out.max_properties(subject, path, 8);
    for (key, value) in subject.iter().filter(|(_, value)| !value.is_null()) {
        spec_pod_resources_requests_value(value, &path.field(key), out);
    }
    out.rule(
        value,
        path,
        subject
            .keys()
            .all(|key| {
                (SPEC_POD_RESOURCES_REQUESTS_RULE_1_1.is_match(key.as_str())
                    && SPEC_POD_RESOURCES_REQUESTS_RULE_1_2.is_match(key.as_str()))
            }),
        "each key must be a resource: cpu, memory, ephemeral-storage, hugepages- with a size, or one with the DNS name of its maker, such as example.com/gpu",
    );
}

/// Checks `spec.pod.resources.requests{}`.
pub(super) fn spec_pod_resources_requests_value(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.quantity(value, path) else { return };
    let subject = subject.as_str();
    out.max_length(subject, path, 32);
    out.rule(
        value,
        path,
        SPEC_POD_RESOURCES_REQUESTS_VALUE_RULE_1_1.is_match(subject),
        "must be an amount that is not negative: a number, with a unit if wanted, such as 500m, 2 or 256Mi",
    );
}

/// Checks `spec.pod.nodeSelector`.
pub(super) fn spec_pod_node_selector(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.map(value, path) else { return };
    out.max_properties(subject, path, 16);
    for (key, value) in subject.iter().filter(|(_, value)| !value.is_null()) {
        spec_pod_node_selector_value(value, &path.field(key), out);
    }
    out.rule(
        value,
        path,
        subject
            .keys()
            .all(|key| {
                (SPEC_POD_NODE_SELECTOR_RULE_1_1.is_match(key.as_str())
                    && SPEC_POD_NODE_SELECTOR_RULE_1_2.is_match(key.as_str()))
            }),
        "each key must have 1 to 63 letters, digits, '-', '_' and '.', and begin and end with a letter or digit; before it may be a DNS name of at most 253 characters and '/', such as example.com/team",
    );
    out.rule(
        value,
        path,
        cel::all(
            subject
                .keys()
                .map(|key| cel::or(
                    Some((key.as_str() != "kubernetes.io/os")),
                    || {
                        subject
                            .get(key)
                            .and_then(Value::as_str)
                            .zip(Some("linux"))
                            .map(|(left, right)| left == right)
                    },
                )),
        ),
        "the Pods run on Linux; leave kubernetes.io/os out, or write linux",
    );
}

/// Checks `spec.pod.nodeSelector{}`.
pub(super) fn spec_pod_node_selector_value(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 63);
    out.rule(
        value,
        path,
        SPEC_POD_NODE_SELECTOR_VALUE_RULE_1_1.is_match(subject),
        "must have letters, digits, '-', '_' and '.' only, and begin and end with a letter or digit, or be empty",
    );
}

/// Checks `spec.pod.tolerations`.
pub(super) fn spec_pod_tolerations(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.array(value, path) else { return };
    out.max_items(subject, path, 16);
    for (index, item) in subject.iter().enumerate() {
        spec_pod_tolerations_item(item, &path.index(index), out);
    }
}

/// Checks `spec.pod.tolerations[]`.
pub(super) fn spec_pod_tolerations_item(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(object) = out
        .object(
            value,
            path,
            &["effect", "key", "operator", "tolerationSeconds", "value"],
            &[],
        ) else { return };
    if let Some(value) = cel::not_null(object, "effect") {
        spec_pod_tolerations_item_effect(value, &path.field("effect"), out);
    }
    if let Some(value) = cel::not_null(object, "key") {
        spec_pod_tolerations_item_key(value, &path.field("key"), out);
    }
    if let Some(value) = cel::not_null(object, "operator") {
        spec_pod_tolerations_item_operator(value, &path.field("operator"), out);
    }
    if let Some(value) = cel::not_null(object, "tolerationSeconds") {
        spec_pod_tolerations_item_toleration_seconds(
            value,
            &path.field("tolerationSeconds"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "value") {
        spec_pod_tolerations_item_value(value, &path.field("value"), out);
    }
    let subject = value;
    out.rule(
        value,
        path,
        cel::or(
            cel::and(
                Some(cel::has(subject, &["key"])),
                || {
                    cel::text_at(subject, &["key"])
                        .zip(Some(""))
                        .map(|(left, right)| left != right)
                },
            ),
            || cel::and(
                Some(cel::has(subject, &["operator"])),
                || {
                    cel::text_at(subject, &["operator"])
                        .zip(Some("Exists"))
                        .map(|(left, right)| left == right)
                },
            ),
        ),
        "a toleration without a key tolerates every taint; write operator Exists, or the key that is meant",
    );
    out.rule(
        value,
        path,
        cel::or(
            cel::or(
                Some(!cel::has(subject, &["operator"])),
                || {
                    cel::text_at(subject, &["operator"])
                        .zip(Some("Exists"))
                        .map(|(left, right)| left != right)
                },
            ),
            || cel::or(
                Some(!cel::has(subject, &["value"])),
                || {
                    cel::text_at(subject, &["value"])
                        .zip(Some(""))
                        .map(|(left, right)| left == right)
                },
            ),
        ),
        "a toleration with operator Exists has no value; remove the value, or write operator Equal",
    );
    out.rule(
        value,
        path,
        cel::or(
            Some(!cel::has(subject, &["tolerationSeconds"])),
            || cel::and(
                Some(cel::has(subject, &["effect"])),
                || {
                    cel::text_at(subject, &["effect"])
                        .zip(Some("NoExecute"))
                        .map(|(left, right)| left == right)
                },
            ),
        ),
        "tolerationSeconds goes with effect NoExecute only",
    );
}

/// Checks `spec.pod.tolerations[].effect`.
pub(super) fn spec_pod_tolerations_item_effect(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 32);
    out.rule(
        value,
        path,
        ["", "NoSchedule", "PreferNoSchedule", "NoExecute"].contains(&subject),
        "must be NoSchedule, PreferNoSchedule or NoExecute",
    );
}

/// Checks `spec.pod.tolerations[].key`.
pub(super) fn spec_pod_tolerations_item_key(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 317);
    out.rule(
        value,
        path,
        ((subject == "")
            || (SPEC_POD_TOLERATIONS_ITEM_KEY_RULE_1_1.is_match(subject)
                && SPEC_POD_TOLERATIONS_ITEM_KEY_RULE_1_2.is_match(subject))),
        "must be the key of a taint: letters, digits, '-', '_' and '.', perhaps after a DNS name and '/', such as example.com/dedicated",
    );
}

/// Checks `spec.pod.tolerations[].operator`.
pub(super) fn spec_pod_tolerations_item_operator(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 16);
    out.rule(
        value,
        path,
        ["", "Equal", "Exists"].contains(&subject),
        "must be Equal or Exists",
    );
}

/// Checks `spec.pod.tolerations[].tolerationSeconds`.
pub(super) fn spec_pod_tolerations_item_toleration_seconds(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    out.integer(value, path);
}

/// Checks `spec.pod.tolerations[].value`.
pub(super) fn spec_pod_tolerations_item_value(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 63);
    out.rule(
        value,
        path,
        SPEC_POD_TOLERATIONS_ITEM_VALUE_RULE_1_1.is_match(subject),
        "must have letters, digits, '-', '_' and '.' only, and begin and end with a letter or digit, or be empty",
    );
}

/// Checks `spec.pod.priorityClassName`.
pub(super) fn spec_pod_priority_class_name(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.min_length(subject, path, 1);
    out.max_length(subject, path, 253);
    out.rule(
        value,
        path,
        SPEC_POD_PRIORITY_CLASS_NAME_RULE_1_1.is_match(subject),
        "must be the name of a PriorityClass: lower-case letters, digits, '-' and '.', each part between dots beginning and ending with a letter or digit, such as low-priority",
    );
}

/// Checks `spec.pod.serviceAccountName`.
pub(super) fn spec_pod_service_account_name(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.min_length(subject, path, 1);
    out.max_length(subject, path, 253);
    out.rule(
        value,
        path,
        SPEC_POD_SERVICE_ACCOUNT_NAME_RULE_1_1.is_match(subject),
        "must be the name of a ServiceAccount: lower-case letters, digits, '-' and '.', each part between dots beginning and ending with a letter or digit, such as backups",
    );
}

/// Checks `spec.pod.imagePullSecrets`.
pub(super) fn spec_pod_image_pull_secrets(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.array(value, path) else { return };
    out.max_items(subject, path, 16);
    out.map_by_keys(subject, path, &["name"]);
    for (index, item) in subject.iter().enumerate() {
        spec_pod_image_pull_secrets_item(item, &path.index(index), out);
    }
}

/// Checks `spec.pod.imagePullSecrets[]`.
pub(super) fn spec_pod_image_pull_secrets_item(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(object) = out.object(value, path, &["name"], &["name"]) else { return };
    if let Some(value) = object.get("name") {
        spec_pod_image_pull_secrets_item_name(value, &path.required_field("name"), out);
    }
}

/// Checks `spec.pod.imagePullSecrets[].name`.
pub(super) fn spec_pod_image_pull_secrets_item_name(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.min_length(subject, path, 1);
    out.max_length(subject, path, 253);
    out.rule(
        value,
        path,
        SPEC_POD_IMAGE_PULL_SECRETS_ITEM_NAME_RULE_1_1.is_match(subject),
        "must be the name of a Secret: lower-case letters, digits, '-' and '.', each part between dots beginning and ending with a letter or digit, such as registry",
    );
}

/// Checks `spec.pod.securityContext`.
pub(super) fn spec_pod_security_context(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(object) = out
        .object(
            value,
            path,
            &[
                "appArmorProfile",
                "fsGroupChangePolicy",
                "runAsNonRoot",
                "seLinuxChangePolicy",
                "seLinuxOptions",
                "seccompProfile",
                "supplementalGroups",
                "supplementalGroupsPolicy",
                "sysctls",
            ],
            &[],
        ) else { return };
    if let Some(value) = cel::not_null(object, "appArmorProfile") {
        spec_pod_security_context_app_armor_profile(
            value,
            &path.field("appArmorProfile"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "fsGroupChangePolicy") {
        spec_pod_security_context_fs_group_change_policy(
            value,
            &path.field("fsGroupChangePolicy"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "runAsNonRoot") {
        spec_pod_security_context_run_as_non_root(
            value,
            &path.field("runAsNonRoot"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "seLinuxChangePolicy") {
        spec_pod_security_context_se_linux_change_policy(
            value,
            &path.field("seLinuxChangePolicy"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "seLinuxOptions") {
        spec_pod_security_context_se_linux_options(
            value,
            &path.field("seLinuxOptions"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "seccompProfile") {
        spec_pod_security_context_seccomp_profile(
            value,
            &path.field("seccompProfile"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "supplementalGroups") {
        spec_pod_security_context_supplemental_groups(
            value,
            &path.field("supplementalGroups"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "supplementalGroupsPolicy") {
        spec_pod_security_context_supplemental_groups_policy(
            value,
            &path.field("supplementalGroupsPolicy"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "sysctls") {
        spec_pod_security_context_sysctls(value, &path.field("sysctls"), out);
    }
}

/// Checks `spec.pod.securityContext.appArmorProfile`.
pub(super) fn spec_pod_security_context_app_armor_profile(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(object) = out.object(value, path, &["localhostProfile", "type"], &["type"])
    else { return };
    if let Some(value) = cel::not_null(object, "localhostProfile") {
        spec_pod_security_context_app_armor_profile_localhost_profile(
            value,
            &path.field("localhostProfile"),
            out,
        );
    }
    if let Some(value) = object.get("type") {
        spec_pod_security_context_app_armor_profile_type(
            value,
            &path.required_field("type"),
            out,
        );
    }
    let subject = value;
    out.rule(
        value,
        path,
        cel::text_at(subject, &["type"])
            .zip(Some("Localhost"))
            .map(|(left, right)| left == right)
            .and_then(|holds| {
                if holds {
                    cel::and(
                        Some(cel::has(subject, &["localhostProfile"])),
                        || {
                            cel::text_at(subject, &["localhostProfile"])
                                .zip(Some(""))
                                .map(|(left, right)| left != right)
                        },
                    )
                } else {
                    Some(!cel::has(subject, &["localhostProfile"]))
                }
            }),
        "localhostProfile goes with type Localhost, and that needs it",
    );
}

/// Checks `spec.pod.securityContext.appArmorProfile.localhostProfile`.
pub(super) fn spec_pod_security_context_app_armor_profile_localhost_profile(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 253);
    out.rule(
        value,
        path,
        !SPEC_POD_SECURITY_CONTEXT_APP_ARMOR_PROFILE_LOCALHOST_PROFILE_RULE_1_1
            .is_match(subject),
        "must be the name of a profile that the node has loaded",
    );
}

/// Checks `spec.pod.securityContext.appArmorProfile.type`.
pub(super) fn spec_pod_security_context_app_armor_profile_type(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 32);
    out.rule(
        value,
        path,
        ["RuntimeDefault", "Localhost"].contains(&subject),
        "must be RuntimeDefault or Localhost; the restricted Pod Security Standard forbids Unconfined",
    );
}

/// Checks `spec.pod.securityContext.fsGroupChangePolicy`.
pub(super) fn spec_pod_security_context_fs_group_change_policy(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 32);
    out.rule(
        value,
        path,
        ["OnRootMismatch", "Always"].contains(&subject),
        "must be OnRootMismatch or Always",
    );
}

/// Checks `spec.pod.securityContext.runAsNonRoot`.
pub(super) fn spec_pod_security_context_run_as_non_root(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.boolean(value, path) else { return };
    out.rule(
        value,
        path,
        subject,
        "must be true, or absent; the Pods never run as root",
    );
}

/// Checks `spec.pod.securityContext.seLinuxChangePolicy`.
pub(super) fn spec_pod_security_context_se_linux_change_policy(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 32);
    out.rule(
        value,
        path,
        ["MountOption", "Recursive"].contains(&subject),
        "must be MountOption or Recursive",
    );
}

/// Checks `spec.pod.securityContext.seLinuxOptions`.
pub(super) fn spec_pod_security_context_se_linux_options(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(object) = out.object(value, path, &["level", "type"], &[]) else { return };
    if let Some(value) = cel::not_null(object, "level") {
        spec_pod_security_context_se_linux_options_level(
            value,
            &path.field("level"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "type") {
        spec_pod_security_context_se_linux_options_type(value, &path.field("type"), out);
    }
}

/// Checks `spec.pod.securityContext.seLinuxOptions.level`.
pub(super) fn spec_pod_security_context_se_linux_options_level(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 253);
    out.rule(
        value,
        path,
        SPEC_POD_SECURITY_CONTEXT_SE_LINUX_OPTIONS_LEVEL_RULE_1_1.is_match(subject),
        "must be an SELinux level, such as s0:c123,c456",
    );
}

/// Checks `spec.pod.securityContext.seLinuxOptions.type`.
pub(super) fn spec_pod_security_context_se_linux_options_type(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 64);
    out.rule(
        value,
        path,
        ["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"]
            .contains(&subject),
        "must be container_t, container_init_t, container_kvm_t or container_engine_t; the restricted Pod Security Standard forbids others",
    );
}

/// Checks `spec.pod.securityContext.seccompProfile`.
pub(super) fn spec_pod_security_context_seccomp_profile(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(object) = out.object(value, path, &["localhostProfile", "type"], &["type"])
    else { return };
    if let Some(value) = cel::not_null(object, "localhostProfile") {
        spec_pod_security_context_seccomp_profile_localhost_profile(
            value,
            &path.field("localhostProfile"),
            out,
        );
    }
    if let Some(value) = object.get("type") {
        spec_pod_security_context_seccomp_profile_type(
            value,
            &path.required_field("type"),
            out,
        );
    }
    let subject = value;
    out.rule(
        value,
        path,
        cel::text_at(subject, &["type"])
            .zip(Some("Localhost"))
            .map(|(left, right)| left == right)
            .and_then(|holds| {
                if holds {
                    cel::and(
                        Some(cel::has(subject, &["localhostProfile"])),
                        || {
                            cel::text_at(subject, &["localhostProfile"])
                                .zip(Some(""))
                                .map(|(left, right)| left != right)
                        },
                    )
                } else {
                    Some(!cel::has(subject, &["localhostProfile"]))
                }
            }),
        "localhostProfile goes with type Localhost, and that needs it",
    );
}

/// Checks `spec.pod.securityContext.seccompProfile.localhostProfile`.
pub(super) fn spec_pod_security_context_seccomp_profile_localhost_profile(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 253);
    out.rule(
        value,
        path,
        !SPEC_POD_SECURITY_CONTEXT_SECCOMP_PROFILE_LOCALHOST_PROFILE_RULE_1_1
            .is_match(subject),
        "must be a path below the kubelet's folder of profiles, such as profiles/backup.json",
    );
}

/// Checks `spec.pod.securityContext.seccompProfile.type`.
pub(super) fn spec_pod_security_context_seccomp_profile_type(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 32);
    out.rule(
        value,
        path,
        ["RuntimeDefault", "Localhost"].contains(&subject),
        "must be RuntimeDefault or Localhost; the restricted Pod Security Standard forbids Unconfined",
    );
}

/// Checks `spec.pod.securityContext.supplementalGroups`.
pub(super) fn spec_pod_security_context_supplemental_groups(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.array(value, path) else { return };
    out.max_items(subject, path, 32);
    for (index, item) in subject.iter().enumerate() {
        spec_pod_security_context_supplemental_groups_item(
            item,
            &path.index(index),
            out,
        );
    }
}

/// Checks `spec.pod.securityContext.supplementalGroups[]`.
pub(super) fn spec_pod_security_context_supplemental_groups_item(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.integer(value, path) else { return };
    out.minimum(subject, path, 1);
    out.maximum(subject, path, 2147483647);
}

/// Checks `spec.pod.securityContext.supplementalGroupsPolicy`.
pub(super) fn spec_pod_security_context_supplemental_groups_policy(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 32);
    out.rule(
        value,
        path,
        ["Merge", "Strict"].contains(&subject),
        "must be Merge or Strict",
    );
}

/// Checks `spec.pod.securityContext.sysctls`.
pub(super) fn spec_pod_security_context_sysctls(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.array(value, path) else { return };
    out.max_items(subject, path, 16);
    for (index, item) in subject.iter().enumerate() {
        spec_pod_security_context_sysctls_item(item, &path.index(index), out);
    }
}

/// Checks `spec.pod.securityContext.sysctls[]`.
pub(super) fn spec_pod_security_context_sysctls_item(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(object) = out.object(value, path, &["name", "value"], &["name", "value"])
    else { return };
    if let Some(value) = object.get("name") {
        spec_pod_security_context_sysctls_item_name(
            value,
            &path.required_field("name"),
            out,
        );
    }
    if let Some(value) = object.get("value") {
        spec_pod_security_context_sysctls_item_value(
            value,
            &path.required_field("value"),
            out,
        );
    }
}

/// Checks `spec.pod.securityContext.sysctls[].name`.
pub(super) fn spec_pod_security_context_sysctls_item_name(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 253);
    out.rule(
        value,
        path,
        [
            "kernel.shm_rmid_forced",
            "net.ipv4.ip_local_port_range",
            "net.ipv4.ip_unprivileged_port_start",
            "net.ipv4.tcp_syncookies",
            "net.ipv4.ping_group_range",
            "net.ipv4.ip_local_reserved_ports",
            "net.ipv4.tcp_keepalive_time",
            "net.ipv4.tcp_fin_timeout",
            "net.ipv4.tcp_keepalive_intvl",
            "net.ipv4.tcp_keepalive_probes",
        ]
            .contains(&subject),
        "must be a parameter that the Pod Security Standards call safe, such as net.ipv4.tcp_keepalive_time",
    );
}

/// Checks `spec.pod.securityContext.sysctls[].value`.
pub(super) fn spec_pod_security_context_sysctls_item_value(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 64);
    out.rule(
        value,
        path,
        SPEC_POD_SECURITY_CONTEXT_SYSCTLS_ITEM_VALUE_RULE_1_1.is_match(subject),
        "must be plain ASCII",
    );
}

/// Checks `status`.
pub(super) fn status(value: &Value, path: &Path<'_>, out: &mut Violations) {
    let Some(object) = out
        .object(
            value,
            path,
            &[
                "observedGeneration",
                "phase",
                "lastScheduledTime",
                "lastSuccessfulBackup",
                "lastFailedBackup",
                "recentBackups",
                "conditions",
                "nextScheduledBackup",
                "lastSkippedTime",
                "skippedCount",
                "startError",
                "startErrorTime",
                "activeSince",
                "observedSchedule",
                "observedSuccessTime",
                "omitted",
                "cronJobName",
                "pinnedCluster",
                "appliedCronJob",
                "secondWriter",
                "appliedTemplates",
                "otherWriters",
            ],
            &[],
        ) else { return };
    if let Some(value) = cel::not_null(object, "observedGeneration") {
        status_observed_generation(value, &path.field("observedGeneration"), out);
    }
    if let Some(value) = cel::not_null(object, "phase") {
        status_phase(value, &path.field("phase"), out);
    }
    if let Some(value) = cel::not_null(object, "lastScheduledTime") {
        status_last_scheduled_time(value, &path.field("lastScheduledTime"), out);
    }
    if let Some(value) = cel::not_null(object, "lastSuccessfulBackup") {
        status_last_successful_backup(value, &path.field("lastSuccessfulBackup"), out);
    }
    if let Some(value) = cel::not_null(object, "lastFailedBackup") {
        status_last_failed_backup(value, &path.field("lastFailedBackup"), out);
    }
    if let Some(value) = cel::not_null(object, "recentBackups") {
        status_recent_backups(value, &path.field("recentBackups"), out);
    }
    if let Some(value) = cel::not_null(object, "conditions") {
        status_conditions(value, &path.field("conditions"), out);
    }
    if let Some(value) = cel::not_null(object, "nextScheduledBackup") {
        status_next_scheduled_backup(value, &path.field("nextScheduledBackup"), out);
    }
    if let Some(value) = cel::not_null(object, "lastSkippedTime") {
        status_last_skipped_time(value, &path.field("lastSkippedTime"), out);
    }
    if let Some(value) = cel::not_null(object, "skippedCount") {
        status_skipped_count(value, &path.field("skippedCount"), out);
    }
    if let Some(value) = cel::not_null(object, "startError") {
        status_start_error(value, &path.field("startError"), out);
    }
    if let Some(value) = cel::not_null(object, "startErrorTime") {
        status_start_error_time(value, &path.field("startErrorTime"), out);
    }
    if let Some(value) = cel::not_null(object, "activeSince") {
        status_active_since(value, &path.field("activeSince"), out);
    }
    if let Some(value) = cel::not_null(object, "observedSchedule") {
        status_observed_schedule(value, &path.field("observedSchedule"), out);
    }
    if let Some(value) = cel::not_null(object, "observedSuccessTime") {
        status_observed_success_time(value, &path.field("observedSuccessTime"), out);
    }
    if let Some(value) = cel::not_null(object, "omitted") {
        status_omitted(value, &path.field("omitted"), out);
    }
    if let Some(value) = cel::not_null(object, "cronJobName") {
        status_cron_job_name(value, &path.field("cronJobName"), out);
    }
    if let Some(value) = cel::not_null(object, "pinnedCluster") {
        status_pinned_cluster(value, &path.field("pinnedCluster"), out);
    }
    if let Some(value) = cel::not_null(object, "appliedCronJob") {
        status_applied_cron_job(value, &path.field("appliedCronJob"), out);
    }
    if let Some(value) = cel::not_null(object, "secondWriter") {
        status_second_writer(value, &path.field("secondWriter"), out);
    }
    if let Some(value) = cel::not_null(object, "appliedTemplates") {
        status_applied_templates(value, &path.field("appliedTemplates"), out);
    }
    if let Some(value) = cel::not_null(object, "otherWriters") {
        status_other_writers(value, &path.field("otherWriters"), out);
    }
}

/// Checks `status.observedGeneration`.
pub(super) fn status_observed_generation(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.integer(value, path) else { return };
    out.minimum(subject, path, -1);
}

/// Checks `status.phase`.
pub(super) fn status_phase(value: &Value, path: &Path<'_>, out: &mut Violations) {
    let Some(subject) = out.text(value, path) else { return };
    out.one_of(subject, path, &["Active", "Suspended", "Failed", "Pending"]);
}

/// Checks `status.lastScheduledTime`.
pub(super) fn status_last_scheduled_time(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.date_time(subject, path);
}

/// Checks `status.lastSuccessfulBackup`.
pub(super) fn status_last_successful_backup(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(object) = out
        .object(
            value,
            path,
            &[
                "backupId",
                "backupIdKnown",
                "otherBackupIds",
                "startTime",
                "completionTime",
                "status",
                "scheduledTime",
                "trigger",
                "verified",
                "reason",
                "clusterRef",
                "location",
                "connection",
                "jobName",
                "jobUID",
                "attempts",
                "disruptions",
                "tables",
                "tableCount",
                "tablesOmitted",
                "sizeBytes",
                "readBackTime",
                "readBackError",
                "error",
                "firstError",
                "stuckTime",
                "reasonBefore",
                "errorBefore",
                "omitted",
            ],
            &["backupId", "startTime", "status"],
        ) else { return };
    if let Some(value) = object.get("backupId") {
        status_last_successful_backup_backup_id(
            value,
            &path.required_field("backupId"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "backupIdKnown") {
        status_last_successful_backup_backup_id_known(
            value,
            &path.field("backupIdKnown"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "otherBackupIds") {
        status_last_successful_backup_other_backup_ids(
            value,
            &path.field("otherBackupIds"),
            out,
        );
    }
    if let Some(value) = object.get("startTime") {
        status_last_successful_backup_start_time(
            value,
            &path.required_field("startTime"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "completionTime") {
        status_last_successful_backup_completion_time(
            value,
            &path.field("completionTime"),
            out,
        );
    }
    if let Some(value) = object.get("status") {
        status_last_successful_backup_status(value, &path.required_field("status"), out);
    }
    if let Some(value) = cel::not_null(object, "scheduledTime") {
        status_last_successful_backup_scheduled_time(
            value,
            &path.field("scheduledTime"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "trigger") {
        status_last_successful_backup_trigger(value, &path.field("trigger"), out);
    }
    if let Some(value) = cel::not_null(object, "verified") {
        status_last_successful_backup_verified(value, &path.field("verified"), out);
    }
    if let Some(value) = cel::not_null(object, "reason") {
        status_last_successful_backup_reason(value, &path.field("reason"), out);
    }
    if let Some(value) = cel::not_null(object, "clusterRef") {
        status_last_successful_backup_cluster_ref(value, &path.field("clusterRef"), out);
    }
    if let Some(value) = cel::not_null(object, "location") {
        status_last_successful_backup_location(value, &path.field("location"), out);
    }
    if let Some(value) = cel::not_null(object, "connection") {
        status_last_successful_backup_connection(value, &path.field("connection"), out);
    }
    if let Some(value) = cel::not_null(object, "jobName") {
        status_last_successful_backup_job_name(value, &path.field("jobName"), out);
    }
    if let Some(value) = cel::not_null(object, "jobUID") {
        status_last_successful_backup_job_uid(value, &path.field("jobUID"), out);
    }
    if let Some(value) = cel::not_null(object, "attempts") {
        status_last_successful_backup_attempts(value, &path.field("attempts"), out);
    }
    if let Some(value) = cel::not_null(object, "disruptions") {
        status_last_successful_backup_disruptions(
            value,
            &path.field("disruptions"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "tables") {
        status_last_successful_backup_tables(value, &path.field("tables"), out);
    }
    if let Some(value) = cel::not_null(object, "tableCount") {
        status_last_successful_backup_table_count(value, &path.field("tableCount"), out);
    }
    if let Some(value) = cel::not_null(object, "tablesOmitted") {
        status_last_successful_backup_tables_omitted(
            value,
            &path.field("tablesOmitted"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "sizeBytes") {
        status_last_successful_backup_size_bytes(value, &path.field("sizeBytes"), out);
    }
    if let Some(value) = cel::not_null(object, "readBackTime") {
        status_last_successful_backup_read_back_time(
            value,
            &path.field("readBackTime"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "readBackError") {
        status_last_successful_backup_read_back_error(
            value,
            &path.field("readBackError"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "error") {
        status_last_successful_backup_error(value, &path.field("error"), out);
    }
    if let Some(value) = cel::not_null(object, "firstError") {
        status_last_successful_backup_first_error(value, &path.field("firstError"), out);
    }
    if let Some(value) = cel::not_null(object, "stuckTime") {
        status_last_successful_backup_stuck_time(value, &path.field("stuckTime"), out);
    }
    if let Some(value) = cel::not_null(object, "reasonBefore") {
        status_last_successful_backup_reason_before(
            value,
            &path.field("reasonBefore"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "errorBefore") {
        status_last_successful_backup_error_before(
            value,
            &path.field("errorBefore"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "omitted") {
        status_last_successful_backup_omitted(value, &path.field("omitted"), out);
    }
}

/// Checks `status.lastSuccessfulBackup.backupId`.
pub(super) fn status_last_successful_backup_backup_id(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 253);
}

/// Checks `status.lastSuccessfulBackup.backupIdKnown`.
pub(super) fn status_last_successful_backup_backup_id_known(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    out.boolean(value, path);
}

/// Checks `status.lastSuccessfulBackup.otherBackupIds`.
pub(super) fn status_last_successful_backup_other_backup_ids(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.array(value, path) else { return };
    out.max_items(subject, path, 11);
    for (index, item) in subject.iter().enumerate() {
        status_last_successful_backup_other_backup_ids_item(
            item,
            &path.index(index),
            out,
        );
    }
}

/// Checks `status.lastSuccessfulBackup.otherBackupIds[]`.
pub(super) fn status_last_successful_backup_other_backup_ids_item(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 253);
}

/// Checks `status.lastSuccessfulBackup.startTime`.
pub(super) fn status_last_successful_backup_start_time(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.date_time(subject, path);
}

/// Checks `status.lastSuccessfulBackup.completionTime`.
pub(super) fn status_last_successful_backup_completion_time(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.date_time(subject, path);
}

/// Checks `status.lastSuccessfulBackup.status`.
pub(super) fn status_last_successful_backup_status(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.one_of(subject, path, &["Running", "Completed", "Failed"]);
}

/// Checks `status.lastSuccessfulBackup.scheduledTime`.
pub(super) fn status_last_successful_backup_scheduled_time(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.date_time(subject, path);
}

/// Checks `status.lastSuccessfulBackup.trigger`.
pub(super) fn status_last_successful_backup_trigger(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.one_of(subject, path, &["Scheduled", "Manual"]);
}

/// Checks `status.lastSuccessfulBackup.verified`.
pub(super) fn status_last_successful_backup_verified(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    out.boolean(value, path);
}

/// Checks `status.lastSuccessfulBackup.reason`.
pub(super) fn status_last_successful_backup_reason(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 128);
}

/// Checks `status.lastSuccessfulBackup.clusterRef`.
pub(super) fn status_last_successful_backup_cluster_ref(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(object) = out
        .object(value, path, &["namespace", "name", "uid"], &["namespace", "name"]) else {
        return
    };
    if let Some(value) = object.get("namespace") {
        status_last_successful_backup_cluster_ref_namespace(
            value,
            &path.required_field("namespace"),
            out,
        );
    }
    if let Some(value) = object.get("name") {
        status_last_successful_backup_cluster_ref_name(
            value,
            &path.required_field("name"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "uid") {
        status_last_successful_backup_cluster_ref_uid(value, &path.field("uid"), out);
    }
}

/// Checks `status.lastSuccessfulBackup.clusterRef.namespace`.
pub(super) fn status_last_successful_backup_cluster_ref_namespace(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 63);
}

/// Checks `status.lastSuccessfulBackup.clusterRef.name`.
pub(super) fn status_last_successful_backup_cluster_ref_name(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 253);
}

/// Checks `status.lastSuccessfulBackup.clusterRef.uid`.
pub(super) fn status_last_successful_backup_cluster_ref_uid(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 63);
}

/// Checks `status.lastSuccessfulBackup.location`.
pub(super) fn status_last_successful_backup_location(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 1024);
}

/// Checks `status.lastSuccessfulBackup.connection`.
pub(super) fn status_last_successful_backup_connection(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 256);
}

/// Checks `status.lastSuccessfulBackup.jobName`.
pub(super) fn status_last_successful_backup_job_name(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 253);
}

/// Checks `status.lastSuccessfulBackup.jobUID`.
pub(super) fn status_last_successful_backup_job_uid(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 63);
}

/// Checks `status.lastSuccessfulBackup.attempts`.
pub(super) fn status_last_successful_backup_attempts(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.integer(value, path) else { return };
    out.minimum(subject, path, 0);
    out.maximum(subject, path, 2147483647);
}

/// Checks `status.lastSuccessfulBackup.disruptions`.
pub(super) fn status_last_successful_backup_disruptions(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.integer(value, path) else { return };
    out.minimum(subject, path, 0);
    out.maximum(subject, path, 2147483647);
}

/// Checks `status.lastSuccessfulBackup.tables`.
pub(super) fn status_last_successful_backup_tables(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.array(value, path) else { return };
    out.max_items(subject, path, 1024);
    for (index, item) in subject.iter().enumerate() {
        status_last_successful_backup_tables_item(item, &path.index(index), out);
    }
}

/// Checks `status.lastSuccessfulBackup.tables[]`.
pub(super) fn status_last_successful_backup_tables_item(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 255);
}

/// Checks `status.lastSuccessfulBackup.tableCount`.
pub(super) fn status_last_successful_backup_table_count(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.integer(value, path) else { return };
    out.minimum(subject, path, 0);
    out.maximum(subject, path, 2147483647);
}

/// Checks `status.lastSuccessfulBackup.tablesOmitted`.
pub(super) fn status_last_successful_backup_tables_omitted(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.integer(value, path) else { return };
    out.minimum(subject, path, 0);
    out.maximum(subject, path, 2147483647);
}

/// Checks `status.lastSuccessfulBackup.sizeBytes`.
pub(super) fn status_last_successful_backup_size_bytes(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.integer(value, path) else { return };
    out.minimum(subject, path, 0);
}

/// Checks `status.lastSuccessfulBackup.readBackTime`.
pub(super) fn status_last_successful_backup_read_back_time(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.date_time(subject, path);
}

/// Checks `status.lastSuccessfulBackup.readBackError`.
pub(super) fn status_last_successful_backup_read_back_error(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 1024);
}

/// Checks `status.lastSuccessfulBackup.error`.
pub(super) fn status_last_successful_backup_error(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 1024);
}

/// Checks `status.lastSuccessfulBackup.firstError`.
pub(super) fn status_last_successful_backup_first_error(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 1024);
}

/// Checks `status.lastSuccessfulBackup.stuckTime`.
pub(super) fn status_last_successful_backup_stuck_time(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.date_time(subject, path);
}

/// Checks `status.lastSuccessfulBackup.reasonBefore`.
pub(super) fn status_last_successful_backup_reason_before(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 128);
}

/// Checks `status.lastSuccessfulBackup.errorBefore`.
pub(super) fn status_last_successful_backup_error_before(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 1024);
}

/// Checks `status.lastSuccessfulBackup.omitted`.
pub(super) fn status_last_successful_backup_omitted(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.one_of(subject, path, &["Tables", "Errors", "Details"]);
}

/// Checks `status.lastFailedBackup`.
pub(super) fn status_last_failed_backup(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(object) = out
        .object(
            value,
            path,
            &[
                "backupId",
                "backupIdKnown",
                "otherBackupIds",
                "startTime",
                "completionTime",
                "status",
                "scheduledTime",
                "trigger",
                "verified",
                "reason",
                "clusterRef",
                "location",
                "connection",
                "jobName",
                "jobUID",
                "attempts",
                "disruptions",
                "tables",
                "tableCount",
                "tablesOmitted",
                "sizeBytes",
                "readBackTime",
                "readBackError",
                "error",
                "firstError",
                "stuckTime",
                "reasonBefore",
                "errorBefore",
                "omitted",
            ],
            &["backupId", "startTime", "status"],
        ) else { return };
    if let Some(value) = object.get("backupId") {
        status_last_failed_backup_backup_id(
            value,
            &path.required_field("backupId"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "backupIdKnown") {
        status_last_failed_backup_backup_id_known(
            value,
            &path.field("backupIdKnown"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "otherBackupIds") {
        status_last_failed_backup_other_backup_ids(
            value,
            &path.field("otherBackupIds"),
            out,
        );
    }
    if let Some(value) = object.get("startTime") {
        status_last_failed_backup_start_time(
            value,
            &path.required_field("startTime"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "completionTime") {
        status_last_failed_backup_completion_time(
            value,
            &path.field("completionTime"),
            out,
        );
    }
    if let Some(value) = object.get("status") {
        status_last_failed_backup_status(value, &path.required_field("status"), out);
    }
    if let Some(value) = cel::not_null(object, "scheduledTime") {
        status_last_failed_backup_scheduled_time(
            value,
            &path.field("scheduledTime"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "trigger") {
        status_last_failed_backup_trigger(value, &path.field("trigger"), out);
    }
    if let Some(value) = cel::not_null(object, "verified") {
        status_last_failed_backup_verified(value, &path.field("verified"), out);
    }
    if let Some(value) = cel::not_null(object, "reason") {
        status_last_failed_backup_reason(value, &path.field("reason"), out);
    }
    if let Some(value) = cel::not_null(object, "clusterRef") {
        status_last_failed_backup_cluster_ref(value, &path.field("clusterRef"), out);
    }
    if let Some(value) = cel::not_null(object, "location") {
        status_last_failed_backup_location(value, &path.field("location"), out);
    }
    if let Some(value) = cel::not_null(object, "connection") {
        status_last_failed_backup_connection(value, &path.field("connection"), out);
    }
    if let Some(value) = cel::not_null(object, "jobName") {
        status_last_failed_backup_job_name(value, &path.field("jobName"), out);
    }
    if let Some(value) = cel::not_null(object, "jobUID") {
        status_last_failed_backup_job_uid(value, &path.field("jobUID"), out);
    }
    if let Some(value) = cel::not_null(object, "attempts") {
        status_last_failed_backup_attempts(value, &path.field("attempts"), out);
    }
    if let Some(value) = cel::not_null(object, "disruptions") {
        status_last_failed_backup_disruptions(value, &path.field("disruptions"), out);
    }
    if let Some(value) = cel::not_null(object, "tables") {
        status_last_failed_backup_tables(value, &path.field("tables"), out);
    }
    if let Some(value) = cel::not_null(object, "tableCount") {
        status_last_failed_backup_table_count(value, &path.field("tableCount"), out);
    }
    if let Some(value) = cel::not_null(object, "tablesOmitted") {
        status_last_failed_backup_tables_omitted(
            value,
            &path.field("tablesOmitted"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "sizeBytes") {
        status_last_failed_backup_size_bytes(value, &path.field("sizeBytes"), out);
    }
    if let Some(value) = cel::not_null(object, "readBackTime") {
        status_last_failed_backup_read_back_time(
            value,
            &path.field("readBackTime"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "readBackError") {
        status_last_failed_backup_read_back_error(
            value,
            &path.field("readBackError"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "error") {
        status_last_failed_backup_error(value, &path.field("error"), out);
    }
    if let Some(value) = cel::not_null(object, "firstError") {
        status_last_failed_backup_first_error(value, &path.field("firstError"), out);
    }
    if let Some(value) = cel::not_null(object, "stuckTime") {
        status_last_failed_backup_stuck_time(value, &path.field("stuckTime"), out);
    }
    if let Some(value) = cel::not_null(object, "reasonBefore") {
        status_last_failed_backup_reason_before(value, &path.field("reasonBefore"), out);
    }
    if let Some(value) = cel::not_null(object, "errorBefore") {
        status_last_failed_backup_error_before(value, &path.field("errorBefore"), out);
    }
    if let Some(value) = cel::not_null(object, "omitted") {
        status_last_failed_backup_omitted(value, &path.field("omitted"), out);
    }
}

/// Checks `status.lastFailedBackup.backupId`.
pub(super) fn status_last_failed_backup_backup_id(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 253);
}

/// Checks `status.lastFailedBackup.backupIdKnown`.
pub(super) fn status_last_failed_backup_backup_id_known(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    out.boolean(value, path);
}

/// Checks `status.lastFailedBackup.otherBackupIds`.
pub(super) fn status_last_failed_backup_other_backup_ids(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.array(value, path) else { return };
    out.max_items(subject, path, 11);
    for (index, item) in subject.iter().enumerate() {
        status_last_failed_backup_other_backup_ids_item(item, &path.index(index), out);
    }
}

/// Checks `status.lastFailedBackup.otherBackupIds[]`.
pub(super) fn status_last_failed_backup_other_backup_ids_item(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 253);
}

/// Checks `status.lastFailedBackup.startTime`.
pub(super) fn status_last_failed_backup_start_time(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.date_time(subject, path);
}

/// Checks `status.lastFailedBackup.completionTime`.
pub(super) fn status_last_failed_backup_completion_time(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.date_time(subject, path);
}

/// Checks `status.lastFailedBackup.status`.
pub(super) fn status_last_failed_backup_status(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.one_of(subject, path, &["Running", "Completed", "Failed"]);
}

/// Checks `status.lastFailedBackup.scheduledTime`.
pub(super) fn status_last_failed_backup_scheduled_time(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.date_time(subject, path);
}

/// Checks `status.lastFailedBackup.trigger`.
pub(super) fn status_last_failed_backup_trigger(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.one_of(subject, path, &["Scheduled", "Manual"]);
}

/// Checks `status.lastFailedBackup.verified`.
pub(super) fn status_last_failed_backup_verified(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    out.boolean(value, path);
}

/// Checks `status.lastFailedBackup.reason`.
pub(super) fn status_last_failed_backup_reason(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 128);
}

/// Checks `status.lastFailedBackup.clusterRef`.
pub(super) fn status_last_failed_backup_cluster_ref(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(object) = out
        .object(value, path, &["namespace", "name", "uid"], &["namespace", "name"]) else {
        return
    };
    if let Some(value) = object.get("namespace") {
        status_last_failed_backup_cluster_ref_namespace(
            value,
            &path.required_field("namespace"),
            out,
        );
    }
    if let Some(value) = object.get("name") {
        status_last_failed_backup_cluster_ref_name(
            value,
            &path.required_field("name"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "uid") {
        status_last_failed_backup_cluster_ref_uid(value, &path.field("uid"), out);
    }
}

/// Checks `status.lastFailedBackup.clusterRef.namespace`.
pub(super) fn status_last_failed_backup_cluster_ref_namespace(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 63);
}

/// Checks `status.lastFailedBackup.clusterRef.name`.
pub(super) fn status_last_failed_backup_cluster_ref_name(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 253);
}

/// Checks `status.lastFailedBackup.clusterRef.uid`.
pub(super) fn status_last_failed_backup_cluster_ref_uid(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 63);
}

/// Checks `status.lastFailedBackup.location`.
pub(super) fn status_last_failed_backup_location(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 1024);
}

/// Checks `status.lastFailedBackup.connection`.
pub(super) fn status_last_failed_backup_connection(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 256);
}

/// Checks `status.lastFailedBackup.jobName`.
pub(super) fn status_last_failed_backup_job_name(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 253);
}

/// Checks `status.lastFailedBackup.jobUID`.
pub(super) fn status_last_failed_backup_job_uid(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 63);
}

/// Checks `status.lastFailedBackup.attempts`.
pub(super) fn status_last_failed_backup_attempts(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.integer(value, path) else { return };
    out.minimum(subject, path, 0);
    out.maximum(subject, path, 2147483647);
}

/// Checks `status.lastFailedBackup.disruptions`.
pub(super) fn status_last_failed_backup_disruptions(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.integer(value, path) else { return };
    out.minimum(subject, path, 0);
    out.maximum(subject, path, 2147483647);
}

/// Checks `status.lastFailedBackup.tables`.
pub(super) fn status_last_failed_backup_tables(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.array(value, path) else { return };
    out.max_items(subject, path, 1024);
    for (index, item) in subject.iter().enumerate() {
        status_last_failed_backup_tables_item(item, &path.index(index), out);
    }
}

/// Checks `status.lastFailedBackup.tables[]`.
pub(super) fn status_last_failed_backup_tables_item(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 255);
}

/// Checks `status.lastFailedBackup.tableCount`.
pub(super) fn status_last_failed_backup_table_count(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.integer(value, path) else { return };
    out.minimum(subject, path, 0);
    out.maximum(subject, path, 2147483647);
}

/// Checks `status.lastFailedBackup.tablesOmitted`.
pub(super) fn status_last_failed_backup_tables_omitted(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.integer(value, path) else { return };
    out.minimum(subject, path, 0);
    out.maximum(subject, path, 2147483647);
}

/// Checks `status.lastFailedBackup.sizeBytes`.
pub(super) fn status_last_failed_backup_size_bytes(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.integer(value, path) else { return };
    out.minimum(subject, path, 0);
}

/// Checks `status.lastFailedBackup.readBackTime`.
pub(super) fn status_last_failed_backup_read_back_time(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.date_time(subject, path);
}

/// Checks `status.lastFailedBackup.readBackError`.
pub(super) fn status_last_failed_backup_read_back_error(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 1024);
}

/// Checks `status.lastFailedBackup.error`.
pub(super) fn status_last_failed_backup_error(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 1024);
}

/// Checks `status.lastFailedBackup.firstError`.
pub(super) fn status_last_failed_backup_first_error(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 1024);
}

/// Checks `status.lastFailedBackup.stuckTime`.
pub(super) fn status_last_failed_backup_stuck_time(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.date_time(subject, path);
}

/// Checks `status.lastFailedBackup.reasonBefore`.
pub(super) fn status_last_failed_backup_reason_before(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 128);
}

/// Checks `status.lastFailedBackup.errorBefore`.
pub(super) fn status_last_failed_backup_error_before(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 1024);
}

/// Checks `status.lastFailedBackup.omitted`.
pub(super) fn status_last_failed_backup_omitted(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.one_of(subject, path, &["Tables", "Errors", "Details"]);
}

/// Checks `status.recentBackups`.
pub(super) fn status_recent_backups(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.array(value, path) else { return };
    out.max_items(subject, path, 50);
    for (index, item) in subject.iter().enumerate() {
        status_recent_backups_item(item, &path.index(index), out);
    }
}

/// Checks `status.recentBackups[]`.
pub(super) fn status_recent_backups_item(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(object) = out
        .object(
            value,
            path,
            &[
                "backupId",
                "backupIdKnown",
                "otherBackupIds",
                "startTime",
                "completionTime",
                "status",
                "scheduledTime",
                "trigger",
                "verified",
                "reason",
                "clusterRef",
                "location",
                "connection",
                "jobName",
                "jobUID",
                "attempts",
                "disruptions",
                "tables",
                "tableCount",
                "tablesOmitted",
                "sizeBytes",
                "readBackTime",
                "readBackError",
                "error",
                "firstError",
                "stuckTime",
                "reasonBefore",
                "errorBefore",
                "omitted",
            ],
            &["backupId", "startTime", "status"],
        ) else { return };
    if let Some(value) = object.get("backupId") {
        status_recent_backups_item_backup_id(
            value,
            &path.required_field("backupId"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "backupIdKnown") {
        status_recent_backups_item_backup_id_known(
            value,
            &path.field("backupIdKnown"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "otherBackupIds") {
        status_recent_backups_item_other_backup_ids(
            value,
            &path.field("otherBackupIds"),
            out,
        );
    }
    if let Some(value) = object.get("startTime") {
        status_recent_backups_item_start_time(
            value,
            &path.required_field("startTime"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "completionTime") {
        status_recent_backups_item_completion_time(
            value,
            &path.field("completionTime"),
            out,
        );
    }
    if let Some(value) = object.get("status") {
        status_recent_backups_item_status(value, &path.required_field("status"), out);
    }
    if let Some(value) = cel::not_null(object, "scheduledTime") {
        status_recent_backups_item_scheduled_time(
            value,
            &path.field("scheduledTime"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "trigger") {
        status_recent_backups_item_trigger(value, &path.field("trigger"), out);
    }
    if let Some(value) = cel::not_null(object, "verified") {
        status_recent_backups_item_verified(value, &path.field("verified"), out);
    }
    if let Some(value) = cel::not_null(object, "reason") {
        status_recent_backups_item_reason(value, &path.field("reason"), out);
    }
    if let Some(value) = cel::not_null(object, "clusterRef") {
        status_recent_backups_item_cluster_ref(value, &path.field("clusterRef"), out);
    }
    if let Some(value) = cel::not_null(object, "location") {
        status_recent_backups_item_location(value, &path.field("location"), out);
    }
    if let Some(value) = cel::not_null(object, "connection") {
        status_recent_backups_item_connection(value, &path.field("connection"), out);
    }
    if let Some(value) = cel::not_null(object, "jobName") {
        status_recent_backups_item_job_name(value, &path.field("jobName"), out);
    }
    if let Some(value) = cel::not_null(object, "jobUID") {
        status_recent_backups_item_job_uid(value, &path.field("jobUID"), out);
    }
    if let Some(value) = cel::not_null(object, "attempts") {
        status_recent_backups_item_attempts(value, &path.field("attempts"), out);
    }
    if let Some(value) = cel::not_null(object, "disruptions") {
        status_recent_backups_item_disruptions(value, &path.field("disruptions"), out);
    }
    if let Some(value) = cel::not_null(object, "tables") {
        status_recent_backups_item_tables(value, &path.field("tables"), out);
    }
    if let Some(value) = cel::not_null(object, "tableCount") {
        status_recent_backups_item_table_count(value, &path.field("tableCount"), out);
    }
    if let Some(value) = cel::not_null(object, "tablesOmitted") {
        status_recent_backups_item_tables_omitted(
            value,
            &path.field("tablesOmitted"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "sizeBytes") {
        status_recent_backups_item_size_bytes(value, &path.field("sizeBytes"), out);
    }
    if let Some(value) = cel::not_null(object, "readBackTime") {
        status_recent_backups_item_read_back_time(
            value,
            &path.field("readBackTime"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "readBackError") {
        status_recent_backups_item_read_back_error(
            value,
            &path.field("readBackError"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "error") {
        status_recent_backups_item_error(value, &path.field("error"), out);
    }
    if let Some(value) = cel::not_null(object, "firstError") {
        status_recent_backups_item_first_error(value, &path.field("firstError"), out);
    }
    if let Some(value) = cel::not_null(object, "stuckTime") {
        status_recent_backups_item_stuck_time(value, &path.field("stuckTime"), out);
    }
    if let Some(value) = cel::not_null(object, "reasonBefore") {
        status_recent_backups_item_reason_before(
            value,
            &path.field("reasonBefore"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "errorBefore") {
        status_recent_backups_item_error_before(value, &path.field("errorBefore"), out);
    }
    if let Some(value) = cel::not_null(object, "omitted") {
        status_recent_backups_item_omitted(value, &path.field("omitted"), out);
    }
}

/// Checks `status.recentBackups[].backupId`.
pub(super) fn status_recent_backups_item_backup_id(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 253);
}

/// Checks `status.recentBackups[].backupIdKnown`.
pub(super) fn status_recent_backups_item_backup_id_known(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    out.boolean(value, path);
}

/// Checks `status.recentBackups[].otherBackupIds`.
pub(super) fn status_recent_backups_item_other_backup_ids(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.array(value, path) else { return };
    out.max_items(subject, path, 11);
    for (index, item) in subject.iter().enumerate() {
        status_recent_backups_item_other_backup_ids_item(item, &path.index(index), out);
    }
}

/// Checks `status.recentBackups[].otherBackupIds[]`.
pub(super) fn status_recent_backups_item_other_backup_ids_item(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 253);
}

/// Checks `status.recentBackups[].startTime`.
pub(super) fn status_recent_backups_item_start_time(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.date_time(subject, path);
}

/// Checks `status.recentBackups[].completionTime`.
pub(super) fn status_recent_backups_item_completion_time(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.date_time(subject, path);
}

/// Checks `status.recentBackups[].status`.
pub(super) fn status_recent_backups_item_status(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.one_of(subject, path, &["Running", "Completed", "Failed"]);
}

/// Checks `status.recentBackups[].scheduledTime`.
pub(super) fn status_recent_backups_item_scheduled_time(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.date_time(subject, path);
}

/// Checks `status.recentBackups[].trigger`.
pub(super) fn status_recent_backups_item_trigger(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.one_of(subject, path, &["Scheduled", "Manual"]);
}

/// Checks `status.recentBackups[].verified`.
pub(super) fn status_recent_backups_item_verified(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    out.boolean(value, path);
}

/// Checks `status.recentBackups[].reason`.
pub(super) fn status_recent_backups_item_reason(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 128);
}

/// Checks `status.recentBackups[].clusterRef`.
pub(super) fn status_recent_backups_item_cluster_ref(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(object) = out
        .object(value, path, &["namespace", "name", "uid"], &["namespace", "name"]) else {
        return
    };
    if let Some(value) = object.get("namespace") {
        status_recent_backups_item_cluster_ref_namespace(
            value,
            &path.required_field("namespace"),
            out,
        );
    }
    if let Some(value) = object.get("name") {
        status_recent_backups_item_cluster_ref_name(
            value,
            &path.required_field("name"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "uid") {
        status_recent_backups_item_cluster_ref_uid(value, &path.field("uid"), out);
    }
}

/// Checks `status.recentBackups[].clusterRef.namespace`.
pub(super) fn status_recent_backups_item_cluster_ref_namespace(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 63);
}

/// Checks `status.recentBackups[].clusterRef.name`.
pub(super) fn status_recent_backups_item_cluster_ref_name(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 253);
}

/// Checks `status.recentBackups[].clusterRef.uid`.
pub(super) fn status_recent_backups_item_cluster_ref_uid(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 63);
}

/// Checks `status.recentBackups[].location`.
pub(super) fn status_recent_backups_item_location(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 1024);
}

/// Checks `status.recentBackups[].connection`.
pub(super) fn status_recent_backups_item_connection(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 256);
}

/// Checks `status.recentBackups[].jobName`.
pub(super) fn status_recent_backups_item_job_name(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 253);
}

/// Checks `status.recentBackups[].jobUID`.
pub(super) fn status_recent_backups_item_job_uid(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 63);
}

/// Checks `status.recentBackups[].attempts`.
pub(super) fn status_recent_backups_item_attempts(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.integer(value, path) else { return };
    out.minimum(subject, path, 0);
    out.maximum(subject, path, 2147483647);
}

/// Checks `status.recentBackups[].disruptions`.
pub(super) fn status_recent_backups_item_disruptions(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.integer(value, path) else { return };
    out.minimum(subject, path, 0);
    out.maximum(subject, path, 2147483647);
}

/// Checks `status.recentBackups[].tables`.
pub(super) fn status_recent_backups_item_tables(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.array(value, path) else { return };
    out.max_items(subject, path, 1024);
    for (index, item) in subject.iter().enumerate() {
        status_recent_backups_item_tables_item(item, &path.index(index), out);
    }
}

/// Checks `status.recentBackups[].tables[]`.
pub(super) fn status_recent_backups_item_tables_item(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 255);
}

/// Checks `status.recentBackups[].tableCount`.
pub(super) fn status_recent_backups_item_table_count(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.integer(value, path) else { return };
    out.minimum(subject, path, 0);
    out.maximum(subject, path, 2147483647);
}

/// Checks `status.recentBackups[].tablesOmitted`.
pub(super) fn status_recent_backups_item_tables_omitted(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.integer(value, path) else { return };
    out.minimum(subject, path, 0);
    out.maximum(subject, path, 2147483647);
}

/// Checks `status.recentBackups[].sizeBytes`.
pub(super) fn status_recent_backups_item_size_bytes(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.integer(value, path) else { return };
    out.minimum(subject, path, 0);
}

/// Checks `status.recentBackups[].readBackTime`.
pub(super) fn status_recent_backups_item_read_back_time(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.date_time(subject, path);
}

/// Checks `status.recentBackups[].readBackError`.
pub(super) fn status_recent_backups_item_read_back_error(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 1024);
}

/// Checks `status.recentBackups[].error`.
pub(super) fn status_recent_backups_item_error(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 1024);
}

/// Checks `status.recentBackups[].firstError`.
pub(super) fn status_recent_backups_item_first_error(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 1024);
}

/// Checks `status.recentBackups[].stuckTime`.
pub(super) fn status_recent_backups_item_stuck_time(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.date_time(subject, path);
}

/// Checks `status.recentBackups[].reasonBefore`.
pub(super) fn status_recent_backups_item_reason_before(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 128);
}

/// Checks `status.recentBackups[].errorBefore`.
pub(super) fn status_recent_backups_item_error_before(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 1024);
}

/// Checks `status.recentBackups[].omitted`.
pub(super) fn status_recent_backups_item_omitted(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.one_of(subject, path, &["Tables", "Errors", "Details"]);
}

/// Checks `status.conditions`.
pub(super) fn status_conditions(value: &Value, path: &Path<'_>, out: &mut Violations) {
    let Some(subject) = out.array(value, path) else { return };
    out.max_items(subject, path, 16);
    out.map_by_keys(subject, path, &["type"]);
    for (index, item) in subject.iter().enumerate() {
        status_conditions_item(item, &path.index(index), out);
    }
}

/// Checks `status.conditions[]`.
pub(super) fn status_conditions_item(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(object) = out
        .object(
            value,
            path,
            &[
                "type",
                "status",
                "observedGeneration",
                "lastTransitionTime",
                "reason",
                "message",
            ],
            &["type", "status", "lastTransitionTime", "reason", "message"],
        ) else { return };
    if let Some(value) = object.get("type") {
        status_conditions_item_type(value, &path.required_field("type"), out);
    }
    if let Some(value) = object.get("status") {
        status_conditions_item_status(value, &path.required_field("status"), out);
    }
    if let Some(value) = cel::not_null(object, "observedGeneration") {
        status_conditions_item_observed_generation(
            value,
            &path.field("observedGeneration"),
            out,
        );
    }
    if let Some(value) = object.get("lastTransitionTime") {
        status_conditions_item_last_transition_time(
            value,
            &path.required_field("lastTransitionTime"),
            out,
        );
    }
    if let Some(value) = object.get("reason") {
        status_conditions_item_reason(value, &path.required_field("reason"), out);
    }
    if let Some(value) = object.get("message") {
        status_conditions_item_message(value, &path.required_field("message"), out);
    }
}

/// Checks `status.conditions[].type`.
pub(super) fn status_conditions_item_type(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 316);
    out.pattern(subject, path, &STATUS_CONDITIONS_ITEM_TYPE_PATTERN);
}

/// Checks `status.conditions[].status`.
pub(super) fn status_conditions_item_status(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.one_of(subject, path, &["True", "False", "Unknown"]);
}

/// Checks `status.conditions[].observedGeneration`.
pub(super) fn status_conditions_item_observed_generation(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.integer(value, path) else { return };
    out.minimum(subject, path, 0);
}

/// Checks `status.conditions[].lastTransitionTime`.
pub(super) fn status_conditions_item_last_transition_time(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.date_time(subject, path);
}

/// Checks `status.conditions[].reason`.
pub(super) fn status_conditions_item_reason(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.min_length(subject, path, 1);
    out.max_length(subject, path, 1024);
    out.pattern(subject, path, &STATUS_CONDITIONS_ITEM_REASON_PATTERN);
}

/// Checks `status.conditions[].message`.
pub(super) fn status_conditions_item_message(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 32768);
}

/// Checks `status.nextScheduledBackup`.
pub(super) fn status_next_scheduled_backup(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.date_time(subject, path);
}

/// Checks `status.lastSkippedTime`.
pub(super) fn status_last_skipped_time(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.date_time(subject, path);
}

/// Checks `status.skippedCount`.
pub(super) fn status_skipped_count(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.integer(value, path) else { return };
    out.minimum(subject, path, 0);
    out.maximum(subject, path, 2147483647);
}

/// Checks `status.startError`.
pub(super) fn status_start_error(value: &Value, path: &Path<'_>, out: &mut Violations) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 1024);
}

/// Checks `status.startErrorTime`.
pub(super) fn status_start_error_time(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.date_time(subject, path);
}

/// Checks `status.activeSince`.
pub(super) fn status_active_since(value: &Value, path: &Path<'_>, out: &mut Violations) {
    let Some(subject) = out.text(value, path) else { return };
    out.date_time(subject, path);
}

/// Checks `status.observedSchedule`.
pub(super) fn status_observed_schedule(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 400);
}

/// Checks `status.observedSuccessTime`.
pub(super) fn status_observed_success_time(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.date_time(subject, path);
}

/// Checks `status.omitted`.
pub(super) fn status_omitted(value: &Value, path: &Path<'_>, out: &mut Violations) {
    let Some(object) = out.object(value, path, &["what", "refusal"], &["what"]) else {
        return
    };
    if let Some(value) = object.get("what") {
        status_omitted_what(value, &path.required_field("what"), out);
    }
    if let Some(value) = cel::not_null(object, "refusal") {
        status_omitted_refusal(value, &path.field("refusal"), out);
    }
}

/// Checks `status.omitted.what`.
pub(super) fn status_omitted_what(value: &Value, path: &Path<'_>, out: &mut Violations) {
    let Some(subject) = out.text(value, path) else { return };
    out.one_of(subject, path, &["TablesOfOldRecords", "Tables", "Errors", "Details"]);
}

/// Checks `status.omitted.refusal`.
pub(super) fn status_omitted_refusal(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 1024);
}

/// Checks `status.cronJobName`.
pub(super) fn status_cron_job_name(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 253);
}

/// Checks `status.pinnedCluster`.
pub(super) fn status_pinned_cluster(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(object) = out
        .object(
            value,
            path,
            &["namespace", "name", "uid"],
            &["namespace", "name", "uid"],
        ) else { return };
    if let Some(value) = object.get("namespace") {
        status_pinned_cluster_namespace(value, &path.required_field("namespace"), out);
    }
    if let Some(value) = object.get("name") {
        status_pinned_cluster_name(value, &path.required_field("name"), out);
    }
    if let Some(value) = object.get("uid") {
        status_pinned_cluster_uid(value, &path.required_field("uid"), out);
    }
}

/// Checks `status.pinnedCluster.namespace`.
pub(super) fn status_pinned_cluster_namespace(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 63);
}

/// Checks `status.pinnedCluster.name`.
pub(super) fn status_pinned_cluster_name(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 253);
}

/// Checks `status.pinnedCluster.uid`.
pub(super) fn status_pinned_cluster_uid(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 63);
}

/// Checks `status.appliedCronJob`.
pub(super) fn status_applied_cron_job(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(object) = out
        .object(
            value,
            path,
            &["uid", "requested", "answered", "changedFields"],
            &["uid", "requested", "answered"],
        ) else { return };
    if let Some(value) = object.get("uid") {
        status_applied_cron_job_uid(value, &path.required_field("uid"), out);
    }
    if let Some(value) = object.get("requested") {
        status_applied_cron_job_requested(value, &path.required_field("requested"), out);
    }
    if let Some(value) = object.get("answered") {
        status_applied_cron_job_answered(value, &path.required_field("answered"), out);
    }
    if let Some(value) = cel::not_null(object, "changedFields") {
        status_applied_cron_job_changed_fields(value, &path.field("changedFields"), out);
    }
}

/// Checks `status.appliedCronJob.uid`.
pub(super) fn status_applied_cron_job_uid(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 63);
}

/// Checks `status.appliedCronJob.requested`.
pub(super) fn status_applied_cron_job_requested(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 64);
}

/// Checks `status.appliedCronJob.answered`.
pub(super) fn status_applied_cron_job_answered(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 64);
}

/// Checks `status.appliedCronJob.changedFields`.
pub(super) fn status_applied_cron_job_changed_fields(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.array(value, path) else { return };
    out.max_items(subject, path, 16);
    for (index, item) in subject.iter().enumerate() {
        status_applied_cron_job_changed_fields_item(item, &path.index(index), out);
    }
}

/// Checks `status.appliedCronJob.changedFields[]`.
pub(super) fn status_applied_cron_job_changed_fields_item(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 253);
}

/// Checks `status.secondWriter`.
pub(super) fn status_second_writer(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(object) = out
        .object(value, path, &["managers", "cronJob", "writesStatus"], &[]) else {
        return
    };
    if let Some(value) = cel::not_null(object, "managers") {
        status_second_writer_managers(value, &path.field("managers"), out);
    }
    if let Some(value) = cel::not_null(object, "cronJob") {
        status_second_writer_cron_job(value, &path.field("cronJob"), out);
    }
    if let Some(value) = cel::not_null(object, "writesStatus") {
        status_second_writer_writes_status(value, &path.field("writesStatus"), out);
    }
}

/// Checks `status.secondWriter.managers`.
pub(super) fn status_second_writer_managers(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.array(value, path) else { return };
    out.max_items(subject, path, 4);
    for (index, item) in subject.iter().enumerate() {
        status_second_writer_managers_item(item, &path.index(index), out);
    }
}

/// Checks `status.secondWriter.managers[]`.
pub(super) fn status_second_writer_managers_item(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 128);
}

/// Checks `status.secondWriter.cronJob`.
pub(super) fn status_second_writer_cron_job(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 253);
}

/// Checks `status.secondWriter.writesStatus`.
pub(super) fn status_second_writer_writes_status(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    out.boolean(value, path);
}

/// Checks `status.appliedTemplates`.
pub(super) fn status_applied_templates(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.array(value, path) else { return };
    out.max_items(subject, path, 16);
    for (index, item) in subject.iter().enumerate() {
        status_applied_templates_item(item, &path.index(index), out);
    }
}

/// Checks `status.appliedTemplates[]`.
pub(super) fn status_applied_templates_item(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(object) = out
        .object(
            value,
            path,
            &["requested", "answered", "parts", "replacedTime"],
            &["requested", "answered"],
        ) else { return };
    if let Some(value) = object.get("requested") {
        status_applied_templates_item_requested(
            value,
            &path.required_field("requested"),
            out,
        );
    }
    if let Some(value) = object.get("answered") {
        status_applied_templates_item_answered(
            value,
            &path.required_field("answered"),
            out,
        );
    }
    if let Some(value) = cel::not_null(object, "parts") {
        status_applied_templates_item_parts(value, &path.field("parts"), out);
    }
    if let Some(value) = cel::not_null(object, "replacedTime") {
        status_applied_templates_item_replaced_time(
            value,
            &path.field("replacedTime"),
            out,
        );
    }
}

/// Checks `status.appliedTemplates[].requested`.
pub(super) fn status_applied_templates_item_requested(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 64);
}

/// Checks `status.appliedTemplates[].answered`.
pub(super) fn status_applied_templates_item_answered(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 64);
}

/// Checks `status.appliedTemplates[].parts`.
pub(super) fn status_applied_templates_item_parts(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.array(value, path) else { return };
    out.max_items(subject, path, 16);
    for (index, item) in subject.iter().enumerate() {
        status_applied_templates_item_parts_item(item, &path.index(index), out);
    }
}

/// Checks `status.appliedTemplates[].parts[]`.
pub(super) fn status_applied_templates_item_parts_item(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(object) = out.object(value, path, &["path", "digest"], &["path", "digest"])
    else { return };
    if let Some(value) = object.get("path") {
        status_applied_templates_item_parts_item_path(
            value,
            &path.required_field("path"),
            out,
        );
    }
    if let Some(value) = object.get("digest") {
        status_applied_templates_item_parts_item_digest(
            value,
            &path.required_field("digest"),
            out,
        );
    }
}

/// Checks `status.appliedTemplates[].parts[].path`.
pub(super) fn status_applied_templates_item_parts_item_path(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 64);
}

/// Checks `status.appliedTemplates[].parts[].digest`.
pub(super) fn status_applied_templates_item_parts_item_digest(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 64);
}

/// Checks `status.appliedTemplates[].replacedTime`.
pub(super) fn status_applied_templates_item_replaced_time(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.date_time(subject, path);
}

/// Checks `status.otherWriters`.
pub(super) fn status_other_writers(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.array(value, path) else { return };
    out.max_items(subject, path, 8);
    for (index, item) in subject.iter().enumerate() {
        status_other_writers_item(item, &path.index(index), out);
    }
}

/// Checks `status.otherWriters[]`.
pub(super) fn status_other_writers_item(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(object) = out
        .object(value, path, &["manager", "fields", "time"], &["manager", "time"]) else {
        return
    };
    if let Some(value) = object.get("manager") {
        status_other_writers_item_manager(value, &path.required_field("manager"), out);
    }
    if let Some(value) = cel::not_null(object, "fields") {
        status_other_writers_item_fields(value, &path.field("fields"), out);
    }
    if let Some(value) = object.get("time") {
        status_other_writers_item_time(value, &path.required_field("time"), out);
    }
}

/// Checks `status.otherWriters[].manager`.
pub(super) fn status_other_writers_item_manager(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 128);
}

/// Checks `status.otherWriters[].fields`.
pub(super) fn status_other_writers_item_fields(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.array(value, path) else { return };
    out.max_items(subject, path, 8);
    for (index, item) in subject.iter().enumerate() {
        status_other_writers_item_fields_item(item, &path.index(index), out);
    }
}

/// Checks `status.otherWriters[].fields[]`.
pub(super) fn status_other_writers_item_fields_item(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.max_length(subject, path, 253);
}

/// Checks `status.otherWriters[].time`.
pub(super) fn status_other_writers_item_time(
    value: &Value,
    path: &Path<'_>,
    out: &mut Violations,
) {
    let Some(subject) = out.text(value, path) else { return };
    out.date_time(subject, path);
}

/// Fills in the defaults, as the API server does: where a field is absent or null. Drops all other nulls of fields
/// that may be absent.
pub(super) fn apply_defaults(object: &mut Value) {
    if let Some(Value::Object(object)) = object.pointer_mut("") {
        cel::drop_null(object, "apiVersion");
        cel::drop_null(object, "kind");
        cel::drop_null(object, "metadata");
        cel::drop_null(object, "status");
    }
    if let Some(Value::Object(object)) = object.pointer_mut("/spec") {
        cel::drop_null(object, "tables");
        cel::set_default(object, "suspend", Value::from(false));
        cel::set_default(object, "backupTimeout", Value::from("1h"));
        cel::drop_null(object, "startingDeadline");
        cel::drop_null(object, "retries");
        cel::set_default(object, "successfulJobsHistoryLimit", Value::from(3));
        cel::set_default(object, "failedJobsHistoryLimit", Value::from(1));
        cel::drop_null(object, "pod");
    }
    if let Some(Value::Object(object)) = object.pointer_mut("/spec/clusterRef") {
        cel::drop_null(object, "namespace");
    }
    if let Some(Value::Object(object)) = object.pointer_mut("/spec/destination") {
        cel::drop_null(object, "credentialsSecret");
        cel::drop_null(object, "caBundle");
        cel::drop_null(object, "connection");
    }
    if let Some(Value::Object(map)) = object.pointer_mut("/spec/pod/labels") {
        map.retain(|_, value| !value.is_null());
    }
    if let Some(Value::Object(map)) = object.pointer_mut("/spec/pod/annotations") {
        map.retain(|_, value| !value.is_null());
    }
    if let Some(Value::Object(map)) = object.pointer_mut("/spec/pod/nodeSelector") {
        map.retain(|_, value| !value.is_null());
    }
    if let Some(Value::Object(object)) = object.pointer_mut("/spec/pod") {
        cel::drop_null(object, "labels");
        cel::drop_null(object, "annotations");
        cel::drop_null(object, "resources");
        cel::drop_null(object, "nodeSelector");
        cel::drop_null(object, "tolerations");
        cel::drop_null(object, "priorityClassName");
        cel::drop_null(object, "serviceAccountName");
        cel::drop_null(object, "imagePullSecrets");
        cel::drop_null(object, "securityContext");
    }
    if let Some(Value::Object(map)) = object.pointer_mut("/spec/pod/resources/limits") {
        map.retain(|_, value| !value.is_null());
    }
    if let Some(Value::Object(map)) = object.pointer_mut("/spec/pod/resources/requests")
    {
        map.retain(|_, value| !value.is_null());
    }
    if let Some(Value::Object(object)) = object.pointer_mut("/spec/pod/resources") {
        cel::drop_null(object, "limits");
        cel::drop_null(object, "requests");
    }
    if let Some(Value::Object(object)) = object.pointer_mut("/spec/pod/securityContext")
    {
        cel::drop_null(object, "appArmorProfile");
        cel::drop_null(object, "fsGroupChangePolicy");
        cel::drop_null(object, "runAsNonRoot");
        cel::drop_null(object, "seLinuxChangePolicy");
        cel::drop_null(object, "seLinuxOptions");
        cel::drop_null(object, "seccompProfile");
        cel::drop_null(object, "supplementalGroups");
        cel::drop_null(object, "supplementalGroupsPolicy");
        cel::drop_null(object, "sysctls");
    }
    if let Some(Value::Object(object)) = object
        .pointer_mut("/spec/pod/securityContext/appArmorProfile")
    {
        cel::drop_null(object, "localhostProfile");
    }
    if let Some(Value::Object(object)) = object
        .pointer_mut("/spec/pod/securityContext/seLinuxOptions")
    {
        cel::drop_null(object, "level");
        cel::drop_null(object, "type");
    }
    if let Some(Value::Object(object)) = object
        .pointer_mut("/spec/pod/securityContext/seccompProfile")
    {
        cel::drop_null(object, "localhostProfile");
    }
    if let Some(Value::Object(object)) = object.pointer_mut("/status") {
        cel::drop_null(object, "observedGeneration");
        cel::drop_null(object, "phase");
        cel::drop_null(object, "lastScheduledTime");
        cel::drop_null(object, "lastSuccessfulBackup");
        cel::drop_null(object, "lastFailedBackup");
        cel::drop_null(object, "recentBackups");
        cel::drop_null(object, "conditions");
        cel::drop_null(object, "nextScheduledBackup");
        cel::drop_null(object, "lastSkippedTime");
        cel::drop_null(object, "skippedCount");
        cel::drop_null(object, "startError");
        cel::drop_null(object, "startErrorTime");
        cel::drop_null(object, "activeSince");
        cel::drop_null(object, "observedSchedule");
        cel::drop_null(object, "observedSuccessTime");
        cel::drop_null(object, "omitted");
        cel::drop_null(object, "cronJobName");
        cel::drop_null(object, "pinnedCluster");
        cel::drop_null(object, "appliedCronJob");
        cel::drop_null(object, "secondWriter");
        cel::drop_null(object, "appliedTemplates");
        cel::drop_null(object, "otherWriters");
    }
    if let Some(Value::Object(object)) = object
        .pointer_mut("/status/lastSuccessfulBackup")
    {
        cel::drop_null(object, "backupIdKnown");
        cel::drop_null(object, "otherBackupIds");
        cel::drop_null(object, "completionTime");
        cel::drop_null(object, "scheduledTime");
        cel::drop_null(object, "trigger");
        cel::drop_null(object, "verified");
        cel::drop_null(object, "reason");
        cel::drop_null(object, "clusterRef");
        cel::drop_null(object, "location");
        cel::drop_null(object, "connection");
        cel::drop_null(object, "jobName");
        cel::drop_null(object, "jobUID");
        cel::drop_null(object, "attempts");
        cel::drop_null(object, "disruptions");
        cel::drop_null(object, "tables");
        cel::drop_null(object, "tableCount");
        cel::drop_null(object, "tablesOmitted");
        cel::drop_null(object, "sizeBytes");
        cel::drop_null(object, "readBackTime");
        cel::drop_null(object, "readBackError");
        cel::drop_null(object, "error");
        cel::drop_null(object, "firstError");
        cel::drop_null(object, "stuckTime");
        cel::drop_null(object, "reasonBefore");
        cel::drop_null(object, "errorBefore");
        cel::drop_null(object, "omitted");
    }
    if let Some(Value::Object(object)) = object
        .pointer_mut("/status/lastSuccessfulBackup/clusterRef")
    {
        cel::drop_null(object, "uid");
    }
    if let Some(Value::Object(object)) = object.pointer_mut("/status/lastFailedBackup") {
        cel::drop_null(object, "backupIdKnown");
        cel::drop_null(object, "otherBackupIds");
        cel::drop_null(object, "completionTime");
        cel::drop_null(object, "scheduledTime");
        cel::drop_null(object, "trigger");
        cel::drop_null(object, "verified");
        cel::drop_null(object, "reason");
        cel::drop_null(object, "clusterRef");
        cel::drop_null(object, "location");
        cel::drop_null(object, "connection");
        cel::drop_null(object, "jobName");
        cel::drop_null(object, "jobUID");
        cel::drop_null(object, "attempts");
        cel::drop_null(object, "disruptions");
        cel::drop_null(object, "tables");
        cel::drop_null(object, "tableCount");
        cel::drop_null(object, "tablesOmitted");
        cel::drop_null(object, "sizeBytes");
        cel::drop_null(object, "readBackTime");
        cel::drop_null(object, "readBackError");
        cel::drop_null(object, "error");
        cel::drop_null(object, "firstError");
        cel::drop_null(object, "stuckTime");
        cel::drop_null(object, "reasonBefore");
        cel::drop_null(object, "errorBefore");
        cel::drop_null(object, "omitted");
    }
    if let Some(Value::Object(object)) = object
        .pointer_mut("/status/lastFailedBackup/clusterRef")
    {
        cel::drop_null(object, "uid");
    }
    if let Some(Value::Object(object)) = object.pointer_mut("/status/omitted") {
        cel::drop_null(object, "refusal");
    }
    if let Some(Value::Object(object)) = object.pointer_mut("/status/appliedCronJob") {
        cel::drop_null(object, "changedFields");
    }
    if let Some(Value::Object(object)) = object.pointer_mut("/status/secondWriter") {
        cel::drop_null(object, "managers");
        cel::drop_null(object, "cronJob");
        cel::drop_null(object, "writesStatus");
    }
}

static SPEC_CLUSTER_REF_NAME_RULE_1_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^[a-z0-9]([a-z0-9-]*[a-z0-9])?$").expect("compiled by the build")
});

static SPEC_CLUSTER_REF_NAMESPACE_RULE_1_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^[a-z0-9]([a-z0-9-]*[a-z0-9])?$").expect("compiled by the build")
});

static SPEC_SCHEDULE_RULE_1_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^[ -~]*$").expect("compiled by the build")
});

static SPEC_SCHEDULE_RULE_2_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^ *(CRON_)?TZ=").expect("compiled by the build")
});

static SPEC_SCHEDULE_RULE_4_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^(@| *(CRON_)?TZ=)").expect("compiled by the build")
});

static SPEC_SCHEDULE_RULE_4_2: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^[^ ]+( +[^ ]+){4}$").expect("compiled by the build")
});

static SPEC_SCHEDULE_RULE_5_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^(@| *(CRON_)?TZ=)").expect("compiled by the build")
});

static SPEC_SCHEDULE_RULE_5_2: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^[^ ]+( +[^ ]+){4}$").expect("compiled by the build")
});

static SPEC_SCHEDULE_RULE_5_3: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
            "^((([*?]|[0-9]+(-[0-9]+)?)(/[0-9]+)?,)*([*?]|[0-9]+(-[0-9]+)?)(/[0-9]+)? +){3}(([*?]|[0-9]+(-[0-9]+)?|(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)(-(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))?)(/[0-9]+)?,)*([*?]|[0-9]+(-[0-9]+)?|(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)(-(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))?)(/[0-9]+)? +(([*?]|[0-9]+(-[0-9]+)?|(?i:sun|mon|tue|wed|thu|fri|sat)(-(?i:sun|mon|tue|wed|thu|fri|sat))?)(/[0-9]+)?,)*([*?]|[0-9]+(-[0-9]+)?|(?i:sun|mon|tue|wed|thu|fri|sat)(-(?i:sun|mon|tue|wed|thu|fri|sat))?)(/[0-9]+)?$",
        )
        .expect("compiled by the build")
});

static SPEC_SCHEDULE_RULE_6_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^([^ ]*[,-])?0*([6-9][0-9]|[1-9][0-9]{2,})[-,/ ]")
        .expect("compiled by the build")
});

static SPEC_SCHEDULE_RULE_7_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^[^ ]+ +([^ ]*[,-])?0*(2[4-9]|[3-9][0-9]|[1-9][0-9]{2,})[-,/ ]")
        .expect("compiled by the build")
});

static SPEC_SCHEDULE_RULE_8_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
            "^([^ ]+ +){2}([^ ]*[,-])?(0+|0*(3[2-9]|[4-9][0-9]|[1-9][0-9]{2,}))[-,/ ]",
        )
        .expect("compiled by the build")
});

static SPEC_SCHEDULE_RULE_9_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
            "^([^ ]+ +){3}([^ ]*[,-])?(0+|0*(1[3-9]|[2-9][0-9]|[1-9][0-9]{2,}))[-,/ ]",
        )
        .expect("compiled by the build")
});

static SPEC_SCHEDULE_RULE_10_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^([^ ]+ +){4}([^ ]*[,-])?0*([7-9]|[1-9][0-9]+)([-,/][^ ]*)?$")
        .expect("compiled by the build")
});

static SPEC_SCHEDULE_RULE_11_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("/(0+([ ,]|$)|0*[1-9][0-9]{4,})").expect("compiled by the build")
});

static SPEC_SCHEDULE_RULE_12_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
            "(^|[ ,])(?i:0*[1-5][0-9]-0*[0-9]|0*(5[0-9]-0*[1-4]|4[0-9]-0*[1-3]|3[0-9]-0*[12]|2[0-9]-0*1)[0-9]|0*(9-0*[0-8]|8-0*[0-7]|7-0*[0-6]|6-0*[0-5]|5-0*[0-4]|4-0*[0-3]|3-0*[0-2]|2-0*[01]|1-0*0)|0*1(9-0*1[0-8]|8-0*1[0-7]|7-0*1[0-6]|6-0*1[0-5]|5-0*1[0-4]|4-0*1[0-3]|3-0*1[0-2]|2-0*1[01]|1-0*10)|0*2(9-0*2[0-8]|8-0*2[0-7]|7-0*2[0-6]|6-0*2[0-5]|5-0*2[0-4]|4-0*2[0-3]|3-0*2[0-2]|2-0*2[01]|1-0*20)|0*3(9-0*3[0-8]|8-0*3[0-7]|7-0*3[0-6]|6-0*3[0-5]|5-0*3[0-4]|4-0*3[0-3]|3-0*3[0-2]|2-0*3[01]|1-0*30)|0*4(9-0*4[0-8]|8-0*4[0-7]|7-0*4[0-6]|6-0*4[0-5]|5-0*4[0-4]|4-0*4[0-3]|3-0*4[0-2]|2-0*4[01]|1-0*40)|0*5(9-0*5[0-8]|8-0*5[0-7]|7-0*5[0-6]|6-0*5[0-5]|5-0*5[0-4]|4-0*5[0-3]|3-0*5[0-2]|2-0*5[01]|1-0*50)|dec-(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov)|nov-(jan|feb|mar|apr|may|jun|jul|aug|sep|oct)|oct-(jan|feb|mar|apr|may|jun|jul|aug|sep)|sep-(jan|feb|mar|apr|may|jun|jul|aug)|aug-(jan|feb|mar|apr|may|jun|jul)|jul-(jan|feb|mar|apr|may|jun)|jun-(jan|feb|mar|apr|may)|may-(jan|feb|mar|apr)|apr-(jan|feb|mar)|mar-(jan|feb)|feb-jan|sat-(sun|mon|tue|wed|thu|fri)|fri-(sun|mon|tue|wed|thu)|thu-(sun|mon|tue|wed)|wed-(sun|mon|tue)|tue-(sun|mon)|mon-sun)([ ,/]|$)",
        )
        .expect("compiled by the build")
});

static SPEC_DESTINATION_LOCATION_RULE_1_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^(s3://|file:///)").expect("compiled by the build")
});

static SPEC_DESTINATION_LOCATION_RULE_2_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("[\\pZ\\p{Cc}]").expect("compiled by the build")
});

static SPEC_DESTINATION_LOCATION_RULE_3_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("(^|/)([.]|%2[eE]){2}(/|$)").expect("compiled by the build")
});

static SPEC_DESTINATION_LOCATION_RULE_4_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^s3://[a-z0-9]([a-z0-9._-]*[a-z0-9])?(/|$)")
        .expect("compiled by the build")
});

static SPEC_DESTINATION_LOCATION_RULE_5_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^s3://([^/.]{3,63}|[^/]{3,63}|[^/.]{1,63}([.][^/.]{1,63})+)(/|$)")
        .expect("compiled by the build")
});

static SPEC_DESTINATION_LOCATION_RULE_6_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^s3://([^/]{223}|[^/]*[.][.]|[0-9]{1,3}([.][0-9]{1,3}){3}(/|$))")
        .expect("compiled by the build")
});

static SPEC_DESTINATION_LOCATION_RULE_7_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^file:///[^/]").expect("compiled by the build")
});

static SPEC_DESTINATION_CREDENTIALS_SECRET_NAME_RULE_1_1: LazyLock<Regex> = LazyLock::new(||
{
    Regex::new("^[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*$")
        .expect("compiled by the build")
});

static SPEC_DESTINATION_CA_BUNDLE_CONFIG_MAP_KEY_REF_NAME_RULE_1_1: LazyLock<Regex> = LazyLock::new(||
{
    Regex::new("^[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*$")
        .expect("compiled by the build")
});

static SPEC_DESTINATION_CA_BUNDLE_CONFIG_MAP_KEY_REF_KEY_RULE_1_1: LazyLock<Regex> = LazyLock::new(||
Regex::new("^[.]?[-_a-zA-Z0-9][-._a-zA-Z0-9]*$").expect("compiled by the build"));

static SPEC_DESTINATION_CONNECTION_RULE_1_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("[\\p{Cc}\\p{Cf}]").expect("compiled by the build")
});

static SPEC_TABLES_ITEM_RULE_1_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("[\\p{Cc}]").expect("compiled by the build")
});

static SPEC_BACKUP_TIMEOUT_RULE_1_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^[+]?(([0-9]+[.]?[0-9]*|[.][0-9]+)(ns|us|µs|μs|ms|s|m|h))+$")
        .expect("compiled by the build")
});

static SPEC_BACKUP_TIMEOUT_RULE_2_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^[+]?(([0-9]+[.]?[0-9]*|[.][0-9]+)(ns|us|µs|μs|ms|s|m|h))+$")
        .expect("compiled by the build")
});

static SPEC_BACKUP_TIMEOUT_RULE_2_2: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
            "^[+]?(0*([0-9]{0,3}([.][0-9]*)?h|[0-9]{0,5}([.][0-9]*)?m|[0-9]{0,6}([.][0-9]*)?s|[0-9]{0,9}([.][0-9]*)?ms|[0-9]{0,12}([.][0-9]*)?[uµμ]s|[0-9]{0,15}([.][0-9]*)?ns))+$",
        )
        .expect("compiled by the build")
});

static SPEC_STARTING_DEADLINE_RULE_1_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^[+]?(([0-9]+[.]?[0-9]*|[.][0-9]+)(ns|us|µs|μs|ms|s|m|h))+$")
        .expect("compiled by the build")
});

static SPEC_STARTING_DEADLINE_RULE_2_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^[+]?(([0-9]+[.]?[0-9]*|[.][0-9]+)(ns|us|µs|μs|ms|s|m|h))+$")
        .expect("compiled by the build")
});

static SPEC_STARTING_DEADLINE_RULE_2_2: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
            "^[+]?(0*([0-9]{0,3}([.][0-9]*)?h|[0-9]{0,5}([.][0-9]*)?m|[0-9]{0,6}([.][0-9]*)?s|[0-9]{0,9}([.][0-9]*)?ms|[0-9]{0,12}([.][0-9]*)?[uµμ]s|[0-9]{0,15}([.][0-9]*)?ns))+$",
        )
        .expect("compiled by the build")
});

static SPEC_POD_LABELS_VALUE_RULE_1_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$")
        .expect("compiled by the build")
});

static SPEC_POD_LABELS_RULE_1_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
            "^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$",
        )
        .expect("compiled by the build")
});

static SPEC_POD_LABELS_RULE_1_2: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^([^/]{1,253}/)?[^/]{1,63}$").expect("compiled by the build")
});

static SPEC_POD_LABELS_RULE_2_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
            "^(app[.]kubernetes[.]io|([^/]*[.])?antfly[.]io|batch[.]kubernetes[.]io)/|^(controller-uid|job-name)$",
        )
        .expect("compiled by the build")
});

static SPEC_POD_ANNOTATIONS_RULE_1_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
            "^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$",
        )
        .expect("compiled by the build")
});

static SPEC_POD_ANNOTATIONS_RULE_1_2: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^([^/]{1,253}/)?[^/]{1,63}$").expect("compiled by the build")
});

static SPEC_POD_ANNOTATIONS_RULE_2_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
            "^(app[.]kubernetes[.]io|([^/]*[.])?antfly[.]io|batch[.]kubernetes[.]io)/|^(controller-uid|job-name)$",
        )
        .expect("compiled by the build")
});

static SPEC_POD_ANNOTATIONS_RULE_3_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
            "^(container[.]apparmor[.]security[.]beta|seccomp[.]security[.]alpha)[.]kubernetes[.]io/",
        )
        .expect("compiled by the build")
});

static SPEC_POD_RESOURCES_LIMITS_VALUE_RULE_1_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
            "^([0-9]{1,18}([.][0-9]{0,9})?|[.][0-9]{1,9})([numk]|[eE][-+]?[0-9]{1,2})?$|^([0-9]{1,12}([.][0-9]{0,9})?|[.][0-9]{1,9})[MG]$|^([0-9]{1,3}([.][0-9]{0,9})?|[.][0-9]{1,9})[TPE]$|^([0-9]{1,12}([.][0-9]{0,9})?|[.][0-9]{1,9})[KMG]i$|^([0-9]{1,3}([.][0-9]{0,9})?|[.][0-9]{1,9})[TPE]i$",
        )
        .expect("compiled by the build")
});

static SPEC_POD_RESOURCES_LIMITS_RULE_1_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
            "^(cpu|memory|ephemeral-storage|hugepages-[1-9][0-9]*([KMGTPE]i)?|[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)$",
        )
        .expect("compiled by the build")
});

static SPEC_POD_RESOURCES_LIMITS_RULE_1_2: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^([^/]{1,253}/)?[^/]{1,63}$").expect("compiled by the build")
});

static SPEC_POD_RESOURCES_REQUESTS_VALUE_RULE_1_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
            "^([0-9]{1,18}([.][0-9]{0,9})?|[.][0-9]{1,9})([numk]|[eE][-+]?[0-9]{1,2})?$|^([0-9]{1,12}([.][0-9]{0,9})?|[.][0-9]{1,9})[MG]$|^([0-9]{1,3}([.][0-9]{0,9})?|[.][0-9]{1,9})[TPE]$|^([0-9]{1,12}([.][0-9]{0,9})?|[.][0-9]{1,9})[KMG]i$|^([0-9]{1,3}([.][0-9]{0,9})?|[.][0-9]{1,9})[TPE]i$",
        )
        .expect("compiled by the build")
});

static SPEC_POD_RESOURCES_REQUESTS_RULE_1_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
            "^(cpu|memory|ephemeral-storage|hugepages-[1-9][0-9]*([KMGTPE]i)?|[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)$",
        )
        .expect("compiled by the build")
});

static SPEC_POD_RESOURCES_REQUESTS_RULE_1_2: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^([^/]{1,253}/)?[^/]{1,63}$").expect("compiled by the build")
});

static SPEC_POD_NODE_SELECTOR_VALUE_RULE_1_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$")
        .expect("compiled by the build")
});

static SPEC_POD_NODE_SELECTOR_RULE_1_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
            "^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$",
        )
        .expect("compiled by the build")
});

static SPEC_POD_NODE_SELECTOR_RULE_1_2: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^([^/]{1,253}/)?[^/]{1,63}$").expect("compiled by the build")
});

static SPEC_POD_TOLERATIONS_ITEM_KEY_RULE_1_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
            "^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$",
        )
        .expect("compiled by the build")
});

static SPEC_POD_TOLERATIONS_ITEM_KEY_RULE_1_2: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^([^/]{1,253}/)?[^/]{1,63}$").expect("compiled by the build")
});

static SPEC_POD_TOLERATIONS_ITEM_VALUE_RULE_1_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$")
        .expect("compiled by the build")
});

static SPEC_POD_PRIORITY_CLASS_NAME_RULE_1_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*$")
        .expect("compiled by the build")
});

static SPEC_POD_SERVICE_ACCOUNT_NAME_RULE_1_1: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*$")
        .expect("compiled by the build")
});

static SPEC_POD_IMAGE_PULL_SECRETS_ITEM_NAME_RULE_1_1: LazyLock<Regex> = LazyLock::new(||
{
    Regex::new("^[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*$")
        .expect("compiled by the build")
});

static SPEC_POD_SECURITY_CONTEXT_APP_ARMOR_PROFILE_LOCALHOST_PROFILE_RULE_1_1: LazyLock<
    Regex,
> = LazyLock::new(|| {
    Regex::new("[\\p{Cc}\\p{Cf}]|^\\pZ|\\pZ$").expect("compiled by the build")
});

static SPEC_POD_SECURITY_CONTEXT_SE_LINUX_OPTIONS_LEVEL_RULE_1_1: LazyLock<Regex> = LazyLock::new(||
Regex::new("^[A-Za-z0-9:,.-]*$").expect("compiled by the build"));

static SPEC_POD_SECURITY_CONTEXT_SECCOMP_PROFILE_LOCALHOST_PROFILE_RULE_1_1: LazyLock<
    Regex,
> = LazyLock::new(|| {
    Regex::new("[\\p{Cc}\\p{Cf}]|^/|(^|/)[.][.](/|$)").expect("compiled by the build")
});

static SPEC_POD_SECURITY_CONTEXT_SYSCTLS_ITEM_VALUE_RULE_1_1: LazyLock<Regex> = LazyLock::new(||
Regex::new("^[ -~]*$").expect("compiled by the build"));

static STATUS_CONDITIONS_ITEM_TYPE_PATTERN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
            "^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$",
        )
        .expect("compiled by the build")
});

static STATUS_CONDITIONS_ITEM_REASON_PATTERN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$")
        .expect("compiled by the build")
});
