#!/bin/sh
# Installs what a build needs and is absent. Quiet when there is nothing to do.
set -eu

fail() {
  echo "edgetwin set-up: $1" >&2
  exit 1
}

command -v swift >/dev/null 2>&1 || fail "Swift 6.1 is missing: install it from https://swift.org/install, then run this again"
version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\)\.*\([0-9]*\).*/\1 \2/p' | head -n 1)
major=${version%% *} minor=${version##* }
[ "${major:-0}" -gt 6 ] || { [ "${major:-0}" -eq 6 ] && [ "${minor:-0}" -ge 1 ]; } ||
  fail "Swift 6.1 or newer is needed, found version ${version:-unknown}: install it from https://swift.org/install"

[ "$(uname)" = Linux ] || {
  [ -e /opt/homebrew/include/gsl/gsl_multifit.h ] || [ -e /usr/local/include/gsl/gsl_multifit.h ] ||
    fail "GSL is missing: brew install gsl"
  exit 0
}

missing=""
[ -e /usr/include/gsl/gsl_multifit_nlinear.h ] || missing="$missing libgsl-dev"
[ -e /usr/include/sqlite3.h ] || missing="$missing libsqlite3-dev"
# English text and labels to train on where there is no GLUE: wanted, but nothing stops without it.
wanted=""
[ -e /usr/share/wordnet/data.noun ] || wanted=" wordnet-base"
[ -z "$missing$wanted" ] && exit 0

[ -n "$missing" ] || command -v apt-get >/dev/null 2>&1 || exit 0
command -v apt-get >/dev/null 2>&1 || fail "missing:$missing (Debian's names): install them with your package manager"
if [ "$(id -u)" = 0 ]; then
  as_root=""
elif command -v sudo >/dev/null 2>&1; then
  as_root="sudo"
elif [ -z "$missing" ]; then
  exit 0
else
  fail "missing:$missing: run 'apt-get install$missing' as root"
fi
install() {
  echo "installing $*" >&2
  {
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq "$@" ||
      { $as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq "$@"; }
  } >/dev/null 2>&1
}
# shellcheck disable=SC2086
[ -z "$wanted" ] || install $wanted || echo "could not install$wanted: the task wordnet will be missing" >&2
[ -z "$missing" ] && exit 0
# shellcheck disable=SC2086
install $missing || fail "could not install$missing: run 'apt-get install$missing' and read what it says"
