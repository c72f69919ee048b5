package checker

import (
	"github.com/refnil/opencode-jail-devenv/checker/engine"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// reviewRules says of the findings that package review makes what METADATA says
// of the pack's rules.
var reviewRules = []engine.Rule{{
	ID: finding.Unreviewed, Severity: finding.Warning, Title: "A change of an earlier session has not been reviewed",
	Description: "Mounts cannot protect what does not exist yet, or what git has to replace: an agent can make an .envrc, a plugin, or a " +
		"commondir that sends the host's git elsewhere, and it runs with all that the user may do at the next cd or git status " +
		"(gitrepository-layout(5)). Such changes are found when a session ends, and reported until somebody has looked. A launch " +
		"runs none of it; the user's own shell may.",
	Remedy: "ocjail review: look at each change, then keep or revert it",
	URL:    "https://git-scm.com/docs/gitrepository-layout",
}}
