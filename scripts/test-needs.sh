#!/bin/sh
# Installs what the tests need and Go does not bring, from Debian's packages: PostgreSQL and the mail server exim4, which
# tests start, oathtool, which makes codes as an authenticator app does, the browser chromium with its driver, which tests look
# at pages with, and a C compiler, which Go's race detector is linked with on Linux.
# It does nothing, quickly, where all are there. Where it cannot install, it says what is missing and fails.
set -eu

# found NAME PATTERN: is the program NAME on the path, or a file at PATTERN?
found() {
	command -v "$1" >/dev/null 2>&1 && return 0
	for file in $2; do
		[ -x "$file" ] && return 0
	done
	return 1
}

missing=
found initdb '/usr/lib/postgresql/*/bin/initdb' || missing="$missing postgresql"
found exim4 /usr/sbin/exim4 || missing="$missing exim4-daemon-light"
found oathtool /usr/bin/oathtool || missing="$missing oathtool"
# Elsewhere these packages have other names or none, and tests that look at pages are skipped where there is no browser.
if grep -qs '^ID=debian' /etc/os-release; then
	found chromium /usr/bin/chromium || missing="$missing chromium"
	found chromedriver /usr/bin/chromedriver || missing="$missing chromium-driver"
fi
[ "$(uname -s)" != Linux ] || echo '#include <stdlib.h>' | "${CC:-gcc}" -E - >/dev/null 2>&1 || missing="$missing gcc libc6-dev"
[ -z "$missing" ] && exit 0

hint() {
	echo "test-needs: missing:$missing" >&2
	echo "test-needs: $1" >&2
	exit 1
}

command -v apt-get >/dev/null 2>&1 ||
	hint "these are Debian's package names; install their like, so that initdb, exim4, oathtool and gcc are found, or test in a Debian container"

as_root=
if [ "$(id -u)" -ne 0 ]; then
	sudo -n true 2>/dev/null || hint "run: sudo apt-get install --no-install-recommends$missing"
	as_root="sudo -n"
fi

# RUNLEVEL=1 keeps the packages from starting servers of their own; the tests start theirs.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
	# shellcheck disable=SC2086 # a list of words, each without spaces
	$as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
		apt-get install -qq -y --no-install-recommends $missing >"$log" 2>&1
}
# The lists may be absent or old: fetch them only when the first try fails.
install || { $as_root apt-get update -qq >"$log" 2>&1 && install; } || {
	tail -n 20 "$log" >&2
	hint "apt-get could not install them"
}
