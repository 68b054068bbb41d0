//! Finds the files that a command line names: files, folders, globs, and standard input.

use globset::{GlobBuilder, GlobMatcher};
use std::{
    collections::HashSet,
    fs,
    path::{Component, Path, PathBuf},
};
use walkdir::{DirEntry, WalkDir};

/// What the names of manifests end with.
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];

/// The argument for standard input, and its name in messages.
pub const STANDARD_INPUT: &str = "-";

/// The help of an argument that [`find`] takes.
pub const HELP: &str = "\
In a folder, all files below it that end with .yaml, .yml or .json; hidden folders are left out. In quotes, a glob such as \
'charts/**/backup*.yaml' is expanded by the command: * and ? stay within a folder, ** goes through folders. - is standard input.";

/// Where the text of a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Standard input.
    StandardInput,
    /// A file.
    File(PathBuf),
}

/// A file, or why none was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The file, as messages name it; the argument if there is none.
    pub name: String,
    /// Where it is, or why it is not.
    pub place: Result<Place, String>,
}

/// Returns the files that the arguments name, in their order and each once. Within a folder, they are in the order of their names.
pub fn find(arguments: &[String]) -> Vec<Found> {
    let mut finder = Finder::default();
    for argument in arguments {
        finder.argument(argument);
    }
    finder.found
}

#[derive(Default)]
struct Finder {
    found: Vec<Found>,
    /// Real paths of the files that were found; `-` is standard input.
    files: HashSet<PathBuf>,
}

impl Finder {
    fn argument(&mut self, argument: &str) {
        let path = Path::new(argument);
        if argument == STANDARD_INPUT {
            self.add(argument.to_owned(), PathBuf::from(argument), Place::StandardInput);
        } else if path.is_dir() {
            self.folder(argument, path, None);
        } else if argument.contains(['*', '?', '[', '{']) && fs::symlink_metadata(path).is_err() {
            self.glob(argument);
        } else {
            self.file(path);
        }
    }

    /// Adds the files that a glob matches.
    fn glob(&mut self, argument: &str) {
        match GlobBuilder::new(argument.trim_start_matches("./").trim_end_matches('/'))
            .literal_separator(true)
            .empty_alternates(true)
            .build()
        {
            Ok(glob) => self.folder(argument, &fixed_part(argument), Some(&glob.compile_matcher())),
            Err(error) => self.refuse(argument, format!("is no glob: {}", error.kind())),
        }
    }

    /// Adds the manifests below a folder; of a glob, those that match, and those below a folder that matches.
    fn folder(&mut self, argument: &str, folder: &Path, glob: Option<&GlobMatcher>) {
        let names_hidden = argument.split('/').any(|part| part.starts_with('.') && !part.trim_matches('.').is_empty());
        let mut folders = HashSet::new();
        // A folder is entered once, so that links never lead in circles.
        let is_entered = |entry: &DirEntry| {
            let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".") && !(glob.is_some() && names_hidden);
            match (entry.depth(), entry.file_type().is_dir()) {
                (0, _) => true,
                (_, true) => !is_hidden && fs::canonicalize(entry.path()).is_ok_and(|path| folders.insert(path)),
                (_, false) => !is_hidden,
            }
        };
        let mut is_empty = true;
        let mut errors = Vec::new();
        for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter().filter_entry(is_entered) {
            match entry {
                Ok(entry)
                    if entry.file_type().is_file() && is_manifest(entry.path()) && is_matched(glob, entry.path()) =>
                {
                    is_empty = false;
                    self.file(entry.path());
                }
                Ok(_) => {}
                Err(error) if error.loop_ancestor().is_some() => {}
                Err(error) => errors.push(error),
            }
        }
        for error in errors {
            let path = error.path().unwrap_or(folder);
            // A link to nothing that does not look like a manifest is none of ours.
            if path.is_dir() || glob.is_none() && is_manifest(path) {
                is_empty = false;
                let why = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
                self.refuse(&path.display().to_string(), format!("cannot be read: {why}"));
            }
        }
        if is_empty {
            let what = if glob.is_some() { "matches no manifest" } else { "has no manifest" };
            self.refuse(argument, format!("{what}: no file in it ends with .yaml, .yml or .json"));
        }
    }

    fn file(&mut self, path: &Path) {
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let name = path.strip_prefix(Component::CurDir).unwrap_or(path).display().to_string();
        self.add(name, real, Place::File(path.to_owned()));
    }

    fn add(&mut self, name: String, real: PathBuf, place: Place) {
        if self.files.insert(real) {
            self.found.push(Found { name, place: Ok(place) });
        }
    }

    fn refuse(&mut self, name: &str, why: String) {
        self.found.push(Found { name: name.to_owned(), place: Err(why) });
    }
}

fn is_manifest(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known))
}

/// Returns whether a glob matches the file or a folder that it is in.
fn is_matched(glob: Option<&GlobMatcher>, path: &Path) -> bool {
    let path = path.strip_prefix(Component::CurDir).unwrap_or(path);
    glob.is_none_or(|glob| path.ancestors().any(|path| glob.is_match(path)))
}

/// Returns the folder that all matches of a glob are in.
fn fixed_part(glob: &str) -> PathBuf {
    let parts = Path::new(glob).components();
    let is_fixed = |part: &Component<'_>| !part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{', '\\']);
    let fixed: PathBuf = parts.take_while(is_fixed).collect();
    if fixed.as_os_str().is_empty() { PathBuf::from(".") } else { fixed }
}
