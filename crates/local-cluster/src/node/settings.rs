//! The settings of a node.

use std::{path::PathBuf, time::Duration};

use super::{images::Images, services::Services};

/// The settings of a node.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Name of the Node object.
    pub name: String,
    /// Label selector of the Pods that it takes.
    pub selector: String,
    /// Where it keeps logs and termination messages.
    pub directory: PathBuf,
    /// The images that it knows.
    pub images: Images,
    /// The addresses behind the names of Services.
    pub services: Services,
    /// The first wait before a container restarts or an image is pulled again. Each later wait is twice as long.
    pub back_off: Duration,
}

impl Settings {
    /// Returns the settings of a node that takes the Pods of backups, knows no image and no Service, and keeps its files in
    /// `directory`.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            name: "node-without-kubelet".to_owned(),
            selector: "antfly.io/backup".to_owned(),
            directory: directory.into(),
            images: Images::default(),
            services: Services::default(),
            back_off: Duration::from_secs(10),
        }
    }
}
