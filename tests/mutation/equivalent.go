package mutation

// Equivalent lists the mutants that no test can tell from the pack, each with the
// reason.
var Equivalent = map[string]string{
	`lib/mounts.rego: harmless: without "none" in {"none", "proc", "ro", "scratch"}`:         "whoever asks has left out what is not in the jail; the word is there so that a new rule need not",
	`rules/exec/host-executed-writable.rego: groups[[kind, place]]: without summaries[kind]`: "a group without a summary makes no finding; it saves making the group",
	`rules/exec/host-executed-writable.rego: in_agent: without else := "error"`:              "without a last word of its own, the last word of verdict counts, which is the same",
	`rules/exec/host-executed-writable.rego: in_project: without else := "error"`:            "as in_agent",
}
