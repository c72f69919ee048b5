{
  languages.javascript = {
    enable = true;
    npm.enable = true;
  };

  programs.opencode = {
    enable = true;

    # Downloads of the agent's, apart from the host's.
    caches = [ "~/.npm" ];
  };
}
