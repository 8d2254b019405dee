# The WebAssembly module: compiled, given its JavaScript glue, shrunk, and put into web/pkg.

# What the compiler may use and wasm-opt must therefore accept: all of it is in every browser that has WebGPU.
WASM_FEATURES=(--enable-simd --enable-bulk-memory --enable-nontrapping-float-to-int --enable-sign-ext
  --enable-reference-types --enable-multivalue --enable-mutable-globals)

build_wasm() {
  cargo build --profile wasm --target $WASM --lib --no-default-features
  local module=target/$WASM/wasm/ocelli.wasm out=web/build/pkg made_from
  made_from=$(cat $module web/scripts/wasm.sh web/package-lock.json "$BINDGEN" | digest)
  [ "$made_from" != "$(cat web/pkg/.made-from 2>/dev/null)" ] || return 0
  rm -rf $out
  mkdir -p $out
  "$BINDGEN" $module $out ocelli
  mv $out/ocelli_bg.wasm web/build/ocelli_named.wasm
  web/node_modules/.bin/wasm-opt "${WASM_FEATURES[@]}" -Os \
    web/build/ocelli_named.wasm -o $out/ocelli_bg.wasm
  printf '%s\n' "$made_from" >$out/.made-from
  rm -rf web/pkg
  mv $out web/pkg
}
