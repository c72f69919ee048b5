package ocjail.rules.env.inherited_test

import data.ocjail.fixtures
import data.ocjail.rules.env.inherited as rule

env(cleared, set) := fixtures.jail({"env": {"cleared": cleared, "set": set}})

inherited(name, shape) := {"name": name, "source": "inherited", "shape": shape}

by_name(name, shape) := {"name": name, "source": "set", "shape": shape}

found(doc) := v if {
	v := fixtures.brief(rule.findings) with input as doc
}

test_secret_or_dangerous[note] if {
	some note, v in {
		"value of a token's form": inherited("MY_VAR", "secret"),
		"name of a secret": inherited("DEPLOY_TOKEN", "other"),
		"name in lower case": inherited("deploy_password", "other"),
		"whole name of a secret": inherited("PGPASSWORD", "other"),
		"short name of a secret": inherited("Pat", "other"),
		"personal access token": inherited("GITLAB_PAT", "other"),
		"data source": inherited("SENTRY_DSN", "other"),
		"loader": inherited("LD_PRELOAD", "path"),
		"loader, a name not listed": inherited("LD_AUDIT", "path"),
		"shell": inherited("BASH_ENV", "path"),
		"exported function": inherited("BASH_FUNC_ls%%", "other"),
		"git": inherited("GIT_SSH_COMMAND", "other"),
		"node": inherited("NODE_OPTIONS", "other"),
		"python": inherited("PYTHONPATH", "path"),
	}
	found(env(false, [v])) == {["error", v.name], ["warning", "env"]}
}

test_source_of_a_later_version if {
	found(env(true, [{"name": "LD_PRELOAD", "source": "elsewhere", "shape": "path"}])) == {["error", "LD_PRELOAD"]}
}

test_uncleared_without_anything_bad if {
	found(env(false, [inherited("LANG", "other")])) == {["warning", "env"]}
}

test_clean if {
	found(env(true, [by_name("PATH", "path"), by_name("TERM", "other")])) == set()
}

test_near_miss if {
	by_name_only := [by_name("ANTHROPIC_API_KEY", "secret"), by_name("GIT_CONFIG_COUNT", "other"), by_name("LD_LIBRARY_PATH", "path")]
	found(env(true, by_name_only)) == set()
	found(env(false, [inherited("PYTHONUNBUFFERED", "other"), inherited("GIT_PS1_SHOWDIRTYSTATE", "other"), inherited("GIT_TERMINAL_PROMPT", "other")])) == {["warning", "env"]}
	found(env(false, [inherited("EMPTY_TOKEN", "empty"), inherited("LDAP", "other"), inherited("KEYBOARD", "other"), inherited("PATTERN", "other"), inherited("COMPASS", "other")])) == {["warning", "env"]}
}

# A secret by its value and by its name is one finding.
test_reported_once if {
	all := rule.findings with input as env(true, [inherited("GITHUB_TOKEN", "secret")])
	count(all) == 1
}
