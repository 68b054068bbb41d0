#![doc = include_str!("../README.md")]

mod boot_time;
mod candidate;
mod client;
mod connector;
mod elector;
mod error;
mod fence;
mod identity;
mod observer;
mod settings;
mod timing;

pub use boot_time::BootTime;
pub use client::fenced_client;
pub use connector::{FencedConnector, FencedStream};
pub use elector::Elector;
pub use error::{Action, Category, LeaseError, RequestError, causes};
pub use fence::{Fence, Fenced};
pub use identity::unique_identity;
pub use observer::Observer;
pub use settings::Settings;
pub use timing::{InvalidLeaseDuration, Timing};
