//! Where commands print to and read from: this process's standard streams, or those of a command that another process
//! handed over.

use std::cell::RefCell;
use std::io::Write as _;

use anyhow::Context as _;

tokio::task_local! {
    static STREAMS: RefCell<Streams>;
}

/// Of a command that was handed over.
#[derive(Debug)]
struct Streams {
    input: String,
    output: String,
}

/// Runs `work` with `input` to read from; what it printed.
pub(super) async fn captured<T>(input: String, work: impl Future<Output = T>) -> (T, String) {
    let streams = RefCell::new(Streams { input, output: String::new() });
    let whole = async {
        let outcome = work.await;
        (outcome, STREAMS.with(|streams| std::mem::take(&mut streams.borrow_mut().output)))
    };
    STREAMS.scope(streams, whole).await
}

/// One line on standard output, which scripts read; a reader that has gone is no fault.
pub(super) fn say(line: &str) -> anyhow::Result<()> {
    let captured = STREAMS.try_with(|streams| {
        let mut streams = streams.borrow_mut();
        streams.output.push_str(line);
        streams.output.push('\n');
    });
    if captured.is_ok() { Ok(()) } else { print(&format!("{line}\n")) }
}

/// Text on this process's standard output, as it is.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to standard output"),
    }
}

/// One line of standard input, without its end. A flag that has a command read it ends in `-stdin`, and a command that always reads
/// it says so in `reads_input`: only then is it handed over to a running host.
pub(super) fn hear() -> anyhow::Result<String> {
    let handed_over = STREAMS.try_with(|streams| {
        let mut streams = streams.borrow_mut();
        let rest = std::mem::take(&mut streams.input);
        let (line, rest) = rest.split_once('\n').unwrap_or((&rest, ""));
        rest.clone_into(&mut streams.input);
        line.to_owned()
    });
    let line = if let Ok(line) = handed_over {
        line
    } else {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).context("cannot read standard input")?;
        line
    };
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// All of standard input that is left.
pub(super) fn hear_all() -> anyhow::Result<String> {
    use std::io::Read as _;
    let handed_over = STREAMS.try_with(|streams| std::mem::take(&mut streams.borrow_mut().input));
    if let Ok(text) = handed_over {
        return Ok(text);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_command_reads_and_prints_is_the_callers() {
        let work = async {
            let (one, two, none) = (hear().unwrap(), hear().unwrap(), hear().unwrap());
            say(&format!("{one}{two}{none}")).unwrap();
            say("end").unwrap();
        };
        assert_eq!(captured("a\r\nb".to_owned(), work).await.1, "ab\nend\n");
    }
}
