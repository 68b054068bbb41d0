//! Which modules of a crate import which.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Attribute, File, Item, ItemMod, ItemUse, Macro, UseTree, VisRestricted,
    visit::{self, Visit},
};

/// A module by its path below the crate; the root has none.
pub type Module = Vec<String>;

/// The modules of a crate that are files, each with those that it names.
pub type Imports = BTreeMap<Module, BTreeSet<Module>>;

/// Reads the crate whose root is that file. What is for tests only is left out.
pub fn imports(root: &Path) -> Imports {
    let mut files = BTreeMap::new();
    read(root, root.parent().unwrap(), Vec::new(), &mut files);
    let modules: BTreeSet<Module> = files.keys().cloned().collect();
    files
        .into_iter()
        .map(|(module, file)| {
            let mut paths = Paths { modules: &modules, file: &module, inline: module.clone(), found: BTreeSet::new() };
            paths.visit_file(&file);
            let found = paths.found;
            (module, found)
        })
        .collect()
}

/// Reads a file and those of its child modules, which are in `directory`.
fn read(path: &Path, directory: &Path, module: Module, files: &mut BTreeMap<Module, File>) {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("read {}: {error}", path.display()));
    let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("read {} as Rust: {error}", path.display()));
    for item in &file.items {
        let Item::Mod(ItemMod { attrs, ident, content: None, .. }) = item else { continue };
        if is_for_tests(attrs) {
            continue;
        }
        let name = ident.to_string();
        let below = directory.join(&name);
        let candidates: [PathBuf; 2] = [below.with_extension("rs"), below.join("mod.rs")];
        let path = candidates.iter().find(|path| path.exists()).unwrap_or_else(|| panic!("no file of {name}"));
        read(path, &below, [module.as_slice(), &[name]].concat(), files);
    }
    files.insert(module, file);
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test"))
    })
}

/// Collects the modules that a file names.
struct Paths<'a> {
    modules: &'a BTreeSet<Module>,
    /// The file's own module.
    file: &'a Module,
    /// The module that is visited: the file's own, or one that is written within it.
    inline: Module,
    found: BTreeSet<Module>,
}

impl Paths<'_> {
    /// Takes a path as written: a module and an item of it.
    fn note(&mut self, path: &[String]) {
        let mut from = self.inline.clone();
        let mut rest = path;
        let mut is_ours = false;
        while let Some((first, others)) = rest.split_first() {
            match first.as_str() {
                "crate" => from.clear(),
                "super" => drop(from.pop()),
                "self" => {}
                _ => break,
            }
            (rest, is_ours) = (others, true);
        }
        for name in rest {
            let below = [from.as_slice(), std::slice::from_ref(name)].concat();
            if !self.modules.contains(&below) {
                break;
            }
            (from, is_ours) = (below, true);
        }
        // Inline modules belong to their file.
        while !self.modules.contains(&from) {
            from.pop();
        }
        if is_ours && path.len() > 1 && from != *self.file {
            self.found.insert(from);
        }
    }

    fn note_use(&mut self, before: &[String], tree: &UseTree) {
        let with = |name: String| [before, &[name]].concat();
        match tree {
            UseTree::Path(path) => self.note_use(&with(path.ident.to_string()), &path.tree),
            UseTree::Name(name) if name.ident == "self" => self.note(before),
            UseTree::Name(name) => self.note(&with(name.ident.to_string())),
            UseTree::Rename(rename) => self.note(&with(rename.ident.to_string())),
            UseTree::Glob(_) => self.note(&with("*".to_owned())),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.note_use(before, tree)),
        }
    }

    /// Takes the paths in the arguments of a macro.
    fn note_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == ':' => {
                    colons += 1;
                    continue;
                }
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.note(&std::mem::take(&mut path));
                    }
                    path.push(ident.to_string());
                }
                TokenTree::Group(group) => self.note_tokens(group.stream()),
                _ => self.note(&std::mem::take(&mut path)),
            }
            colons = 0;
        }
        self.note(&path);
    }
}

impl<'ast> Visit<'ast> for Paths<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Mod(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !is_for_tests(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if module.content.is_some() {
            self.inline.push(module.ident.to_string());
            visit::visit_item_mod(self, module);
            self.inline.pop();
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if item.leading_colon.is_none() {
            self.note_use(&[], &item.tree);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            self.note(&path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.note_tokens(call.tokens.clone());
        visit::visit_macro(self, call);
    }

    /// `pub(super)` and `pub(in path)` import nothing.
    fn visit_vis_restricted(&mut self, _: &'ast VisRestricted) {}
}
