//! The namespaces that the owner of an AntflyCluster lets back it up.

/// Longest list that is kept, in bytes. The names that follow are not read: `*` has room for any number of namespaces.
const LONGEST: usize = 8192;

/// Longest name of a namespace, in bytes.
const LONGEST_NAME: usize = 63;

/// The other namespaces whose AntflyBackups may use a cluster, by its annotation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Consent {
    /// Every one.
    All,
    /// Those whose names are listed, separated by commas.
    Namespaces(Box<str>),
    /// None.
    #[default]
    Nobody,
}

impl Consent {
    /// Reads the annotation: names of namespaces, separated by commas, or `*` alone. White space around a name is ignored, and
    /// so is all that cannot be the name of a namespace: there are no patterns.
    pub fn read(annotation: Option<&str>) -> Self {
        let text = annotation.unwrap_or_default();
        if text.trim() == "*" {
            return Consent::All;
        }
        let mut names = String::new();
        for name in text.split(',').map(str::trim).filter(|name| is_name(name)) {
            if names.len() + name.len() >= LONGEST {
                break;
            }
            if !names.is_empty() {
                names.push(',');
            }
            names.push_str(name);
        }
        if names.is_empty() { Consent::Nobody } else { Consent::Namespaces(names.into()) }
    }

    /// Returns whether a namespace is among them.
    pub fn includes(&self, namespace: &str) -> bool {
        match self {
            Consent::All => true,
            Consent::Namespaces(names) => names.split(',').any(|name| name == namespace),
            Consent::Nobody => false,
        }
    }
}

/// Returns whether a text may be the name of a namespace.
fn is_name(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lets(annotation: &str, namespace: &str) -> bool {
        Consent::read(Some(annotation)).includes(namespace)
    }

    #[test]
    fn a_namespace_is_let_by_its_whole_name_only() {
        for annotation in ["team-a", "team-a,team-b", " team-b ,, team-a\n", ",team-a,"] {
            assert!(lets(annotation, "team-a"), "{annotation:?}");
        }
        for annotation in [
            "",
            ",",
            " , ",
            "team",
            "team-",
            "team-ab",
            "a",
            "Team-A",
            "team-*",
            "*-a",
            "team-b",
            "team a",
            "team-a;team-b",
        ] {
            assert!(!lets(annotation, "team-a"), "{annotation:?}");
        }
        assert!(!lets("", "") && !lets("a,,b", ""));
        assert_eq!(Consent::read(None), Consent::Nobody);
    }

    #[test]
    fn a_star_lets_all_if_it_is_alone() {
        assert!(lets("*", "any") && lets(" * ", "any"));
        assert!(!lets("a,*", "any") && lets("a,*", "a") && !lets("**", "any"));
    }

    #[test]
    fn what_is_kept_of_an_annotation_is_bounded() {
        let name = "n".repeat(LONGEST_NAME);
        let long = format!("{},{}", "x".repeat(100_000), vec![name.as_str(); 4000].join(","));
        let Consent::Namespaces(kept) = Consent::read(Some(&long)) else { panic!() };
        assert!(kept.len() <= LONGEST && kept.len() > LONGEST - 2 * LONGEST_NAME, "{}", kept.len());
        assert!(lets(&long, &name));
    }

    proptest! {
        #[test]
        fn a_namespace_is_let_if_and_only_if_the_list_has_it(
            names in prop::collection::vec("[a-c-]{1,3}", 0..5), padding in "[ \t]{0,2}", namespace in "[a-c-]{1,3}",
        ) {
            let listed = names.join(&format!("{padding},{padding}"));
            prop_assert_eq!(lets(&listed, &namespace), names.contains(&namespace));
        }
    }
}
