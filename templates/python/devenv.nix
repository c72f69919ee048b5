{
  languages.python = {
    enable = true;
    uv.enable = true;
  };

  programs.opencode = {
    enable = true;

    # Downloads of the agent's, apart from the host's.
    caches = [
      "~/.cache/pip"
      "~/.cache/uv"
    ];
  };
}
