//! What the tests share.

#[path = "../../support/antfly_operator/mod.rs"]
pub mod antfly_operator;
mod attacker;
#[path = "../../support/connect_proxy.rs"]
pub mod connect_proxy;
mod deployed;
#[path = "../../support/kubelet.rs"]
pub mod kubelet;
mod memory_cgroup;
mod objects;
mod operator;
#[path = "../../support/policy.rs"]
mod policy;
#[path = "../../support/rights.rs"]
pub mod rights;
mod room;
mod stage;
mod waiting;

pub use attacker::Attacker;
pub use cluster_model::antfly::backup;
pub use deployed::{deployed_identity, deployed_image, deployed_operator};
pub use memory_cgroup::MemoryCgroup;
pub use objects::{ACTIVE, NO_CLUSTER, SUSPENDED, condition, container, is_unwritten, message, servers, state};
pub use operator::{Operator, get};
pub use policy::{Mutating, Refusing};
pub use room::Room;
pub use stage::{Stage, attended, unattended};
pub use waiting::eventually;
