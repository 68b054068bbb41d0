//! The names of the rules.

use serde::{Deserialize, Serialize};

/// The rule that a change falls under. The names are stable: exceptions and scripts refer to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Rule {
    /// A definition of the old file is not in the new one.
    DefinitionRemoved,
    /// The new file has one more definition.
    DefinitionAdded,
    /// `spec.group` changed.
    GroupChanged,
    /// `spec.scope` changed.
    ScopeChanged,
    /// `spec.names.kind` changed.
    KindChanged,
    /// `spec.names.listKind` changed.
    ListKindChanged,
    /// `spec.names.plural` changed.
    PluralChanged,
    /// `spec.names.singular` changed.
    SingularChanged,
    /// A short name is gone.
    ShortNameRemoved,
    /// A short name is new.
    ShortNameAdded,
    /// A category is gone.
    CategoryRemoved,
    /// A category is new.
    CategoryAdded,
    /// `spec.conversion.strategy` changed.
    ConversionChanged,
    /// `preserveUnknownFields` of the definition, or `x-kubernetes-preserve-unknown-fields` of a field, changed.
    PreserveUnknownFieldsChanged,
    /// A version is gone.
    VersionRemoved,
    /// A version is new.
    VersionAdded,
    /// A version is not served any more.
    VersionNotServed,
    /// A version is served that was not.
    VersionServed,
    /// Two versions of the definition do not hold the same.
    VersionDoesNotRoundTrip,
    /// Another version is stored.
    StorageVersionChanged,
    /// A version was marked as deprecated, or not any more, or warns differently.
    DeprecationChanged,
    /// A schema, or the type of a node, is gone.
    StructuralSchemaLost,
    /// The status subresource is gone.
    StatusSubresourceRemoved,
    /// The status subresource is new.
    StatusSubresourceAdded,
    /// The scale subresource is gone.
    ScaleSubresourceRemoved,
    /// The scale subresource is new.
    ScaleSubresourceAdded,
    /// A path of the scale subresource changed.
    ScaleSubresourceChanged,
    /// A printer column is gone.
    PrinterColumnRemoved,
    /// A printer column is new.
    PrinterColumnAdded,
    /// A printer column has another type, format, JSON path or priority.
    PrinterColumnChanged,
    /// Printer columns stand in another order.
    PrinterColumnsReordered,
    /// A selectable field is gone.
    SelectableFieldRemoved,
    /// A selectable field is new.
    SelectableFieldAdded,
    /// Words for people changed: a description, a title, an example.
    DescriptionChanged,
    /// A field is gone.
    FieldRemoved,
    /// A field is new.
    FieldAdded,
    /// A field is required that was not.
    FieldRequired,
    /// A field is not required any more.
    FieldOptional,
    /// A type changed.
    TypeChanged,
    /// A format changed.
    FormatChanged,
    /// Null is not allowed any more.
    NullableRemoved,
    /// Null is allowed.
    NullableAdded,
    /// A default is new.
    DefaultAdded,
    /// A default changed.
    DefaultChanged,
    /// A default is gone.
    DefaultRemoved,
    /// The values were not enumerated before.
    EnumAdded,
    /// The values are not enumerated any more.
    EnumRemoved,
    /// A value of an enumeration is gone.
    EnumValueRemoved,
    /// An enumeration has one more value.
    EnumValueAdded,
    /// A bound is new.
    BoundAdded,
    /// A bound is narrower.
    BoundTightened,
    /// A bound is wider.
    BoundRelaxed,
    /// A bound is gone.
    BoundRemoved,
    /// `multipleOf` changed to what refuses more.
    MultipleOfChanged,
    /// A pattern is new, and refuses something.
    PatternAdded,
    /// A pattern changed, and is not proven to accept all that was accepted.
    PatternChanged,
    /// A pattern is new or changed, and proven to accept all that was accepted.
    PatternRelaxed,
    /// A pattern is gone.
    PatternRemoved,
    /// A rule (`x-kubernetes-validations`) is new, and not proven to refuse nothing.
    RuleAdded,
    /// A rule changed, and is not proven to accept all that was accepted.
    RuleChanged,
    /// A rule is new or changed, and proven to accept all that was accepted.
    RuleRelaxed,
    /// A rule is gone.
    RuleRemoved,
    /// A rule says something else when it refuses.
    RuleMessageChanged,
    /// `x-kubernetes-list-type` changed.
    ListTypeChanged,
    /// `x-kubernetes-list-map-keys` changed.
    ListMapKeysChanged,
    /// `x-kubernetes-map-type` changed.
    MapTypeChanged,
    /// An object takes any key that did not.
    AdditionalPropertiesAdded,
    /// An object does not take any key any more.
    AdditionalPropertiesRemoved,
    /// `x-kubernetes-embedded-resource` changed.
    EmbeddedResourceChanged,
    /// `allOf`, `anyOf`, `oneOf` or `not` is new or changed.
    CompositionChanged,
    /// `allOf`, `anyOf`, `oneOf` or `not` refuses less.
    CompositionRelaxed,
    /// A keyword changed of which the comparison does not know what it does.
    KeywordChanged,
}
