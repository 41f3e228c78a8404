# shellcheck shell=bash
# What both scripts of the lab say and ask.

# holds 'what must hold' COMMAND …
holds() {
  local about=$1
  shift
  if ! "$@"; then
    echo "FAILED: $about: $*" >&2
    exit 1
  fi
  echo "holds: $about"
}

# is ACTUAL EXPECTED
is() {
  [ "$1" = "$2" ] || {
    echo "it is '$1', not '$2'" >&2
    return 1
  }
}

# says TEXT PATTERN: as grep -E
says() {
  grep -qE -- "$2" <<<"$1" || {
    echo "nothing like '$2' in: $1" >&2
    return 1
  }
}

# refuses PATTERN COMMAND …: it fails, with such a sentence
refuses() {
  local pattern=$1 text
  shift
  if text=$("$@" 2>&1); then
    echo "it went through: $text" >&2
    return 1
  fi
  says "$text" "$pattern"
}

# changes nothing: no line of what a script says is a change
unchanged() {
  ! grep '^+' <<<"$1"
}
