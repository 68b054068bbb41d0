//! Chores of the AntflyBackup operator.
