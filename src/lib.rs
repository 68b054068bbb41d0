//! AntflyBackup operator.
