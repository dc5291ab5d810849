//! Plain data and its invariants; no I/O. What the store reads is the model itself: a second set of row structs would only drift.

mod account;
mod action;
mod alarm;
mod authority;
mod certificate;
mod cloud;
mod command;
mod inventory;
mod login;
mod mail;
mod name;
mod notifications;
mod onboarding;
mod organisation;
mod scope;
mod smtp;
pub mod world;

pub use account::{BackupResource, Profile};
pub use action::{Action, ActionKey, ActionStatus, NewAction};
pub use alarm::{AlarmStatus, AlarmTemplate, NewTemplate};
pub use certificate::HostCertificate;
pub use cloud::Sync;
pub use command::{Command, CommandEvent, CommandKind, CommandState, NewCommand, Outcome};
pub use inventory::{Agent, Door, JoinToken};
pub use login::{
    ApiKey, LoginKind, LoginScope, NewApiKey, NewToken, NewTotpLogin, Session, Token, TokenKind, TotpLogin,
};
pub use mail::{LeasedMail, MailKind, MailState, NewMail};
pub use name::{BadName, check_name};
pub use notifications::{
    NotificationAlarms, NotificationBilling, NotificationDiscovery, NotificationLicense, NotificationSettings,
};
pub use onboarding::{OnboardingFacts, Override, Step, StepState, steps};
pub use organisation::{
    Company, Installation, NewCompany, NewOrganization, NewReseller, NewUser, OrganizationKind, Reseller,
    User,
};
pub use scope::{Role, Scope, Tier};
pub use smtp::{
    BadSmtp, LONGEST_TIMEOUT, OAuth2ClientSettings, OAuth2Credential, OAuth2ServiceKind, PasswordCredential,
    Secret, ServerAddress, SmtpSecrets, SmtpSettings, TlsMode,
};
