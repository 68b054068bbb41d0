//! Chores of the AntflyBackup operator.
fn main() {}
