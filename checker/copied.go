package checker

import (
	"strconv"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// copying are the options with which bwrap copies what a descriptor holds into the
// jail (bwrap(1)).
var copying = map[string]bool{"--file": true, "--bind-data": true, "--ro-bind-data": true}

// CopiedFile returns the host file whose content bwrap copies into the jail for o,
// one of the options that somebody asked for; "" for none. A pipe has no name, nor
// has a deleted file, which is how here-documents and memfds look. Without the
// descriptors, in a lint, nothing is known of them.
func (j *Jail) CopiedFile(o sandbox.Option) string {
	if j.Descriptor == nil || !copying[o.Name] || o.Added != "" {
		return ""
	}
	n, err := strconv.Atoi(o.Args[0])
	if err != nil {
		return "" // the parser has refused it
	}
	file, err := j.Descriptor(n)
	if err != nil {
		return ""
	}
	if st, err := j.FS.Lstat(file); err == nil && st.Type != sandbox.Regular {
		return "" // a named pipe
	}
	return file
}

// copied notes a secret that is in the jail as a copy: a file by its name, of a
// folder a part.
func (b *inputBuilder) copied(in *InputWatch) {
	if in.Class != "secret" || in.Access != string(sandbox.None) {
		return
	}
	for _, c := range b.copies {
		rest, below := sandbox.Below(in.Path, c.file)
		if !below {
			continue
		}
		in.Access, in.How, in.Via = string(sandbox.ReadOnly), howCopied, &c.mount
		if rest != "" {
			in.How = string(sandbox.ByBelow)
			return
		}
		in.Inside = c.dest
		return
	}
}

// howCopied is a word beside those of sandbox.How.
const howCopied = "copy"

// copyOf is a host file that the jail gets a copy of, and the position in mounts.
type copyOf struct {
	file, dest string
	mount      int
}
