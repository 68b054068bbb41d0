//! Secrets are never printed; names always are.

use crate::{
    login::{login, token},
    program::{Ended, Program, stand_in},
};
use antfly_stand_in::{Call, Fault, FaultRule, Profile, Refusal, Role, TableFault};
use base64::{Engine, engine::general_purpose::STANDARD};

const PASSWORD: &str = "pass/word+\"1\"&";
const STORAGE_SECRET: &str = "storage/secret+key==";

/// Returns the forms in which a server could quote the secrets.
fn forms() -> Vec<String> {
    let mut forms = Vec::new();
    for secret in [PASSWORD, STORAGE_SECRET, &token(), "user-of-url:pass-of-url", "pass-of-url"] {
        let percent: String = secret
            .bytes()
            .map(|byte| {
                let character = char::from(byte);
                if character.is_ascii_alphanumeric() { character.to_string() } else { format!("%{byte:02X}") }
            })
            .collect();
        let json = serde_json::to_string(secret).unwrap().trim_matches('"').to_owned();
        forms.extend([secret.to_owned(), percent, STANDARD.encode(secret), json]);
    }
    forms
}

fn program(servers: &[&str]) -> Program {
    Program::at(servers)
        .secret("keys")
        .variable("ANTFLY_TOKEN", &token())
        .variable("ANTFLY_USERNAME", "somebody")
        .variable("ANTFLY_PASSWORD", PASSWORD)
        .variable("AWS_ACCESS_KEY_ID", "an-access-key")
        .variable("AWS_SECRET_ACCESS_KEY", STORAGE_SECRET)
        .variable("AWS_REGION", "region-of-test")
        .variable("AWS_ENDPOINT_URL", "http://user-of-url:pass-of-url@127.0.0.1:1")
}

#[track_caller]
fn assert_silent(ended: &Ended) {
    for form in forms() {
        assert!(!ended.log.contains(&form) && !ended.message.contains(&form), "{form:?} in {ended:#?}");
    }
}

#[test]
fn secrets_that_a_server_quotes_are_masked() {
    let echo = forms().join(" then ");
    for profile in [Profile::June, Profile::Today] {
        let antfly = stand_in(profile, &["users"], |settings| settings.logins = vec![login(Role::Admin)]);
        for call in [Call::Tables, Call::Backup] {
            for status in [400, 401, 403, 409, 500] {
                let refusal = Refusal { retry_after: None, ..Refusal::text(status, format!("busy: {echo}")) };
                antfly.change(|settings| settings.faults = vec![FaultRule::every(call, Fault::Refuse(refusal))]);
                assert_silent(&program(&[&antfly.url()]).run());
            }
        }
        antfly.change(|settings| {
            settings.faults.clear();
            settings.table_faults.insert("users".into(), TableFault::failed(echo.clone()));
        });
        let ended = program(&[&antfly.url()]).of("other", "1", "2").run();
        assert_silent(&ended);
        assert_eq!(ended.result.failed_tables[0].name, "users");
        assert!(ended.result.failed_tables[0].error.contains("***"), "{ended:#?}");
    }
}

#[test]
fn secrets_of_the_environment_are_not_in_errors_of_the_storage() {
    let antfly = stand_in(Profile::Today, &["users"], |settings| settings.logins = vec![login(Role::Admin)]);
    let ended = program(&[&antfly.url()]).run();
    ended.assert_verified(&["users"]);
    assert!(ended.result.read_back_error.is_some(), "{ended:#?}");
    assert_silent(&ended);
}

#[test]
fn secrets_in_arguments_are_not_printed() {
    let ended = program(&["http://user-of-url:pass-of-url@127.0.0.1:1"]).run();
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    assert_silent(&ended);
}

#[test]
fn names_are_never_masked() {
    let antfly = stand_in(Profile::Today, &["users", "backups"], |_| {});
    let program = Program::new(&antfly).secret("keys");
    let program = program.variable("ANTFLY_USERNAME", "users").variable("ANTFLY_PASSWORD", "users");
    let ended = program.variable("AWS_SECRET_ACCESS_KEY", "backups").run();
    ended.assert_verified(&["backups", "users"]);
    assert!(!ended.message.contains("***"), "{ended:#?}");
    assert!(ended.log.contains("users: completed"), "{}", ended.log);
}
