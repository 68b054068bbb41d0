//! Circles among the imports of a crate.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::imports::{Imports, Module};

/// The imports among the modules of a folder and its own file.
type Graph = BTreeMap<Module, BTreeSet<Module>>;

/// Returns one circle for each folder that has any, as `a → b → a`.
pub fn circles(imports: &Imports) -> Vec<String> {
    let folders: BTreeSet<&[String]> = imports.keys().filter_map(|module| Some(module.split_last()?.1)).collect();
    let shortest = folders.into_iter().filter_map(|folder| {
        let graph = graph(folder, imports);
        let circle = graph.keys().filter_map(|start| circle_from(start, &graph)).min_by_key(Vec::len)?;
        Some(circle.iter().map(|module| named(module, folder)).collect::<Vec<_>>().join(" → "))
    });
    shortest.collect()
}

fn graph(folder: &[String], imports: &Imports) -> Graph {
    let mut graph = Graph::new();
    let within = |module: &Module| {
        module.starts_with(folder).then(|| module.iter().take(folder.len() + 1).cloned().collect::<Module>())
    };
    for (from, targets) in imports {
        let Some(from) = within(from) else { continue };
        let targets = targets.iter().filter_map(within).filter(|to| *to != from);
        graph.entry(from.clone()).or_default().extend(targets);
    }
    graph
}

/// Returns the shortest way from a module back to itself.
fn circle_from(start: &Module, graph: &Graph) -> Option<Vec<Module>> {
    let mut ways = VecDeque::from([vec![start.clone()]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        for next in graph.get(way.last()?).into_iter().flatten() {
            let longer = [way.as_slice(), std::slice::from_ref(next)].concat();
            if next == start {
                return Some(longer);
            }
            if seen.insert(next) {
                ways.push_back(longer);
            }
        }
    }
    None
}

fn named(module: &Module, folder: &[String]) -> String {
    let name = if module.is_empty() { "the root".to_owned() } else { module.join("::") };
    if module == folder { format!("{name} (its own file)") } else { name }
}
