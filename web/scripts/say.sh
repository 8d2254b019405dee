# What every script prints: a step with its time, a plain line, or the reason to stop.

say() { printf '%s\n' "$*"; }

die() {
  printf 'build.sh: %s\n' "$*" >&2
  exit 1
}

# step TITLE COMMAND...: names the step, runs it in this shell, and says how long it took.
step() {
  local title=$1 start=$SECONDS
  shift
  say "── $title"
  "$@"
  say "   $title: $((SECONDS - start)) s"
}

# A short name for what comes in, the same for the same bytes.
digest() {
  { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi; } | cut -c1-12
}

# as_root COMMAND...: runs it as root, or returns 1 where nobody may.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    sudo -n "$@"
  else
    return 1
  fi
}
