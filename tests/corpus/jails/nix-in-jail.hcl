why     = "Nix in the jail, with the store and without the daemon: evaluation works, nothing is built outside"
machine = "nixos"
setup   = "git init -q && printf '{ outputs = _: { }; }\\n' > flake.nix && git add flake.nix"
like    = "default-debian"
profile = "opencode"
add     = ["set-env NIX_REMOTE 'local?root=/tmp/store'"]
