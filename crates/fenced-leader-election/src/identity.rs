//! Names of replicas.

use std::hash::{BuildHasher, RandomState};

/// Returns a name for this process that no other has: the name of its instance, such as its Pod's or host's, and something
/// random, since a container that is restarted keeps its Pod's name.
pub fn unique_identity(instance: &str) -> String {
    let random = RandomState::new().hash_one(std::process::id());
    format!("{instance}_{random:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_processes_have_the_same_identity() {
        assert_ne!(unique_identity("pod"), unique_identity("pod"));
        assert!(unique_identity("pod").starts_with("pod_"));
    }
}
