//! The words of the host's mails. A mail is a list of blocks; both forms, plain text and HTML, are made from the same blocks, so
//! that they say the same, and everything is escaped in one place.

use std::fmt::Write;

/// A mail's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// HTML.
    pub html: String,
}

/// What a new company is told.
#[derive(Debug, Clone, Copy)]
pub struct Welcome<'a> {
    /// Its name.
    pub company: &'a str,
    /// Who writes: the provider's or the reseller's name.
    pub manager: &'a str,
    /// The owner's user name.
    pub user_name: &'a str,
    /// The password, if whoever sends this wants it in the mail.
    pub password: Option<&'a str>,
    /// Where to sign in.
    pub portal: &'a str,
    /// How to connect backup servers.
    pub enrolment: Option<Enrolment<'a>>,
}

/// How to connect a backup server.
#[derive(Debug, Clone, Copy)]
pub struct Enrolment<'a> {
    /// A join token.
    pub token: &'a str,
    /// How long it is good for.
    pub days: i64,
}

impl Welcome<'_> {
    /// The mail.
    pub fn words(&self) -> Words {
        let mut page = Page::new(format!("Welcome to the backup portal of {}", self.manager));
        page.say(format!("Hello {},", self.company));
        page.say(format!(
            "{} has opened an account for you. In the portal you see your backup servers, your jobs and your alarms.",
            self.manager
        ));
        page.fact("Portal", self.portal);
        page.fact("User name", self.user_name);
        match self.password {
            Some(password) => {
                page.fact("Password", password);
                page.say(
                    "Please change the password after you have signed in for the first time.".to_owned(),
                );
            }
            None => page.say("You get the password in another way.".to_owned()),
        }
        page.link("Open the portal", self.portal);
        if let Some(enrolment) = self.enrolment {
            page.say(format!(
                "To connect a backup server, save the token below in a file named token on it and run these commands within {} days, \
                 with your repository and the file with its password. The token is as good as a key: do not pass it on.",
                enrolment.days
            ));
            page.code(enrolment.token);
            page.code(
                "keelson-agent enroll --data /var/lib/keelson-agent --token-file token --driver restic \
                 --restic-repo REPOSITORY --restic-password-file FILE",
            );
            page.code("keelson-agent run --data /var/lib/keelson-agent");
        }
        page.done()
    }
}

/// What somebody is told who forgot the password.
#[derive(Debug, Clone, Copy)]
pub struct PasswordReset<'a> {
    /// Whose password.
    pub user_name: &'a str,
    /// Where to enter a new one; as good as the password.
    pub link: &'a str,
    /// How long it is good for.
    pub minutes: i64,
}

impl PasswordReset<'_> {
    /// The mail.
    pub fn words(&self) -> Words {
        let mut page = Page::new("Reset your password".to_owned());
        page.say(format!(
            "Somebody, probably you, asked for a new password for the user {}.",
            self.user_name
        ));
        page.link("Choose a new password", self.link);
        page.say(format!(
            "The link is good for {} minutes and for one use. If it was not you who asked, do nothing: your password stays as it is.",
            self.minutes
        ));
        page.done()
    }
}

/// The mail that shows that mail works.
pub fn test(organization: &str, server: &str) -> Words {
    let mut page = Page::new("Test message".to_owned());
    page.say(format!("The notification settings of {organization} work: this mail came through {server}."));
    page.done()
}

enum Block {
    Paragraph(String),
    Fact(String, String),
    Link(String, String),
    Code(String),
}

struct Page {
    title: String,
    blocks: Vec<Block>,
}

impl Page {
    fn new(title: String) -> Self {
        Self { title, blocks: Vec::new() }
    }

    fn say(&mut self, text: String) {
        self.blocks.push(Block::Paragraph(text));
    }

    fn fact(&mut self, label: &str, value: &str) {
        self.blocks.push(Block::Fact(label.to_owned(), value.to_owned()));
    }

    fn link(&mut self, label: &str, to: &str) {
        self.blocks.push(Block::Link(label.to_owned(), to.to_owned()));
    }

    fn code(&mut self, text: &str) {
        self.blocks.push(Block::Code(text.to_owned()));
    }

    fn done(self) -> Words {
        Words { text: self.text(), html: self.html(), subject: self.title }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for block in &self.blocks {
            let written = match block {
                Block::Paragraph(words) => writeln!(text, "{words}\n"),
                Block::Fact(label, value) => writeln!(text, "{label}: {value}\n"),
                Block::Link(label, to) => writeln!(text, "{label}:\n{to}\n"),
                Block::Code(code) => writeln!(text, "    {code}\n"),
            };
            debug_assert!(written.is_ok(), "writing into a text cannot fail");
        }
        text
    }

    fn html(&self) -> String {
        let mut html = format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0}</title></head>\
             <body style=\"font-family:sans-serif;max-width:40em\"><h1 style=\"font-size:1.3em\">{0}</h1>\n",
            escaped(&self.title)
        );
        for block in &self.blocks {
            let written = match block {
                Block::Paragraph(words) => writeln!(html, "<p>{}</p>", escaped(words)),
                Block::Fact(label, value) => {
                    writeln!(html, "<p><strong>{}:</strong> {}</p>", escaped(label), escaped(value))
                }
                Block::Link(label, to) => {
                    writeln!(html, "<p><a href=\"{}\">{}</a></p>", escaped(web(to)), escaped(label))
                }
                Block::Code(code) => {
                    writeln!(html, "<pre style=\"white-space:pre-wrap\">{}</pre>", escaped(code))
                }
            };
            debug_assert!(written.is_ok(), "writing into a text cannot fail");
        }
        html.push_str("</body></html>\n");
        html
    }
}

/// A link that leads to a page; anything else (a script, say) leads nowhere.
fn web(to: &str) -> &str {
    let page = ["https://", "http://"].iter().any(|scheme| to.starts_with(scheme));
    if page { to } else { "#" }
}

/// Text as HTML, within elements and attributes.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "<script>alert('x')</script>\"&";

    #[test]
    fn a_name_cannot_bring_markup_of_its_own() {
        let words = Welcome {
            company: HOSTILE,
            manager: HOSTILE,
            user_name: HOSTILE,
            password: Some(HOSTILE),
            portal: HOSTILE,
            enrolment: Some(Enrolment { token: HOSTILE, days: 2 }),
        }
        .words();
        assert!(!words.html.contains("<script"), "{}", words.html);
        assert!(words.html.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;"));
        assert!(words.html.contains("href=\"#\""), "{}", words.html);
        assert!(words.text.contains(HOSTILE), "plain text says it as it is");
    }

    #[test]
    fn both_forms_say_the_same() {
        let link = "https://console.example/reset?a=1&b=2";
        let words = PasswordReset { user_name: "ann", link, minutes: 30 }.words();
        assert!(words.text.contains(link) && words.text.contains("ann") && words.text.contains("30 minutes"));
        assert!(words.html.contains("href=\"https://console.example/reset?a=1&amp;b=2\""), "{}", words.html);
        assert!(words.html.contains("ann") && words.html.contains("30 minutes"));
    }

    #[test]
    fn a_welcome_without_a_password_mentions_none() {
        let words = Welcome {
            company: "Bakery",
            manager: "Provider",
            user_name: "ann",
            password: None,
            portal: "https://console.example",
            enrolment: None,
        }
        .words();
        assert!(!words.text.contains("Password:") && !words.text.contains("token"));
    }
}
