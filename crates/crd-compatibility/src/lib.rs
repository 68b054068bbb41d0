//! Compares two CustomResourceDefinitions, of any project: which changes break users, which do not, and why.
//!
//! | What comes in | What goes out |
//! |---|---|
//! | two files of YAML or JSON ([`compare_texts`]), or two definitions ([`compare`]) | a [`Report`]: each [`Change`] with its path, [`Rule`], [`Verdict`], why, and what to do instead; as text, and as JSON |
//! | a report and [`Exception`]s, the breaking changes that are meant | what is left, and which exceptions were used ([`apply_exceptions`]) |
//!
//! A change is *breaking* when an object that the old definition accepts may be refused by the new one, be stored or read
//! differently, or when a request or a client that worked may stop working. A change is *compatible* only where that is
//! excluded; what cannot be excluded counts as breaking. Ratcheting by the API server is no excuse: it spares updates of
//! objects that are there, not creates, and not restores from Git.
//!
//! Changed regular expressions are compared as languages, so a pattern that accepts at least what it accepted is
//! compatible, and for one that does not there is the shortest text that shows it.
//!
//! Nothing here reads files, the clock or the network.
//!
//! ```
//! let old = "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: as.example.com},
//!   spec: {group: example.com, scope: Namespaced, names: {kind: A, plural: as}, versions: [{name: v1, served: true, storage: true,
//!   schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}}]}}";
//! let new = old.replace("{type: integer}", "{type: integer, minimum: 1}");
//! let report = crd_compatibility::compare_texts(old, &new)?;
//! assert_eq!(report.breaking().count(), 1);
//! assert_eq!(report.changes[0].rule, crd_compatibility::Rule::BoundAdded);
//! assert_eq!(report.changes[0].path, "v1 .spec.size minimum");
//! # Ok::<(), crd_compatibility::InputError>(())
//! ```

mod bounds;
mod cel_rules;
mod change;
mod collections;
mod columns;
mod constraints;
mod definition;
mod documents;
mod exceptions;
mod input_error;
mod language;
mod node;
mod objects;
mod place;
mod report;
mod rule;
mod schema;
mod structure;
mod values;
mod versions;

pub use change::{Change, Verdict};
pub use definition::compare;
pub use documents::compare_texts;
pub use exceptions::{Exception, Judged, apply_exceptions, read_exceptions};
pub use input_error::InputError;
pub use place::File;
pub use report::Report;
pub use rule::Rule;
