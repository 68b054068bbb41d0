//! Why something cannot be compared.

/// Why a text cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The text is neither YAML nor JSON.
    #[error("the {0} file is neither YAML nor JSON: {1}")]
    Syntax(&'static str, String),
    /// The text has no definition of a resource.
    #[error(
        "the {0} file has no CustomResourceDefinition of apiextensions.k8s.io/v1; it has: {1}. \
         One of v1beta1 has to be converted first (kubectl get crd NAME -o yaml prints v1)"
    )]
    NoDefinition(&'static str, String),
    /// A text has two definitions of one name, of which a cluster keeps one.
    #[error("the {0} file has two CustomResourceDefinitions named {1}: delete one, a cluster keeps only the last")]
    Twice(&'static str, String),
    /// A definition lacks what every definition has.
    #[error("the {0} definition {1} has no {2}; complete it as the API server would require")]
    Incomplete(&'static str, String, &'static str),
}
