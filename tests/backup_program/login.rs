//! Logging in to Antfly.

use crate::program::{Again, BOTH, Program, stand_in};
use antfly_stand_in::{Login, Profile, Role, StandIn};
use base64::{Engine, engine::general_purpose::STANDARD};

const NAME: &str = "key-1";
const SECRET: &str = "a secret/of+Antfly";

/// Returns a login for which [`token`] is valid.
pub fn login(role: Role) -> Login {
    Login { name: NAME.to_owned(), secret: SECRET.to_owned(), role }
}

/// Returns a valid token.
pub fn token() -> String {
    STANDARD.encode(format!("{NAME}:{SECRET}"))
}

fn guarded(profile: Profile) -> StandIn {
    stand_in(profile, &["users"], |settings| settings.logins = vec![login(Role::Admin)])
}

fn with_token(antfly: &StandIn, token: &str) -> Program {
    Program::new(antfly).secret("keys").variable("ANTFLY_TOKEN", token)
}

#[test]
fn a_token_or_user_and_password_log_in() {
    for profile in BOTH {
        let antfly = guarded(profile);
        with_token(&antfly, &token()).run().assert_verified(&["users"]);
        with_token(&antfly, &format!(" {}\n", token())).of("other", "1", "2").run().assert_verified(&["users"]);
        let program = Program::new(&antfly).secret("keys").of("third", "1", "2");
        let program = program.variable("ANTFLY_USERNAME", NAME).variable("ANTFLY_PASSWORD", &format!("{SECRET}\n"));
        program.run().assert_verified(&["users"]);
    }
}

#[test]
fn a_wrong_expired_or_missing_token_fails_for_good() {
    for profile in BOTH {
        let antfly = guarded(profile);
        let wrong = STANDARD.encode(format!("{NAME}:wrong"));
        let old = STANDARD.encode(format!("key-0:{SECRET}"));
        for refused in [wrong, old] {
            let ended = with_token(&antfly, &refused).run();
            ended.assert_failed("Unauthorized", Again::Useless);
            ended.assert_error_has("ANTFLY_TOKEN of Secret \"keys\"");
        }
        let ended = Program::new(&antfly).run();
        ended.assert_failed("Unauthorized", Again::Useless);
        ended.assert_error_has("wants a login");
        let program = Program::new(&antfly).secret("keys").variable("ANTFLY_USERNAME", NAME);
        let ended = program.variable("ANTFLY_PASSWORD", "wrong").run();
        ended.assert_failed("Unauthorized", Again::Useless);
        ended.assert_error_has("ANTFLY_PASSWORD");
    }
}

#[test]
fn a_token_that_expires_during_the_search_fails_for_good() {
    for profile in BOTH {
        let antfly = stand_in(profile, &["users"], |settings| settings.logins = vec![login(Role::Reader)]);
        let ended = with_token(&antfly, &token()).run();
        ended.assert_failed("Forbidden", Again::Useless);
        ended.assert_error_has("permission admin");
    }
}

#[test]
fn a_token_that_is_not_base64_is_named_in_the_error() {
    // June answers 500 without a body
    let ended = with_token(&guarded(Profile::June), "key-1:secret").run();
    ended.assert_failed("ServerError", Again::MayHelp);
    ended.assert_error_has("not base64: check key ANTFLY_TOKEN");
    let ended = with_token(&guarded(Profile::Today), "key-1:secret").run();
    ended.assert_failed("Unauthorized", Again::Useless);
    ended.assert_error_has("ANTFLY_TOKEN");
}

#[test]
fn a_token_with_white_space_inside_is_refused_before_anything_is_asked() {
    for profile in BOTH {
        let antfly = guarded(profile);
        let ended = with_token(&antfly, "a token").run();
        ended.assert_failed("InvalidCredentials", Again::Useless);
        ended.assert_error_has("ANTFLY_TOKEN of Secret \"keys\"");
        assert!(antfly.requests().is_empty());
    }
}

#[test]
fn a_secret_without_any_of_the_keys_fails_for_good() {
    let antfly = stand_in(Profile::Today, &["users"], |_| {});
    let ended = Program::new(&antfly).secret("keys").variable("ANTFLY_TOKEN", "").run();
    ended.assert_failed("InvalidCredentials", Again::Useless);
    for text in ["\"keys\"", "ANTFLY_TOKEN", "AWS_SECRET_ACCESS_KEY"] {
        ended.assert_error_has(text);
    }
    assert!(antfly.requests().is_empty());
}
