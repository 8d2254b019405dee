# The wasm32-unknown-unknown standard library: the toolchain's own, rustup's, or one built here once from source.

WASM=wasm32-unknown-unknown

# Finds or makes the library, and sets the flags with which every later cargo call reaches it.
ensure_wasm_std() {
  command -v cargo >/dev/null || die "Rust 1.95 or newer with cargo is needed; install it with rustup"
  export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="-C target-feature=+simd128"
  [ "${OCELLI_WASM_STD:-}" = source ] || ! has_wasm_std || return 0
  local release sysroot
  release=$(rustc -vV | sed -n 's/^release: //p')
  sysroot="$CACHE/sysroot-$(rustc -vV | digest)"
  if [ ! -e "$sysroot/.ready" ]; then
    if [ "${OCELLI_WASM_STD:-}" != source ] && command -v rustup >/dev/null; then
      say "   rustup target add $WASM"
      if rustup target add $WASM && has_wasm_std; then return 0; fi
      say "   rustup could not get it; building it from Rust $release's own source"
    fi
    build_wasm_std "$release" "$sysroot"
  fi
  CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS+=" --sysroot=$sysroot"
}

has_wasm_std() {
  compgen -G "$(rustc --print sysroot)/lib/rustlib/$WASM/lib/libstd-*.rlib" >/dev/null
}

# A sysroot of our own, so that the toolchain stays as it was installed: the compiler's files by link, std's source,
# and the compiled library beside them.
build_wasm_std() {
  local release=$1 sysroot=$2 work="$2.work" installed host
  installed=$(rustc --print sysroot)
  host=$(rustc -vV | sed -n 's/^host: //p')
  rm -rf "$work" "$sysroot"
  mkdir -p "$work/lib/rustlib/src/rust" "$work/lib/rustlib/$WASM/lib" "$work/empty/src"
  ln -s "$installed/lib/rustlib/$host" "$work/lib/rustlib/$host"
  rust_library_source "$release" "$work/lib/rustlib/src/rust/library"

  printf '#!/bin/sh\nexec "%s" --sysroot="%s" "$@"\n' "$installed/bin/rustc" "$work" >"$work/rustc"
  chmod +x "$work/rustc"
  printf '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n' >"$work/empty/Cargo.toml"
  printf '#![no_std]\n' >"$work/empty/src/lib.rs"
  say "   compiling std for $WASM"
  (
    unset CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS
    cd "$work/empty" && RUSTC="$work/rustc" RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$work/target" \
      cargo build --quiet --release --target $WASM -Zbuild-std=std,panic_abort
  ) || die "std for $WASM did not compile (see above)"
  cp "$work/target/$WASM/release/deps/"*.rlib "$work/lib/rustlib/$WASM/lib/"
  rm -f "$work/lib/rustlib/$WASM/lib/"libempty-*
  rm -rf "$work/target" "$work/empty" "$work/rustc" "$work/lib/rustlib/src"
  touch "$work/.ready"
  mv "$work" "$sysroot"
}

# rust_library_source RELEASE INTO: the `library/` folder of exactly this Rust release.
rust_library_source() {
  local release=$1 into=$2 own found unpacked="$CACHE/rust-src.unpacked"
  own="$(rustc --print sysroot)/lib/rustlib/src/rust/library"
  rm -rf "$unpacked"
  mkdir -p "$unpacked"
  if [ -n "${OCELLI_RUST_SRC:-}" ]; then
    say "   source: OCELLI_RUST_SRC"
    [ -e "$OCELLI_RUST_SRC" ] || die "OCELLI_RUST_SRC names $OCELLI_RUST_SRC, which does not exist"
    if [ -d "$OCELLI_RUST_SRC" ]; then cp -R "$OCELLI_RUST_SRC" "$unpacked/"; else tar -xf "$OCELLI_RUST_SRC" -C "$unpacked"; fi
  elif [ -e "$own/std/Cargo.toml" ]; then
    say "   source: the toolchain's rust-src component"
    cp -R "$own" "$unpacked/"
  elif command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; then
    say "   source: Debian's rust-src package"
    debian_rust_src "$release" "$unpacked" || die "$(no_rust_src "$release")"
  else
    die "$(no_rust_src "$release")"
  fi
  # The shortest path: cargo's own tests hold a second, mock library.
  found=$(find "$unpacked" -path '*/std/Cargo.toml' | awk '{ print length, $0 }' | sort -n | sed -n '1s/^[0-9]* //p')
  [ -n "$found" ] || die "no std/Cargo.toml in the Rust source; expected the library/ folder of Rust $release"
  mv "${found%/std/Cargo.toml}" "$into"
  rm -rf "$unpacked"
}

no_rust_src() {
  say "no $WASM library: rustup could not add it and no rust-src package of Rust $1 was found." \
    "Run 'rustup target add $WASM' on a network that reaches rustup's host," \
    "or set OCELLI_RUST_SRC to an archive of Rust $1's library/ folder."
}
