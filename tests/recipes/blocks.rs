//! The YAML blocks of a page, and what each claims to be.
//!
//! A reader sees the claim in the block itself:
//!
//! - `apiVersion` and `kind` in each document: objects, which the API server accepts as they are.
//! - `metadata`, `spec` or `status` and nothing else: a part of an AntflyBackup, which is completed by the fields that it needs.
//! - the first line `# kustomization.yaml`, or the kind Kustomization: that file, with what `deploy/` has in `../deploy` and in
//!   `path/to/deploy`.
//! - a first line `# refused: MESSAGE`: objects or a part, which the API server refuses with that message.
//!
//! Any other block is listed in `exceptions.rs`, with the reason.

use serde_json::{Value, json};

/// What begins the first line of a block that is refused.
const REFUSED: &str = "# refused: ";

/// The first line of a kustomization.
const KUSTOMIZATION: &str = "# kustomization.yaml";

/// A block of YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Line of the page, from 1, at which it begins.
    pub line: usize,
    /// Its text, without the indentation of the block itself.
    pub text: String,
}

/// What a block claims to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Claim {
    /// Objects.
    Objects {
        /// As they are applied.
        objects: Vec<Value>,
        /// The message with which they are refused.
        refusal: Option<String>,
    },
    /// A file `kustomization.yaml`.
    Kustomization,
}

impl Block {
    /// Returns the first line.
    pub fn first_line(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }

    /// Returns what the block claims to be.
    ///
    /// # Errors
    /// Returns why that cannot be told.
    pub fn claim(&self) -> Result<Claim, String> {
        if self.first_line() == KUSTOMIZATION {
            return Ok(Claim::Kustomization);
        }
        let documents: Vec<Value> =
            serde_saphyr::from_multiple(&self.text).map_err(|error| format!("no YAML: {error}"))?;
        if matches!(documents.as_slice(), [document] if document["kind"] == "Kustomization") {
            return Ok(Claim::Kustomization);
        }
        let objects = documents.into_iter().filter(|document| !document.is_null()).map(completed);
        let objects: Vec<Value> = objects.collect::<Option<_>>().ok_or_else(|| {
            "neither an object with apiVersion and kind, nor a part of an AntflyBackup that begins with metadata:, spec: or \
             status:, nor # kustomization.yaml; write one of these, or list the block in tests/recipes/exceptions.rs"
                .to_owned()
        })?;
        if objects.is_empty() {
            return Err("empty".to_owned());
        }
        let refusal = self.first_line().strip_prefix(REFUSED).map(str::to_owned);
        Ok(Claim::Objects { objects, refusal })
    }
}

/// Returns an object as it is applied: as it is, or completed if it is a part of an AntflyBackup.
fn completed(document: Value) -> Option<Value> {
    let fields = document.as_object()?;
    if fields.contains_key("apiVersion") && fields.contains_key("kind") {
        return Some(document);
    }
    let is_part =
        !fields.is_empty() && fields.keys().all(|field| ["metadata", "spec", "status"].contains(&field.as_str()));
    let mut whole = json!({
        "apiVersion": "antfly.io/v1",
        "kind": "AntflyBackup",
        "metadata": {"name": "part-of-a-page", "namespace": "production"},
        "spec": {
            "clusterRef": {"name": "my-cluster"},
            "schedule": "0 2 * * *",
            "destination": {"location": "s3://my-bucket/antfly-backups"},
        },
    });
    is_part.then(|| {
        put(&mut whole, document);
        whole
    })
}

/// Puts the fields of `part` into `whole`.
fn put(whole: &mut Value, part: Value) {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            for (name, value) in part {
                put(whole.entry(name).or_insert(Value::Null), value);
            }
        }
        (whole, part) => *whole = part,
    }
}

/// Returns the blocks of a page that are YAML.
///
/// # Errors
/// Returns the line of a block that has an object, but is not marked as YAML.
pub fn blocks(page: &str) -> Result<Vec<Block>, usize> {
    let mut blocks = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let fence = line.trim_start_matches([' ', '>']);
        let Some(mark) = ["```", "~~~"].into_iter().find(|mark| fence.starts_with(mark)) else { continue };
        let language =
            fence.trim_start_matches(['`', '~']).split([' ', '{', ',']).next().unwrap_or_default().to_lowercase();
        let content = lines.by_ref().map(|(_, line)| line);
        let content: Vec<&str> =
            content.take_while(|line| !line.trim_start_matches([' ', '>']).starts_with(mark)).collect();
        if ["yaml", "yml"].contains(&language.as_str()) {
            blocks.push(Block { line: index + 2, text: dedented(&content) });
        } else if language.is_empty() && content.iter().any(|line| line.trim_start().starts_with("apiVersion: ")) {
            return Err(index + 1);
        }
    }
    Ok(blocks)
}

/// Returns the lines without the indentation, and the mark of a quotation, that all of them have.
fn dedented(lines: &[&str]) -> String {
    let unquoted = lines.iter().map(|line| line.strip_prefix("> ").or(line.strip_prefix('>')).unwrap_or(line));
    let lines: Vec<&str> = unquoted.collect();
    let indentation = |line: &&str| line.len() - line.trim_start_matches(' ').len();
    let common = lines.iter().filter(|line| !line.trim().is_empty()).map(indentation).min().unwrap_or(0);
    lines.iter().map(|line| format!("{}\n", line.get(common..).unwrap_or_default())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
# Page

```yaml
spec:
  suspend: true
```

```console
apiVersion: no
```

1. In a list:

   ```YAML title=\"a\"
   # refused: must be five fields
   apiVersion: antfly.io/v1
   kind: AntflyBackup
   ```

> ~~~yml
> # kustomization.yaml
> resources: []
> ~~~

```yaml
a: 1
```

```yaml
# nothing
```
";

    #[test]
    fn blocks_are_found_and_say_what_they_are() {
        let blocks = blocks(PAGE).unwrap();
        let lines: Vec<_> = blocks.iter().map(|block| (block.line, block.first_line())).collect();
        assert_eq!(
            lines,
            [
                (4, "spec:"),
                (15, "# refused: must be five fields"),
                (21, "# kustomization.yaml"),
                (26, "a: 1"),
                (30, "# nothing")
            ]
        );
        let Ok(Claim::Objects { objects, refusal: None }) = blocks[0].claim() else {
            panic!("{:?}", blocks[0].claim())
        };
        assert_eq!(
            (&objects[0]["spec"]["suspend"], &objects[0]["spec"]["schedule"]),
            (&json!(true), &json!("0 2 * * *"))
        );
        let whole = json!({"apiVersion": "antfly.io/v1", "kind": "AntflyBackup"});
        let refusal = Some("must be five fields".to_owned());
        assert_eq!(blocks[1].claim(), Ok(Claim::Objects { objects: vec![whole], refusal }));
        assert_eq!(blocks[2].claim(), Ok(Claim::Kustomization));
        assert!(blocks[3].claim().unwrap_err().starts_with("neither an object"));
        assert_eq!(blocks[4].claim(), Err("empty".to_owned()));
    }

    #[test]
    fn an_object_in_a_block_without_a_language_is_an_error() {
        assert_eq!(super::blocks("text\n\n```\napiVersion: v1\n```\n"), Err(3));
        assert_eq!(super::blocks("```\nplain\n```\n"), Ok(Vec::new()));
    }
}
