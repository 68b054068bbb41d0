//! What is taken from Kubernetes' OpenAPI, and what is refused of the file that says so.
#![allow(clippy::unwrap_used, reason = "a test, helpers included")]

use api_generator::with_kubernetes_shapes;

const SCHEMA: &str = include_str!("../../../schema/antflybackup.yaml");
const SHAPES: &str = include_str!("../../../schema/kubernetes/shapes.yaml");
const OPENAPI: &str = include_str!("../../../schema/kubernetes/openapi.json");

/// Returns the schema with other shapes.
fn with(edit: impl FnOnce(String) -> String) -> Result<String, String> {
    with_kubernetes_shapes(SCHEMA, &edit(SHAPES.to_owned()), OPENAPI).map_err(|problems| problems.to_string())
}

#[test]
fn the_schema_has_the_shapes_and_a_change_by_hand_is_undone() {
    assert_eq!(with(|shapes| shapes).unwrap(), SCHEMA);
    let typed = SCHEMA.replace("title: \"io.k8s.api.core.v1.Toleration\"", "title: Toleration");
    assert_ne!(typed, SCHEMA);
    assert_eq!(with_kubernetes_shapes(&typed, SHAPES, OPENAPI).unwrap(), SCHEMA);
}

#[test]
fn a_new_field_of_kubernetes_is_taken_and_one_that_is_gone_is_told() {
    let newer = OPENAPI.replace("\"tolerationSeconds\": {", "\"patience\": {");
    let schema = with_kubernetes_shapes(SCHEMA, SHAPES, &newer).unwrap();
    assert!(schema.contains(" patience:\n") && !schema.contains(" tolerationSeconds:\n"));
    let without = OPENAPI.replace("\"claims\": {", "\"demands\": {");
    let problems = with_kubernetes_shapes(SCHEMA, SHAPES, &without).unwrap_err().to_string();
    assert!(problems.contains("resources: leaves out claims, which Kubernetes has not"), "{problems}");
}

#[test]
fn what_is_kubernetes_to_say_is_refused() {
    for (old, new, problem) in [
        (
            "PodSpec.tolerations",
            "PodSpec.patience",
            "tolerations: Kubernetes' OpenAPI has no io.k8s.api.core.v1.PodSpec.patience",
        ),
        (
            "    maxItems: 16\n    items:\n      x-",
            "    maxItems: 16\n    type: object\n    items:\n      x-",
            "adds type, which is Kubernetes' to say",
        ),
        ("        effect:\n", "        effects:\n", "adds to effects, which Kubernetes has not or the API leaves out"),
        ("leaveOut:\n    claims:", "leave:\n    claims:", "the shapes are not as expected"),
    ] {
        let edited = SHAPES.replace(old, new);
        assert_ne!(edited, SHAPES, "{old}");
        let problems = with(|_| edited).unwrap_err();
        assert!(problems.contains(problem), "{old}: {problems}");
    }
    let problems = with_kubernetes_shapes("spec: {}", SHAPES, OPENAPI).unwrap_err().to_string();
    assert!(problems.contains("the schema has no line"), "{problems}");
}
