//! The `AntflyBackup` API, made by the build script from `schema/antflybackup.yaml`.

mod types {
    #![allow(missing_docs, reason = "kopium's derive makes items without docs; the fields have those of the schema")]
    include!(concat!(env!("OUT_DIR"), "/generated/types.rs"));
}

pub use types::*;

/// The CustomResourceDefinition as it is applied to clusters, byte for byte the file in `schema/`.
pub const CRD: &str = include_str!("../schema/antflybackup.yaml");

/// `apiVersion` of the resources.
pub const API_VERSION: &str = "antfly.io/v1";

/// `kind` of the resources.
pub const KIND: &str = "AntflyBackup";
