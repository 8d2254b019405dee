# The JavaScript glue generator, at exactly the version of wasm-bindgen that the crate is built with.

# Builds web/tools/bindgen once a version into the cache; sets BINDGEN to the program.
ensure_bindgen() {
  local wanted pinned tool=web/tools/bindgen
  wanted=$(sed -n '/^name = "wasm-bindgen"$/{n;s/version = "\(.*\)"/\1/p;}' Cargo.lock)
  pinned=$(sed -n 's/^wasm-bindgen-cli-support = "=\(.*\)"/\1/p' $tool/Cargo.toml)
  [ "$wanted" = "$pinned" ] ||
    die "Cargo.lock has wasm-bindgen $wanted, $tool/Cargo.toml has $pinned; put $wanted in $tool/Cargo.toml"
  BINDGEN="$CACHE/ocelli-bindgen-$wanted-$(cat $tool/src/main.rs $tool/Cargo.lock | digest)"
  [ -x "$BINDGEN" ] && return 0
  cargo build --quiet --release --locked --manifest-path $tool/Cargo.toml --target-dir "$CACHE/bindgen-target"
  mv "$CACHE/bindgen-target/release/ocelli-bindgen" "$BINDGEN"
  rm -rf "$CACHE/bindgen-target"
}
