//! The commands of a page: blocks of `console`, and commands in the text.

use regex::Regex;
use std::sync::LazyLock;

/// What a command in the text begins with. A command of two words, such as `kubectl apply`, is only a name.
static COMMAND: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"`((?:kubectl|antfly-backup-operator|cargo|helm|docker|kind|export) [^` ]+ [^`]+)`").unwrap()
});

/// Commands of a page that belong together: a block, or a command in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// The last heading before it.
    pub heading: String,
    /// Line of the page, from 1, at which it begins; for a command in the text, at which its paragraph begins.
    pub line: usize,
    /// The commands, in their order.
    pub commands: Vec<String>,
}

/// Returns the recipes of a page, in their order.
pub fn recipes(page: &str) -> Vec<Recipe> {
    let mut reader = Reader::default();
    for (index, line) in page.lines().enumerate() {
        reader.read(index + 1, line);
    }
    reader.end_paragraph();
    reader.recipes
}

#[derive(Default)]
struct Reader {
    recipes: Vec<Recipe>,
    heading: String,
    paragraph: String,
    paragraph_line: usize,
    /// The language of the block that is being read.
    language: Option<String>,
    block: Vec<String>,
    block_line: usize,
}

impl Reader {
    fn read(&mut self, number: usize, line: &str) {
        match (line.trim_start().strip_prefix("```"), self.language.take()) {
            (Some(_), Some(language)) => self.end_block(&language),
            (Some(language), None) => {
                self.end_paragraph();
                self.language = Some(language.to_owned());
                self.block_line = number + 1;
            }
            (None, Some(language)) => {
                self.block.push(line.to_owned());
                self.language = Some(language);
            }
            (None, None) if line.starts_with('#') => {
                self.end_paragraph();
                self.heading = line.trim_start_matches('#').trim().to_owned();
            }
            (None, None) if line.trim().is_empty() => self.end_paragraph(),
            (None, None) => {
                if self.paragraph.is_empty() {
                    self.paragraph_line = number;
                }
                self.paragraph += line.trim();
                self.paragraph.push(' ');
            }
        }
    }

    fn end_block(&mut self, language: &str) {
        let lines = std::mem::take(&mut self.block);
        if language == "console" {
            let (heading, line) = (self.heading.clone(), self.block_line);
            self.recipes.push(Recipe { heading, line, commands: commands(&lines) });
        }
    }

    fn end_paragraph(&mut self) {
        let paragraph = std::mem::take(&mut self.paragraph);
        for found in COMMAND.captures_iter(&paragraph) {
            let (heading, line) = (self.heading.clone(), self.paragraph_line);
            self.recipes.push(Recipe { heading, line, commands: vec![found[1].to_owned()] });
        }
    }
}

/// Returns the commands of a block: the lines after `$`, or all lines where none begins with it. A backslash continues a line.
fn commands(lines: &[String]) -> Vec<String> {
    let has_prompt = lines.iter().any(|line| line.starts_with("$ "));
    let mut commands = Vec::new();
    let mut is_continued = false;
    for line in lines {
        let typed = if has_prompt { line.strip_prefix("$ ") } else { Some(line.as_str()) };
        match (is_continued, typed) {
            (true, _) => {
                let command: &mut String = commands.last_mut().expect("it is continued");
                command.push('\n');
                command.push_str(line);
            }
            (false, Some(typed)) if !typed.trim().is_empty() => commands.push(typed.to_owned()),
            (false, _) => continue,
        }
        is_continued = line.ends_with('\\');
    }
    commands
}

#[test]
fn commands_are_found_in_blocks_and_in_the_text() {
    let page = "\
# Page

`kubectl apply` is a name, and `kubectl get pods -n
production` is a command.

## Blocks

```yaml
kubectl: no
```

```console
one # a comment
two \\
  -n production

three
```

```console
$ kubectl get pods
NAME
pod
$ four \\
  more
```
";
    let recipe = |heading: &str, line, commands: &[&str]| Recipe {
        heading: heading.to_owned(),
        line,
        commands: commands.iter().map(|&command| command.to_owned()).collect(),
    };
    assert_eq!(
        recipes(page),
        [
            recipe("Page", 3, &["kubectl get pods -n production"]),
            recipe("Blocks", 13, &["one # a comment", "two \\\n  -n production", "three"]),
            recipe("Blocks", 21, &["kubectl get pods", "four \\\n  more"]),
        ]
    );
}
