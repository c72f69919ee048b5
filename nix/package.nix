# ocjail itself. vendorHash is what `nix hash path --sri vendor` says after
# `go mod vendor`; tests/nix recomputes it.
{
  lib,
  stdenv,
  buildGoModule,
  help2man,
  installShellFiles,
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
  vendorHash = "sha256-vOJ5eGSuijcBKtHPNohzkB6hAFXmTQ7Ow1/8WtlD0wE=";
  subPackages = [
    "cmd/ocjail"
    "cmd/ocjail-rules"
    "cmd/ocjail-wasm"
  ];
  env.CGO_ENABLED = 0;
  ldflags = [ "-s" "-w" "-X github.com/refnil/opencode-jail-devenv/checker/release.Version=0.1.0" ];
  nativeBuildInputs = [
    help2man
    installShellFiles
  ];
  # Made by the program itself, which a build for another platform can't run.
  postInstall = lib.optionalString (stdenv.buildPlatform.canExecute stdenv.hostPlatform) ''
    bash ${../packages/manual.sh} $out/bin/ocjail 0.1.0 manual
    for page in manual/*; do
      installManPage "$page"
    done
    for shell in bash fish zsh; do
      $out/bin/ocjail completion $shell >ocjail.$shell
      installShellCompletion --cmd ocjail --$shell ocjail.$shell
    done
  '';
  doCheck = false; # the tests need a real bwrap and a real opencode
  meta = {
    description = "Jails LLM agents with bubblewrap and checks the jail before it starts";
    homepage = "https://github.com/refnil/opencode-jail-devenv";
    license = lib.licenses.asl20;
    mainProgram = "ocjail";
  };
}
