#!/usr/bin/env bash
# Sets up, builds, tests and serves ocelli. Every command fetches whatever it needs first; README.md says what that is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/ocelli"
mkdir -p "$CACHE"
for part in say wasm-std debian-rust-src bindgen npm browser wasm suites against carry features package; do
  # shellcheck source=/dev/null
  source "web/scripts/$part.sh"
done

usage() {
  cat <<'TEXT'
./build.sh demo [--port N] [--check]   build everything and serve the demo page (--check: run it headless, then stop)
./build.sh test                        build everything and run every test
./build.sh test --full                 make, convert and load a model of PaliGemma 3B's size instead (8 GB of disk)
./build.sh build                       the command line (target/release/ocelli) and the npm package (web/pkg, web/dist)
./build.sh quick                       what can be checked in under a minute: formatting, layers, shaders, unit tests, types
./build.sh check                       formatting, clippy, TypeScript, every set of features, the package; warnings denied
./build.sh bench                       the speed of every player, natively and in the browser
./build.sh bench --against DIR         is anything slower than in another checkout? (exit status 1: yes, 3: noise hides it)
          [--pairs N] [--repeat N] [--players NAMES] [--dtypes LIST] [--browser]
./build.sh carry DIR                   built tests and what they read, for a machine with a GPU and without Rust
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
  step "wasm modules" build_wasm
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
  step "examples in the documentation" cargo_suites --doc
  step "browser tests" node_suites web/tests/*.test.mjs
}

check() {
  set_up_web
  step "formatting" cargo fmt --check
  step "formatting, glue generator" cargo fmt --check --manifest-path web/tools/bindgen/Cargo.toml
  step "clippy, native" cargo clippy --all-targets -- -D warnings
  step "clippy, wasm" cargo clippy --target "$WASM" --lib --no-default-features --features page,extra -- -D warnings
  step "wasm modules" build_wasm
  step "TypeScript" typescript --noEmit
  step "features" check_features
  step "package" check_package
}

# Needs no browser, and the wasm module only as it was built last. Building the tests is most of it; the build itself validates every shader.
quick() {
  local start=$SECONDS
  trap report_and_exit EXIT
  step "npm tools" ensure_npm_tools
  step "formatting" cargo fmt --check
  # The scripts' types are partly the module's, so there must have been one.
  if [ ! -e web/pkg/ocelli.d.ts ]; then
    set_up_web
    step "wasm module" build_wasm
  fi
  step "TypeScript" typescript --noEmit
  step "Rust tests" cargo_suites --lib --test layering --test snapshots --test grammar --test objects --test config
  step "scripts" node_suites web/tests/{suites,verdict,against}.test.mjs
  step "documentation" node --test --test-name-pattern '/error code|links between/' web/tests/docs.test.mjs
  say "   quick: $((SECONDS - start)) s"
}

bench() {
  case ${1:-} in
    '') ;;
    --against)
      against "${@:2}"
      return
      ;;
    *) die "bench has no option '$1'" ;;
  esac
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
  quick) quick ;;
  bench) bench "${@:2}" ;;
  carry) step "programs to carry" carry "${2:?carry needs a folder}" ;;
  clean)
    rm -rf target web/build web/dist web/modules web/pkg web/node_modules
    say "what was fetched once for all checkouts stays in $CACHE"
    ;;
  *)
    usage
    exit 2
    ;;
esac
