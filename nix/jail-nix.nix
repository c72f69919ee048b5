# The jail.nix to build with: the user's input of that name, else the revision
# that this repository's flake.lock pins. { jailNix, version }
{
  inputs ? { },
}:
let
  locked = (builtins.fromJSON (builtins.readFile ../flake.lock)).nodes.jail-nix.locked;
  pinned = builtins.fetchTarball {
    url = "https://git.sr.ht/${locked.owner}/${locked.repo}/archive/${locked.rev}.tar.gz";
    sha256 = locked.narHash;
  };
  input = inputs.jail-nix or null;
in
if input == null then
  {
    jailNix = import "${pinned}/lib";
    version = locked.rev;
  }
else
  {
    # An input with `flake: false` has no outputs.
    jailNix = input.lib or (import "${input}/lib");
    version = input.rev or (toString input);
  }
