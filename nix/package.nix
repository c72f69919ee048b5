# ocjail itself. vendorHash is what `nix hash path --sri vendor` says after
# `go mod vendor`; tests/nix recomputes it.
{
  lib,
  buildGoModule,
}:
buildGoModule {
  pname = "ocjail";
  version = "0.1.0";
  # Only what Go reads: an edit of Nix files must not rebuild it.
  src = builtins.path {
    name = "source";
    path = ../.;
    filter =
      path: _:
      let
        inside = lib.removePrefix (toString ../. + "/") path;
      in
      lib.any (p: inside == p || lib.hasPrefix "${p}/" inside) [ "checker" "cmd" "policy" "go.mod" "go.sum" ];
  };
  vendorHash = "sha256-Uwwsu6fuhpr7zmxlOjbBmerojcXlnvXhdwPiVfxkjWc=";
  subPackages = [ "cmd/ocjail" ];
  env.CGO_ENABLED = 0;
  ldflags = [ "-s" "-w" "-X main.version=0.1.0" ];
  doCheck = false; # the tests need a real bwrap and a real opencode
  meta = {
    description = "Jails LLM agents with bubblewrap and checks the jail before it starts";
    homepage = "https://github.com/refnil/opencode-jail-devenv";
    license = lib.licenses.asl20;
    mainProgram = "ocjail";
  };
}
