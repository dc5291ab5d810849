//! What an agent tells the host about the machine it runs on.

use std::fs;

use keelson_proto::v1::Computer;

/// Describes this machine. What cannot be found out is left empty: the host shows it as not known.
pub(crate) fn this_machine() -> Computer {
    Computer {
        host_name: host_name(),
        machine_id: first_line(&["/etc/machine-id", "/var/lib/dbus/machine-id"]).unwrap_or_default(),
        platform: platform(std::env::consts::OS).to_owned(),
        os_version: os_version().unwrap_or_default(),
    }
}

fn host_name() -> String {
    first_line(&["/proc/sys/kernel/hostname", "/etc/hostname"])
        .or_else(|| std::env::var("HOSTNAME").or_else(|_| std::env::var("COMPUTERNAME")).ok())
        .unwrap_or_else(|| "unknown".to_owned())
}

fn first_line(files: &[&str]) -> Option<String> {
    files.iter().find_map(|file| {
        let text = fs::read_to_string(file).ok()?;
        let line = text.lines().next()?.trim();
        (!line.is_empty()).then(|| line.to_owned())
    })
}

fn platform(os: &str) -> &str {
    match os {
        "linux" => "Linux",
        "windows" => "Windows",
        "macos" => "Mac",
        other => other,
    }
}

fn os_version() -> Option<String> {
    let text = fs::read_to_string("/etc/os-release").ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(value.trim_matches(['"', '\'']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_a_name_and_a_platform() {
        let computer = this_machine();
        assert!(!computer.host_name.is_empty());
        assert_eq!(computer.platform, platform(std::env::consts::OS));
    }
}
