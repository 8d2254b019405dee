# The WebAssembly modules: compiled, given their JavaScript glue, shrunk, and put into web/pkg.

# What the compiler may use and wasm-opt must therefore accept: all of it is in every browser that has WebGPU.
WASM_FEATURES=(--enable-simd --enable-bulk-memory --enable-nontrapping-float-to-int --enable-sign-ext
  --enable-reference-types --enable-multivalue --enable-mutable-globals)

# The page's module, and the one for what few pages ask for.
build_wasm() {
  build_module page wasm ocelli
  build_module extra wasm-extra ocelli_extra
}

# build_module FEATURE PROFILE NAME
build_module() {
  local feature=$1 profile=$2 name=$3
  # Less is inlined than is usual: a page downloads what comes of it. The kernels say themselves what must be.
  cargo rustc --profile "$profile" --target $WASM --lib --no-default-features --features "$feature" -- -C llvm-args=-inline-threshold=25
  local module=target/$WASM/$profile/ocelli.wasm out=web/build/pkg-$name made_from
  made_from=$(cat "$module" web/scripts/wasm.sh web/package-lock.json "$BINDGEN" | digest)
  [ "$made_from" != "$(cat "web/pkg/.made-from-$name" 2>/dev/null)" ] || return 0
  rm -rf "$out"
  mkdir -p "$out" web/pkg
  "$BINDGEN" "$module" "$out" "$name"
  mv "$out/${name}_bg.wasm" "web/build/${name}_named.wasm"
  web/node_modules/.bin/wasm-opt "${WASM_FEATURES[@]}" -Os \
    "web/build/${name}_named.wasm" -o "$out/${name}_bg.wasm"
  mv "$out"/* web/pkg/
  printf '%s\n' "$made_from" >"web/pkg/.made-from-$name"
  rmdir "$out"
}
