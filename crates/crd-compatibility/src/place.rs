//! Where a change is: for people, and as JSON pointers.

use serde::Serialize;

/// One of the two compared files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum File {
    /// The file before the change.
    Old,
    /// The file after it.
    New,
}

/// A place in two definitions. The pointers differ where versions or rules stand in another order.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    path: String,
    old: String,
    new: String,
}

impl Place {
    /// The place of a definition itself.
    pub(crate) fn definition() -> Self {
        Place { path: String::new(), old: String::new(), new: String::new() }
    }

    /// Returns the path for people.
    pub(crate) fn path(&self) -> &str {
        if self.path.is_empty() { "the definition" } else { self.path.trim_end() }
    }

    /// Returns the JSON pointer into one of the files.
    pub(crate) fn pointer(&self, file: File) -> &str {
        match file {
            File::Old => &self.old,
            File::New => &self.new,
        }
    }

    /// Returns whether this is a field of the status, which users read and the operator writes.
    pub(crate) fn is_status(&self) -> bool {
        let field = self.path.split(' ').nth(1).unwrap_or_default();
        field == ".status" || field.starts_with(".status.")
    }

    /// Returns the place of a key of the definition: `spec.names.kind`.
    pub(crate) fn key(&self, key: &str) -> Self {
        let dot = if self.path.is_empty() { "" } else { "." };
        self.below(&format!("{dot}{key}"), &escaped(key), &escaped(key))
    }

    /// Returns the place of an entry of a list that is known by a name: `spec.versions[v1]`. The entry may be in one file only.
    pub(crate) fn entry(&self, name: &str, old: Option<usize>, new: Option<usize>) -> Self {
        let index = |index: Option<usize>| index.map_or_else(String::new, |index| index.to_string());
        self.below(&format!("[{name}]"), &index(old), &index(new))
    }

    /// Returns the place of the schema of a version: the root of its fields.
    pub(crate) fn schema(&self, version: &str) -> Self {
        let place = self.key("schema").key("openAPIV3Schema");
        Place { path: format!("{version} "), ..place }
    }

    /// Returns the place of a property.
    pub(crate) fn property(&self, name: &str) -> Self {
        let segment = if is_plain(name) { format!(".{name}") } else { format!("[{name:?}]") };
        let token = format!("properties/{}", escaped(name));
        self.below(&segment, &token, &token)
    }

    /// Returns the place of the list of the properties that must be there. For people it is the property.
    pub(crate) fn required(&self, name: &str) -> Self {
        let keyword = self.keyword("required");
        Place { path: self.property(name).path, ..keyword }
    }

    /// Returns the place of the items of a list.
    pub(crate) fn items(&self) -> Self {
        self.below("[]", "items", "items")
    }

    /// Returns the place of the values of a map.
    pub(crate) fn values(&self) -> Self {
        self.below("{}", "additionalProperties", "additionalProperties")
    }

    /// Returns the place of a keyword of a field: `v1 .spec.tables maxItems`.
    pub(crate) fn keyword(&self, keyword: &str) -> Self {
        let token = escaped(keyword);
        Place { path: self.followed_by(keyword), ..self.below("", &token, &token) }
    }

    /// Returns the place of a value of a keyword, which has the keyword's pointer: `v1 .status.phase enum "Active"`.
    pub(crate) fn value(&self, value: &str) -> Self {
        Place { path: self.followed_by(value), ..self.clone() }
    }

    /// Returns the place of a rule: `v1 .spec.schedule x-kubernetes-validations[0]`, with the index in the new file if it is there.
    pub(crate) fn rule(&self, old: Option<usize>, new: Option<usize>) -> Self {
        let shown = new.or(old).unwrap_or_default();
        let index = |index: Option<usize>| index.map_or_else(String::new, |index| index.to_string());
        self.keyword("x-kubernetes-validations").below(&format!("[{shown}]"), &index(old), &index(new))
    }

    fn followed_by(&self, word: &str) -> String {
        format!("{} {word}", self.path.trim_end()).trim_start().to_owned()
    }

    fn below(&self, segment: &str, old: &str, new: &str) -> Self {
        let join = |pointer: &str, token: &str| format!("{pointer}/{token}");
        Place { path: format!("{}{segment}", self.path), old: join(&self.old, old), new: join(&self.new, new) }
    }
}

/// Returns whether a property's name needs no quotes in a path.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|character| character.is_ascii_alphanumeric() || "_-$".contains(character))
}

/// Returns a token of a JSON pointer (RFC 6901).
fn escaped(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}
