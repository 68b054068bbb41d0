//! Parses the location of a backup.

use crate::fault::Refusal;

/// The scheme of a location.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    S3,
    File,
}

impl Scheme {
    /// Returns the name of the scheme in a connection.
    pub(crate) fn protocol(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::File => "file",
        }
    }
}

/// A valid location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    /// The location as the client wrote it.
    pub(crate) text: String,
    pub(crate) scheme: Scheme,
    /// Empty for `file://`.
    pub(crate) bucket: String,
    /// The path in the bucket or file system, without a leading slash.
    pub(crate) path: String,
}

impl Location {
    /// Parses a location.
    ///
    /// # Errors
    /// Returns Antfly's refusal if the location is invalid.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let invalid = || Refusal::text(400, "invalid backup location");
        let (scheme, rest) = text.split_once("://").ok_or_else(invalid)?;
        let (scheme, bucket, path) = match scheme {
            "s3" => {
                let (bucket, path) = rest.split_once('/').unwrap_or((rest, ""));
                (!bucket.is_empty()).then_some((Scheme::S3, bucket, path)).ok_or_else(invalid)?
            }
            "file" => (Scheme::File, "", rest.strip_prefix('/').ok_or_else(invalid)?),
            _ => return Err(Refusal::text(400, "unsupported backup location")),
        };
        Ok(Self { text: text.to_owned(), scheme, bucket: bucket.to_owned(), path: path.to_owned() })
    }

    /// Returns whether its keys contain `//`, because it ends with a slash. Antfly never lists such keys.
    pub(crate) fn is_unlisted(&self) -> bool {
        self.path.ends_with('/')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_s3_and_file_are_locations() {
        let location = Location::parse("s3://bucket/a/b").unwrap();
        assert_eq!((location.bucket.as_str(), location.path.as_str()), ("bucket", "a/b"));
        assert_eq!(Location::parse("file:///a").unwrap().path, "a");
        let refusal = |text| Location::parse(text).unwrap_err().body;
        assert_eq!(refusal("gs://bucket"), "unsupported backup location");
        for text in ["s3://", "bucket", "s3:///a", "file://a"] {
            assert_eq!(refusal(text), "invalid backup location", "{text}");
        }
    }
}
