package ocjail.lib.variables_test

import data.ocjail.lib.variables

test_secret[name] if {
	some name in ["TOKEN", "GITHUB_TOKEN", "ANTHROPIC_API_KEY", "PGPASSWORD"]
	variables.secret(name)
}

test_no_secret[name] if {
	some name in ["TOKENS", "HOME", "KEYBOARD", "SECRETARY"]
	not variables.secret(name)
}
