//! AntflyBackup operator.
fn main() {}
