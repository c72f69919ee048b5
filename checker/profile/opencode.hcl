# The jail that `ocjail run` makes when no other profile is named. It grants
# what the Nix module grants by default.

command     = ["opencode"]
system      = true # the host's programs, libraries and public settings, read-only; never keys
network     = true
timezone    = true
new_session = false # a session of its own would lose terminal resizes and job control

tmpfs "/tmp" {}
tmpfs "~" {}

project { access = "rw" }

mount "~/.config/opencode" {
  access = "rw"
  create = true
}
mount "~/.local/share/opencode" {
  access = "rw"
  create = true
}
mount "~/.local/state/opencode" {
  access = "rw"
  create = true
}

# The common directory of a git worktree, with the project's access.
git_worktree = true

# Passed by name when set; everything else of the environment is cleared.
env = [
  "COLORTERM", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "TMUX", "NO_COLOR", "FORCE_COLOR",
  "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "LC_TIME", "EDITOR", "VISUAL",
  "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
  "ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OPENROUTER_API_KEY", "GEMINI_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY",
  "MISTRAL_API_KEY", "GROQ_API_KEY", "DEEPSEEK_API_KEY", "XAI_API_KEY", "CEREBRAS_API_KEY",
  "OPENCODE_API_KEY", "OPENCODE_CONFIG_CONTENT", "OPENCODE_PERMISSION",
  "OPENCODE_DISABLE_AUTOUPDATE", "OPENCODE_DISABLE_MODELS_FETCH", "OPENCODE_DISABLE_LSP_DOWNLOAD",
  "OPENCODE_DISABLE_DEFAULT_PLUGINS", "OPENCODE_MODELS_URL",
]

# Passed by name too; the certificates that they name are bound read-only.
env_files = ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"]

# .git/config is read-only while the agent runs. With these, `git push` needs no
# upstream there, and `git checkout -b` does not try to record one.
setenv = {
  GIT_CONFIG_COUNT   = "2"
  GIT_CONFIG_KEY_0   = "push.default"
  GIT_CONFIG_VALUE_0 = "current"
  GIT_CONFIG_KEY_1   = "branch.autoSetupMerge"
  GIT_CONFIG_VALUE_1 = "false"
}
