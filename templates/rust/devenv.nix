{ pkgs, ... }:
{
  languages.rust.enable = true;

  programs.opencode = {
    enable = true;
    packages = [ pkgs.cargo-expand ];

    # Crates that the agent downloads, apart from the host's: what it put there
    # would be built outside the jail.
    caches = [ "~/.cargo" ];
  };
}
