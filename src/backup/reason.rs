//! The reasons of a result: values of [`BackupResult::reason`](super::BackupResult::reason).

/// Antfly answered completed, but not for every wanted table.
pub const TABLES_MISSING: &str = "TablesMissing";
/// The answer is about another backup.
pub const WRONG_BACKUP_ID: &str = "WrongBackupId";
/// This version does not know the status in the answer.
pub const UNKNOWN_STATUS: &str = "UnknownStatus";
/// The answer cannot be read.
pub const UNREADABLE_ANSWER: &str = "UnreadableAnswer";
/// Antfly answered completed, but named no table.
pub const NO_TABLES_IN_ANSWER: &str = "NoTablesInAnswer";
/// Only some tables were backed up.
pub const PARTIAL_BACKUP: &str = "PartialBackup";
/// Antfly answered that the backup failed.
pub const BACKUP_FAILED: &str = "BackupFailed";
/// Antfly answered with a server error.
pub const SERVER_ERROR: &str = "ServerError";
/// Antfly is busy, or not ready.
pub const SERVER_BUSY: &str = "ServerBusy";
/// The request was sent, and its outcome is unknown.
pub const OUTCOME_UNKNOWN: &str = "OutcomeUnknown";
/// Antfly refused the request as invalid.
pub const REQUEST_REFUSED: &str = "RequestRefused";
/// Antfly requires a login, or rejected the given one.
pub const UNAUTHORIZED: &str = "Unauthorized";
/// Antfly accepted the login, but it lacks a permission.
pub const FORBIDDEN: &str = "Forbidden";
/// No address serves Antfly's API.
pub const API_NOT_FOUND: &str = "ApiNotFound";
/// No address was reachable.
pub const CLUSTER_UNREACHABLE: &str = "ClusterUnreachable";
/// The cluster has no tables.
pub const NO_TABLES: &str = "NoTables";
/// A part of the backup is missing at the destination.
pub const PAYLOAD_MISSING: &str = "PayloadMissing";
/// The credentials cannot be used.
pub const INVALID_CREDENTIALS: &str = "InvalidCredentials";
/// The program's arguments, or the variables for the backup's id, cannot be used.
pub const INVALID_ARGUMENTS: &str = "InvalidArguments";
/// SIGTERM arrived before Antfly was asked.
pub const STOPPED: &str = "Stopped";
/// The attempt has not ended. If the container has ended, it was killed.
pub const INTERRUPTED: &str = "Interrupted";
/// The backup completed, but a data node made it, whose snapshots can be empty.
pub const ASKED_BY_DATA_NODE: &str = "AskedByDataNode";
/// The backup completed, but the tables of the cluster are unknown.
pub const TABLES_UNKNOWN: &str = "TablesUnknown";
