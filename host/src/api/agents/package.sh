#!/bin/sh
# Installs keelson-agent @VERSION@ and enrols this machine. Run again, it updates the program and the service and leaves an
# agent that is enrolled as it is.
#
# The join token inside is good until @EXPIRES@: keep this file as you keep a password.
#
#   sudo sh keelson-agent-linux.sh [OPTION…] [-- OPTION OF "keelson-agent enroll"…]
#
#   --program PATH   where the program goes        (/usr/local/bin/keelson-agent)
#   --data FOLDER    where its keys and data go    (/var/lib/keelson-agent)
#   --no-service     enrol only; do not make a systemd service
#   --root FOLDER    put everything below FOLDER, as for an image; nothing is started
#   --uninstall      remove service and program; keys and data stay
#   --purge          with --uninstall: remove keys and data too
#
# To uninstall, program and data are where the service says, if they are not named.
#
# What comes after "--" says what the agent drives, for example:
#   -- --driver restic --restic-repo /srv/backup --restic-password-file /etc/restic/password
# With --force among it, an agent that is enrolled here is replaced.
set -eu

TOKEN='@TOKEN@'
ARCHITECTURE='@ARCHITECTURE@'
SIZE='@SIZE@'
HASH='@HASH@'

program=
data=
unit=/etc/systemd/system/keelson-agent.service
root=
service=yes
uninstall=no
purge=no

fail() {
    echo "keelson-agent: $1" >&2
    exit 1
}

# A folder that others may look into; what is private is made under the umask below.
public() {
    (umask 022 && mkdir -p "$1")
}

absolute() {
    case "$1" in
    /*) echo "$1" ;;
    *) echo "$(pwd)/$1" ;;
    esac
}

# One path in the service's command, as systemd reads it: in quotes, or up to a space. What it would read in some other way is
# not guessed.
path() {
    case "$1" in
    \"*\"*) path=${1#?}; path=${path%%\"*} ;;
    \'*\'*) path=${1#?}; path=${path%%\'*} ;;
    *) path=${1%% *} ;;
    esac
    case "$path" in
    *[\\%\$\"\']*) ;;
    /*) printf '%s\n' "$path" ;;
    esac
}

# Fills in what the command line leaves open.
look_into_unit() {
    command=$(sed -n 's/^ExecStart=//p' "$root$unit" | head -n 1)
    [ -n "$program" ] || program=$(path "$command")
    case "$command" in
    *" --data "* | *" --data="*) [ -n "$data" ] || data=$(path "${command#* --data[ =]}") ;;
    esac
    if [ -z "$program" ] || [ -z "$data" ]; then
        fail "$root$unit does not say where the agent is; name it with --program PATH and --data FOLDER"
    fi
}

holds_agent() {
    [ -e "$1/agent.toml" ] || [ -e "$1/agent.key" ]
}

# Refuses before anything is changed, rather than to say "removed" of what was somewhere else.
check_uninstall() {
    if [ ! -e "$root$unit" ] && [ ! -e "$root$program" ] && ! holds_agent "$root$data"; then
        fail "there is no service, no $root$program, and no agent in $root$data; name them with --program PATH and --data FOLDER"
    fi
    if [ "$keep" = no ] && [ -e "$root$program" ]; then
        grep -q keelson-agent "$root$program" || fail "$root$program is not the agent's program; name that with --program PATH"
    fi
    [ "$purge" = yes ] || return 0
    [ ! -L "$root$data" ] || fail "$root$data is a link; name the folder itself with --data"
    holds_agent "$root$data" ||
        fail "$root$data holds no agent, nothing is removed; name its folder with --data FOLDER, or leave --purge out"
}

while [ $# -gt 0 ]; do
    case "$1" in
    --program) program=$(absolute "${2:?--program needs a path}"); shift 2 ;;
    --data) data=$(absolute "${2:?--data needs a folder}"); shift 2 ;;
    --root) root=$(absolute "${2:?--root needs a folder}"); shift 2 ;;
    --no-service) service=no; shift ;;
    --uninstall) uninstall=yes; shift ;;
    --purge) purge=yes; shift ;;
    --) shift; break ;;
    *) fail "unknown option $1; options of the agent come after --" ;;
    esac
done

[ "$(uname -s)" = Linux ] || fail "this package is for Linux"
[ "$purge" = no ] || [ "$uninstall" = yes ] || fail "--purge goes with --uninstall"

# Whether this machine's systemd is to be told.
live=no
if [ -z "$root" ] && [ "$service" = yes ] && [ -d /run/systemd/system ]; then
    live=yes
    [ "$(id -u)" = 0 ] || fail "run this as root, or with --no-service"
fi

keep=no
if [ "$uninstall" = yes ] && [ -e "$root$unit" ]; then
    # One that the administrator named goes; one that was here before the package does not.
    [ -n "$program" ] || ! grep -q '^# The program was here before' "$root$unit" || keep=yes
    look_into_unit
fi
program=${program:-/usr/local/bin/keelson-agent}
data=${data:-/var/lib/keelson-agent}

if [ "$uninstall" = yes ]; then
    check_uninstall
    if [ "$live" = yes ] && [ -e "$unit" ]; then
        systemctl disable --now keelson-agent.service
    fi
    rm -f "$root$unit"
    [ "$keep" = yes ] || rm -f "$root$program"
    [ "$live" = no ] || systemctl daemon-reload
    if [ "$purge" = yes ]; then
        rm -rf "$root$data"
        echo "removed, with keys and data in $root$data; remove the agent in the console too"
    elif holds_agent "$root$data"; then
        # The service that said where they are is gone.
        echo "removed; keys and data stay in $root$data (--uninstall --purge --data '$data' removes them)"
    else
        echo "removed; there are no keys and data in $root$data"
    fi
    exit 0
fi

# Paths stand in the service's file, where systemd reads some signs its own way.
case "$program$data" in
*[!A-Za-z0-9._/+,=@-]*) [ "$service" = no ] || fail "use paths of letters, digits and ._/+,=@- for a service" ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 077
origin="goes with the service"

# Nothing of the program runs, and nothing is changed, before it is known to be whole.
if [ "$SIZE" -gt 0 ]; then
    [ "$(uname -m)" = "$ARCHITECTURE" ] ||
        fail "the program inside is for $ARCHITECTURE, this machine is $(uname -m); ask for a package from a host of its kind"
    command -v sha256sum > /dev/null || fail "sha256sum is missing, and nothing is installed unchecked; install coreutils"
    tail -c "$SIZE" "$0" > "$work/keelson-agent"
    echo "$HASH  $work/keelson-agent" | sha256sum -c - > /dev/null 2>&1 ||
        fail "this file was changed or cut on its way; download it again"
    if ! cmp -s "$work/keelson-agent" "$root$program"; then
        public "$(dirname "$root$program")"
        install -m 0755 "$work/keelson-agent" "$root$program.new"
        mv -f "$root$program.new" "$root$program"
    fi
elif [ ! -x "$root$program" ]; then
    missing="this package brings no program; put keelson-agent to $root$program (or name it with --program) and run this again"
    [ -z "$root" ] || fail "$missing"
    program=$(command -v keelson-agent) || fail "$missing"
    origin="was here before: --uninstall leaves it"
fi

force=no
for word in "$@"; do
    [ "$word" != --force ] || force=yes
done
if [ -e "$root$data/agent.pem" ] && [ "$force" = no ]; then
    [ $# = 0 ] || echo "already enrolled: what comes after -- is not used (add --force there to enrol anew)"
    outcome=updated
else
    # A folder serves one process at a time.
    stopped=no
    if [ "$live" = yes ] && systemctl is-active --quiet keelson-agent.service; then
        systemctl stop keelson-agent.service
        stopped=yes
    fi
    public "$(dirname "$root$data")"
    mkdir -p "$root$data"
    printf '%s\n' "$TOKEN" > "$work/token"
    if ! "$root$program" enroll --data "$root$data" --token-file "$work/token" "$@"; then
        [ "$stopped" = no ] || systemctl start keelson-agent.service
        fail "the machine is not enrolled; if the token is over, ask the provider to accept it among its unverified agents, then run this again"
    fi
    outcome=enrolled
fi

if [ "$service" = no ] || { [ -z "$root" ] && [ "$live" = no ]; }; then
    echo "$outcome; start it with: $program run --data $data"
    exit 0
fi

public "$(dirname "$root$unit")"
cat > "$work/unit" << UNIT
# Written by the agent's package; what is to differ belongs into: systemctl edit keelson-agent
# The program $origin
[Unit]
Description=Keelson management agent
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=$program run --data $data
Restart=on-failure
RestartSec=5
# The host has removed this agent: it is over.
RestartPreventExitStatus=7
UMask=0077
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths=$data
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
# It reads repositories and passwords that are not its own, and changes none.
CapabilityBoundingSet=CAP_DAC_READ_SEARCH

[Install]
WantedBy=multi-user.target
UNIT
install -m 0644 "$work/unit" "$root$unit.new"
mv -f "$root$unit.new" "$root$unit"
if [ "$live" = no ]; then
    echo "$outcome below $root"
    exit 0
fi
systemctl daemon-reload
systemctl enable keelson-agent.service
systemctl restart keelson-agent.service
echo "$outcome and running; look for what is wrong with: $program doctor --data $data"
exit 0
