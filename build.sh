#!/usr/bin/env bash
# Sets up, builds, tests and serves ocelli. Every command fetches whatever it needs first; README.md says what that is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/ocelli"
mkdir -p "$CACHE"
for part in say wasm-std debian-rust-src bindgen npm browser wasm suites; do
  # shellcheck source=/dev/null
  source "web/scripts/$part.sh"
done

usage() {
  cat <<'TEXT'
./build.sh demo [--port N] [--check]   build everything and serve the demo page (--check: run it headless, then stop)
./build.sh test                        build everything and run every test
./build.sh test --full                 make, convert and load a model of PaliGemma 3B's size instead (8 GB of disk)
./build.sh build                       the command line (target/release/ocelli) and the npm package (web/pkg, web/dist)
./build.sh check                       formatting, clippy and TypeScript, warnings denied
./build.sh bench                       the speed of every player, natively and in the browser
./build.sh clean                       remove what was built here
TEXT
}

set_up_web() {
  step "wasm standard library" ensure_wasm_std
  step "wasm-bindgen" ensure_bindgen
  step "npm tools" ensure_npm_tools
}

set_up_browser() { step "Chromium and software Vulkan" ensure_browser_and_drivers; }

# typescript TSC-ARGUMENTS...
typescript() {
  compgen -G 'web/src/*.ts' >/dev/null || return 0
  web/node_modules/.bin/tsc --project web "$@"
}

build_web() {
  set_up_web
  step "wasm module" build_wasm
  rm -rf web/dist web/modules
  step "TypeScript" typescript
  step "scripts" node web/scripts/bundle.mjs
  step "size budget" node web/scripts/size.mjs
}

demo() {
  local port=8080 check=
  while [ $# -gt 0 ]; do
    case $1 in
      --port) port=${2:?--port needs a number} && shift 2 ;;
      --check) check=yes && shift ;;
      *) die "demo has no option '$1'" ;;
    esac
  done
  build_web
  if [ -z "$check" ]; then exec node web/scripts/serve.mjs --port "$port"; fi
  set_up_browser
  step "demo page" node web/scripts/check-demo.mjs --port "$port"
}

# The largest model by its numbers: what a conversion and each player hold in memory.
full_size() {
  build_web
  set_up_browser
  step "command line" cargo build --release
  step "full size" node web/scripts/full-size.mjs
}

run_tests() {
  trap report_and_exit EXIT
  build_web
  set_up_browser
  step "Rust tests" cargo_suites --lib --tests
  step "browser tests" node_suites web/tests/*.test.mjs
}

check() {
  set_up_web
  step "formatting" cargo fmt --check
  step "formatting, glue generator" cargo fmt --check --manifest-path web/tools/bindgen/Cargo.toml
  step "clippy, native" cargo clippy --all-targets -- -D warnings
  step "clippy, wasm" cargo clippy --target "$WASM" --lib --no-default-features -- -D warnings
  step "wasm module" build_wasm
  step "TypeScript" typescript --noEmit
}

bench() {
  build_web
  set_up_browser
  step "native bench" cargo run --release --bin ocelli -- bench --model target/bench-model
  step "browser bench" node web/scripts/bench.mjs
}

case "${1:-}" in
  demo) demo "${@:2}" ;;
  test)
    case "${2:-}" in
      '') run_tests ;;
      --full) full_size ;;
      *) die "test has no option '$2'" ;;
    esac
    ;;
  build)
    build_web
    step "command line" cargo build --release
    ;;
  check) check ;;
  bench) bench ;;
  clean)
    rm -rf target web/build web/dist web/modules web/pkg web/node_modules
    say "what was fetched once for all checkouts stays in $CACHE"
    ;;
  *)
    usage
    exit 2
    ;;
esac
