# This checkout's speed against another's: both are built, each with its own target folder and its own cargo.

# against DIR OPTIONS-OF-against.mjs...
against() {
  local other=$1 option
  [ -f "$other/Cargo.toml" ] || die "--against needs another checkout, and there is no $other/Cargo.toml"
  other=$(cd "$other" && pwd)
  step "command line" cargo build --release --bin ocelli --target-dir target
  step "command line of $other" cargo_of "$other"
  for option in "$@"; do
    if [ "$option" = --browser ]; then
      build_web
      step "page of $other" bash "$other/build.sh" build
      set_up_browser
    fi
  done
  step "pairs" node web/scripts/against.mjs --against "$other" "${@:2}"
}

# cargo_of DIR: from within it, since it may have a toolchain or settings of its own.
cargo_of() { (cd "$1" && cargo build --release --bin ocelli --target-dir target); }
