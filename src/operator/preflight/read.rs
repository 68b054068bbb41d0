//! What `preflight` reads. An access review is a question, too, though the API calls it a create.

use super::{
    judge::{Read, Right, Seen},
    options::PreflightOptions,
};
use crate::{
    api::RESOURCE,
    cluster::{stored::StoredBackup, views::CronJobView},
};
use anyhow::Context as _;
use k8s_openapi::{
    api::{
        admissionregistration::v1::{
            ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding, ValidatingWebhookConfiguration,
        },
        authentication::v1::SelfSubjectReview,
        authorization::v1::{
            ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec, SubjectAccessReview,
            SubjectAccessReviewSpec,
        },
        coordination::v1::Lease,
    },
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{ListParams, PostParams},
    core::NamespaceResourceScope,
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt::Debug;

/// The rules as they are deployed.
const RULES: &str = include_str!("../../../deploy/base/rbac.yaml");

/// The rules for the Lease.
const RULES_OF_LEASE: &str = include_str!("../../../deploy/base/leader-election.yaml");

/// How many objects one page of a list has at most.
const PAGE: u32 = 500;

/// Reads all that the checks need.
///
/// # Errors
/// The API server cannot be reached.
pub async fn read(client: &Client, options: &PreflightOptions) -> anyhow::Result<Seen> {
    let version = client.apiserver_version().await.context("the API server does not say its version")?;
    let number = |text: &str| text.trim_end_matches(|it: char| !it.is_ascii_digit()).parse::<u32>().ok();
    let version = number(&version.major).zip(number(&version.minor));
    let account = format!("system:serviceaccount:{}:{}", options.namespace, options.service_account);
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    let definition = definitions.get_opt(RESOURCE).await.map_err(|error| why(&error));
    let leases: Api<Lease> = Api::namespaced(client.clone(), &options.namespace);
    Ok(Seen {
        version: version.ok_or_else(|| "it is no pair of numbers".to_owned()),
        definition: definition.map(|it| it.and_then(|it| serde_json::to_value(it).ok())),
        rights: rights(client, options, &account).await,
        account,
        lease: leases.get_opt(&options.lease).await.map_err(|error| why(&error)),
        cron_jobs: in_watched::<CronJobView>(client, options).await,
        backups: match in_watched::<StoredBackup>(client, options).await {
            // the line about the definition says so
            Err(error) if error.contains("404") => Ok(Vec::new()),
            other => other,
        },
        bindings: served(all(&Api::<ValidatingAdmissionPolicyBinding>::all(client.clone())).await),
        policies: served(all(&Api::<ValidatingAdmissionPolicy>::all(client.clone())).await)
            .map(|policies| policies.map(|policies| policies.iter().map(ResourceExt::name_any).collect())),
        webhooks: all(&Api::<ValidatingWebhookConfiguration>::all(client.clone())).await.map_err(|error| why(&error)),
    })
}

fn why(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => format!("{} {}", status.code, status.message),
        other => other.to_string(),
    }
}

/// Returns `None` for a kind that the API server does not know.
fn served<T>(listed: Result<T, kube::Error>) -> Read<Option<T>> {
    match listed {
        Ok(listed) => Ok(Some(listed)),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
        Err(error) => Err(why(&error)),
    }
}

/// Lists all objects of a kind, page by page.
async fn all<T: Clone + DeserializeOwned + Debug>(api: &Api<T>) -> Result<Vec<T>, kube::Error> {
    let (mut objects, mut parameters) = (Vec::new(), ListParams::default().limit(PAGE));
    loop {
        let page = api.list(&parameters).await?;
        objects.extend(page.items);
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => parameters = parameters.continue_token(&token),
            None => return Ok(objects),
        }
    }
}

async fn in_watched<T>(client: &Client, options: &PreflightOptions) -> Read<Vec<T>>
where
    T: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
{
    if options.watched.is_empty() {
        return all(&Api::all(client.clone())).await.map_err(|error| why(&error));
    }
    let mut objects = Vec::new();
    for namespace in &options.watched {
        objects.extend(all(&Api::namespaced(client.clone(), namespace)).await.map_err(|error| why(&error))?);
    }
    Ok(objects)
}

/// Returns the rights that the operator needs.
fn needed(options: &PreflightOptions) -> Vec<Right> {
    let watched: Vec<_> = match options.watched.as_slice() {
        [] => vec![None],
        some => some.iter().cloned().map(Some).collect(),
    };
    let of_lease = [Some(options.namespace.clone())];
    [(RULES, "ClusterRole", watched.as_slice()), (RULES_OF_LEASE, "Role", of_lease.as_slice())]
        .into_iter()
        .flat_map(|(manifest, kind, namespaces)| rights_in(manifest, kind, namespaces))
        .map(|right| match &right.name {
            Some(_) => Right { name: Some(options.lease.clone()), ..right },
            None => right,
        })
        .collect()
}

fn rights_in(manifest: &str, kind: &str, namespaces: &[Option<String>]) -> Vec<Right> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(manifest).expect("a test reads the same file");
    let roles = documents.iter().filter(|document| document["kind"] == kind);
    let strings = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(|it| it.as_str().map(str::to_owned)).collect()
    };
    let mut rights = Vec::new();
    for rule in roles.flat_map(|role| role["rules"].as_array().into_iter().flatten()) {
        let name = strings(&rule["resourceNames"]).into_iter().next();
        for group in strings(&rule["apiGroups"]) {
            for resource in strings(&rule["resources"]) {
                for verb in strings(&rule["verbs"]) {
                    rights.extend(namespaces.iter().map(|namespace| Right {
                        group: group.clone(),
                        resource: resource.clone(),
                        name: name.clone(),
                        namespace: namespace.clone(),
                        verb: verb.clone(),
                    }));
                }
            }
        }
    }
    rights
}

/// Asks the API server which rights the operator has: its own, if this is the operator.
async fn rights(client: &Client, options: &PreflightOptions, account: &str) -> Read<Vec<(Right, bool)>> {
    let now = PostParams::default();
    let who = Api::<SelfSubjectReview>::all(client.clone()).create(&now, &SelfSubjectReview::default()).await;
    let is_self = who.ok().and_then(|it| it.status?.user_info?.username).is_some_and(|name| name == account);
    let mut rights = Vec::new();
    for right in needed(options) {
        let (resource, subresource) = right.resource.split_once('/').unzip();
        let attributes = ResourceAttributes {
            group: Some(right.group.clone()),
            resource: Some(resource.unwrap_or(&right.resource).to_owned()),
            subresource: subresource.map(str::to_owned),
            name: right.name.clone(),
            namespace: right.namespace.clone(),
            verb: Some(right.verb.clone()),
            ..ResourceAttributes::default()
        };
        let status = if is_self {
            let spec = SelfSubjectAccessReviewSpec { resource_attributes: Some(attributes), ..Default::default() };
            let review = SelfSubjectAccessReview { spec, ..Default::default() };
            Api::all(client.clone()).create(&now, &review).await.map(|it: SelfSubjectAccessReview| it.status)
        } else {
            let groups = ["system:serviceaccounts", "system:authenticated"].map(str::to_owned).into_iter();
            let groups = groups.chain([format!("system:serviceaccounts:{}", options.namespace)]).collect();
            let spec = SubjectAccessReviewSpec {
                resource_attributes: Some(attributes),
                user: Some(account.to_owned()),
                groups: Some(groups),
                ..Default::default()
            };
            let review = SubjectAccessReview { spec, ..Default::default() };
            Api::all(client.clone()).create(&now, &review).await.map(|it: SubjectAccessReview| it.status)
        };
        let status = status.map_err(|error| why(&error))?;
        rights.push((right, status.is_some_and(|status| status.allowed)));
    }
    Ok(rights)
}
