//! Helpers for partial views of Kubernetes objects.

use crate::text::shortened_to_bytes;
use kube::api::ObjectMeta;
use serde_json::Value;

/// Most bytes of a name or of a word that is kept: more than Kubernetes lets any name have.
const LONGEST_NAME: usize = 512;

/// Most bytes of a message that is kept.
const LONGEST_MESSAGE: usize = 4096;

/// Removes `metadata.managedFields`, often the largest part of an object, before the rest is read.
pub fn drop_managed_fields(object: &mut Value) {
    if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
        metadata.remove("managedFields");
    }
}

/// Returns a name as it is kept. One that is too long for a name is cut, and equals no name.
pub fn kept_name(name: String) -> String {
    shortened_to_bytes(&name, LONGEST_NAME)
}

/// Returns a message as it is kept.
pub fn kept_message(message: String) -> String {
    shortened_to_bytes(&message, LONGEST_MESSAGE)
}

/// Removes the metadata that the operator does not read, so that the cache stays small.
pub fn keep_what_is_read(metadata: &mut ObjectMeta) {
    metadata.managed_fields = None;
    metadata.annotations = None;
    metadata.labels = None;
    metadata.finalizers = None;
    metadata.owner_references = None;
    metadata.generate_name = None;
    metadata.self_link = None;
}

/// Implements [`kube::Resource`] for a partial view of a Kubernetes type, with the `metadata` field of the view, or the field to which
/// the steps lead.
macro_rules! view_of {
    ($view:ty, $kind:ty) => {
        view_of!($view, $kind, metadata);
    };
    ($view:ty, $kind:ty, $($step:tt)+) => {
        impl kube::Resource for $view {
            type DynamicType = ();
            type Scope = <$kind as kube::Resource>::Scope;

            fn kind(_: &()) -> std::borrow::Cow<'_, str> {
                <$kind as kube::Resource>::kind(&())
            }
            fn group(_: &()) -> std::borrow::Cow<'_, str> {
                <$kind as kube::Resource>::group(&())
            }
            fn version(_: &()) -> std::borrow::Cow<'_, str> {
                <$kind as kube::Resource>::version(&())
            }
            fn plural(_: &()) -> std::borrow::Cow<'_, str> {
                <$kind as kube::Resource>::plural(&())
            }
            fn meta(&self) -> &kube::api::ObjectMeta {
                &self$(.$step)+
            }
            fn meta_mut(&mut self) -> &mut kube::api::ObjectMeta {
                &mut self$(.$step)+
            }
        }
    };
}
pub(crate) use view_of;
