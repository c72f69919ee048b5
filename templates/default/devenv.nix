{ pkgs, ... }:
{
  programs.opencode = {
    enable = true;

    # In the jail only; the packages of this project are there anyway.
    packages = [ ];

    # What the agent may do besides, for instance:
    #   with pkgs.jail.combinators; [ (readonly "~/.config/nvim") ]
    jailCombinators = [ ];
  };
}
