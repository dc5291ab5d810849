#!/bin/sh
# Installs keelson-agent @VERSION@ and enrols this machine.
#
# The join token inside is good until @EXPIRES@: keep this file as you keep a password.
#
#   sudo sh keelson-agent-linux.sh [OPTION…] [-- OPTION OF "keelson-agent enroll"…]
#
#   --program PATH   where the program goes        (/usr/local/bin/keelson-agent)
#   --data FOLDER    where its keys and data go    (/var/lib/keelson-agent)
#   --no-service     enrol only; do not make a systemd service
#
# What comes after "--" says what the agent drives, for example:
#   -- --driver restic --restic-repo /srv/backup --restic-password-file /etc/restic/password
set -eu

TOKEN='@TOKEN@'
ARCHITECTURE='@ARCHITECTURE@'
SIZE='@SIZE@'
HASH='@HASH@'

program=/usr/local/bin/keelson-agent
data=/var/lib/keelson-agent
service=yes

fail() {
    echo "keelson-agent: $1" >&2
    exit 1
}

while [ $# -gt 0 ]; do
    case "$1" in
    --program) program=${2:?--program needs a path}; shift 2 ;;
    --data) data=${2:?--data needs a folder}; shift 2 ;;
    --no-service) service=no; shift ;;
    --) shift; break ;;
    *) fail "unknown option $1; options of the agent come after --" ;;
    esac
done

[ "$(uname -s)" = Linux ] || fail "this package is for Linux"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 077

if [ "$SIZE" -gt 0 ]; then
    [ "$(uname -m)" = "$ARCHITECTURE" ] ||
        fail "the program inside is for $ARCHITECTURE, this machine is $(uname -m); ask for a package from a host of its kind"
    tail -c "$SIZE" "$0" > "$work/keelson-agent"
    echo "$HASH  $work/keelson-agent" | sha256sum -c - > /dev/null ||
        fail "this file was changed or cut on its way; download it again"
    mkdir -p "$(dirname "$program")"
    install -m 0755 "$work/keelson-agent" "$program.new"
    mv -f "$program.new" "$program"
elif [ ! -x "$program" ]; then
    program=$(command -v keelson-agent) ||
        fail "this package brings no program; put keelson-agent to $program (or name it with --program) and run this again"
fi

mkdir -p "$data"
printf '%s\n' "$TOKEN" > "$work/token"
"$program" enroll --data "$data" --token-file "$work/token" "$@" ||
    fail "the machine is not enrolled; if the token is over, ask the provider to accept it among its unverified agents, then run this again"

if [ "$service" = no ] || [ ! -d /run/systemd/system ]; then
    echo "enrolled; start it with: $program run --data $data"
    exit 0
fi

cat > /etc/systemd/system/keelson-agent.service << UNIT
[Unit]
Description=Keelson management agent
After=network-online.target
Wants=network-online.target

[Service]
ExecStart="$program" run --data "$data"
Restart=always
RestartSec=5

[Install]
WantedBy=multi-user.target
UNIT
chmod 0644 /etc/systemd/system/keelson-agent.service
systemctl daemon-reload
systemctl enable --now keelson-agent.service
echo "enrolled and running"
exit 0
