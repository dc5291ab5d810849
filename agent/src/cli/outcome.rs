//! From a result to what the caller sees: one line for a person, one for a program where there is one, an exit code.

use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::agent::AgentError;
use crate::config::{ConfigError, FileError};
use crate::enroll::EnrollError;
use crate::error::chain;
use crate::tls::DialError;
use crate::token::TokenError;

/// For `--help`.
pub(super) const EXIT_CODES: &str = "Exit codes:
  0  done, or stopped as asked
  1  any other failure
  2  wrong use of the command line, or a join token that cannot be read
  3  the certificate seen is not the host's: a firewall with TLS inspection probably sits between
     (one line of JSON on standard error says who signed it)
  4  the host refused: the join token is unknown, expired or used up
  5  the host could not be reached or did not answer
  6  the data folder holds no agent, already holds one, or is in use by another
  7  the host has removed this agent
  8  what answers speaks no TLS 1.3 with HTTP/2: a proxy sits between, or it is another port
     (one line of JSON on standard error)";

/// Prints an error once, with everything that caused it, and chooses the exit code.
pub(super) fn report(outcome: anyhow::Result<()>) -> ExitCode {
    let Err(error) = outcome else { return ExitCode::SUCCESS };
    // Standard error may be closed; the exit code still tells.
    writeln!(io::stderr(), "{}", lines(&error)).ok();
    ExitCode::from(code(&error))
}

fn lines(error: &anyhow::Error) -> String {
    let person = format!("keelson-agent: {}", chain(error.as_ref()));
    let dial: Option<&DialError> = error.chain().find_map(|cause| cause.downcast_ref());
    match dial.and_then(DialError::event) {
        Some(event) => format!("{person}\n{event}"),
        None => person,
    }
}

fn code(error: &anyhow::Error) -> u8 {
    error.chain().find_map(code_of).unwrap_or(1)
}

fn code_of(cause: &(dyn Error + 'static)) -> Option<u8> {
    if let Some(dial) = cause.downcast_ref::<DialError>() {
        return Some(match dial {
            DialError::PinMismatch { .. } => 3,
            DialError::Protocol { .. } => 8,
            _ => 5,
        });
    }
    if let Some(enroll) = cause.downcast_ref::<EnrollError>() {
        return match enroll {
            EnrollError::Refused(_) => Some(4),
            EnrollError::Failed(_) | EnrollError::Timeout(_) => Some(5),
            EnrollError::AlreadyEnrolled(_) => Some(6),
            _ => None,
        };
    }
    if matches!(cause.downcast_ref(), Some(AgentError::Removed)) {
        return Some(7);
    }
    let folder = matches!(cause.downcast_ref(), Some(ConfigError::NotEnrolled(_)))
        || matches!(cause.downcast_ref(), Some(FileError::InUse(_)));
    folder.then_some(6).or_else(|| cause.is::<TokenError>().then_some(2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::IdentityError;
    use crate::session::SessionError;
    use crate::testing::pin_mismatch;
    use crate::token::JoinToken;

    fn code(error: impl Error + Send + Sync + 'static) -> u8 {
        super::code(&anyhow::Error::new(error).context("while something was done"))
    }

    #[test]
    fn every_outcome_has_the_exit_code_that_help_documents() {
        let dial = || DialError::NoAddress;
        assert_eq!(code(EnrollError::Dial(pin_mismatch())), 3);
        assert_eq!(code(AgentError::Session(SessionError::Dial(pin_mismatch()))), 3);
        let protocol = DialError::Protocol { address: "h:1".parse().unwrap(), source: None };
        assert_eq!(code(EnrollError::Dial(protocol)), 8);
        assert_eq!(code(EnrollError::Dial(dial())), 5);
        assert_eq!(code(EnrollError::Failed(String::new())), 5);
        assert_eq!(code(EnrollError::Refused(String::new())), 4);
        assert_eq!(code(EnrollError::AlreadyEnrolled("d".into())), 6);
        let nobody = || ConfigError::NotEnrolled("d".into());
        assert_eq!(code(AgentError::Config(nobody())), 6);
        assert_eq!(code(AgentError::Identity(IdentityError::NotEnrolled(nobody()))), 6);
        assert_eq!(code(AgentError::Folder(FileError::InUse("d".into()))), 6);
        assert_eq!(code(JoinToken::parse("nonsense").unwrap_err()), 2);
        assert_eq!(code(AgentError::Identity(IdentityError::Pair)), 1);
        assert_eq!(code(AgentError::Removed), 7);
    }

    #[test]
    fn a_pin_mismatch_is_told_to_a_person_and_to_a_program() {
        let text = lines(&anyhow::Error::new(EnrollError::Dial(pin_mismatch())));
        let (person, program) = text.split_once('\n').unwrap();
        assert!(person.starts_with("keelson-agent: cannot reach the host: certificate for"), "{person}");
        let program: serde_json::Value = serde_json::from_str(program).unwrap();
        assert_eq!(program["event"], "tls-pin-mismatch");
        assert_eq!(program["address"], "console.example:6180");
        assert_eq!(program["advice"], "exempt console.example:6180 from inspection");
    }
}
