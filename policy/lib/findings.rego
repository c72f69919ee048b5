# METADATA
# title: Findings
# description: The one constructor of findings, and the subjects and phrases that rules share.
# schemas:
#   - input: schema.input
package ocjail.lib.findings

import data.ocjail.lib.mounts

# The engine adds rule, severity, title and url from the rule's METADATA. A remedy
# is a text, or what add returns.
new(message, subject, remedy) := {"message": message, "subject": subject, "remedy": remedy}

# A remedy that ends in options of bwrap's: the report writes them as the jail is
# written, in HCL or jail.nix's combinators.
add(text, options) := {"text": text, "options": options}

# A finding less serious than its rule: a rule may lower its severity, never raise it.
lowered(severity, finding) := object.union(finding, {"severity": severity})

mount(index) := {"kind": "mount", "path": mounts.source(input.jail.mounts[index]), "index": index}

# kind is "path" or "socket".
watched(kind, w) := {"kind": kind, "path": w.path} if w.via == null

watched(kind, w) := {"kind": kind, "path": w.path, "index": w.via} if w.via != null

# How the jail reaches a watched path, in words.
through(w) := "by a way that is not known" if w.via == null

through(w) := sprintf("%s %s", [how(w), words(w.via)]) if w.via != null

how(w) := object.get(
	{
		"create": "by creating it through",
		"rename": "by renaming a directory above it, through",
		"alias": "under another name, through",
		"below": "in part, through",
		"copy": "as a copy, through",
	},
	w.how,
	"through",
)

# A mount in bwrap's words.
words(index) := sprintf("--%s %s", [m.op, m.dest]) if {
	m := input.jail.mounts[index]
	mounts.source(m) == ""
} else := sprintf("--%s %s %s", [m.op, mounts.source(m), m.dest]) if {
	m := input.jail.mounts[index]
} else := "a mount that is not listed"
