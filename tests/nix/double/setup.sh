# What stdenv does before a phase, as far as the tests need it: inputs on PATH,
# their setup hooks run, variables exported, structured attributes read.
if [ -e .attrs.sh ]; then
  . ./.attrs.sh
  for o in "${!outputs[@]}"; do export "$o=${outputs[$o]}"; done
  export NIX_ATTRS_JSON_FILE=$PWD/.attrs.json
  inputs=("${nativeBuildInputs[@]}")
else
  inputs=($nativeBuildInputs)
fi
for p in "${inputs[@]}"; do
  if [ -d "$p/bin" ]; then PATH=$p/bin:$PATH; fi
  if [ -f "$p/nix-support/setup-hook" ]; then . "$p/nix-support/setup-hook"; fi
done
export PATH
# nixpkgs' setup exports these of the build's own as well.
export SOURCE_DATE_EPOCH=315532800 CONFIG_SHELL=$BASH HOST_PATH=$PATH NIX_SSL_CERT_FILE=/no-cert-file.crt
eval "$buildPhase"
