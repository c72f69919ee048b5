package checker

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// copying are the options with which bwrap copies what a descriptor holds into the
// jail (bwrap(1)).
var copying = map[string]bool{"--file": true, "--bind-data": true, "--ro-bind-data": true}

// GoneError says that the file of an open descriptor has no longer the name by which it
// was opened: it was replaced, or removed.
type GoneError struct {
	Descriptor int
	Path       string // the name that it had
	ID         sandbox.ID
}

func (e *GoneError) Error() string {
	return fmt.Sprintf("descriptor %d has no name any more: what was %q was replaced or removed", e.Descriptor, e.Path)
}

// Copied is the host file whose content bwrap copies into the jail.
type Copied struct {
	Path string
	// Gone is set when the file has no longer that name. Another may have it, or none:
	// so do here-documents and memfds look.
	Gone bool
	ID   sandbox.ID // zero where not known
}

// Copied returns the file that is copied for o, one of the options that somebody asked
// for; nil for none. A pipe has no name. Without the descriptors, in a lint, nothing is
// known of them.
func (j *Jail) Copied(o sandbox.Option) *Copied {
	if j.Descriptor == nil || !copying[o.Name] || o.Added != "" {
		return nil
	}
	n, err := strconv.Atoi(o.Args[0])
	if err != nil {
		return nil // the parser has refused it
	}
	file, err := j.Descriptor(n)
	var gone *GoneError
	if errors.As(err, &gone) {
		return &Copied{Path: gone.Path, Gone: true, ID: gone.ID}
	}
	if err != nil {
		return nil
	}
	st, err := j.FS.Lstat(file)
	if err == nil && st.Type != sandbox.Regular {
		return nil // a named pipe
	}
	return &Copied{Path: file, ID: st.ID()}
}

// copied notes a secret that is in the jail as a copy: a file, also by another name of
// it, or a part of a folder.
func (b *inputBuilder) copied(in *InputWatch, id sandbox.ID) {
	if in.Class != "secret" || in.Access != string(sandbox.None) {
		return
	}
	for _, c := range b.copies {
		if how := c.of(in.Path, id); how != "" {
			in.Access, in.How, in.Via = string(sandbox.ReadOnly), how, &c.mount
			if how == howCopied {
				in.Inside = c.dest
			}
			return
		}
	}
}

// howCopied is a word beside those of sandbox.How.
const howCopied = "copy"

// copyOf is a host file that the jail gets a copy of, and the position in mounts. ids
// are those of the file and of the folders above it.
type copyOf struct {
	file, dest string
	mount      int
	ids        []sandbox.ID
}

// of tells whether c is a copy of what is at p, or of a part of it; "" for neither.
func (c copyOf) of(p string, id sandbox.ID) string {
	rest, below := sandbox.Below(p, c.file)
	at := -1
	if id != (sandbox.ID{}) {
		at = slices.Index(c.ids, id)
	}
	switch {
	case below && rest == "", at == 0:
		return howCopied
	case below, at > 0:
		return string(sandbox.ByBelow)
	}
	return ""
}

func (b *inputBuilder) copyOf(from *Copied, dest string, mount int) copyOf {
	c := copyOf{file: from.Path, dest: dest, mount: mount, ids: []sandbox.ID{from.ID}}
	for p := path.Dir(from.Path); p != "/"; p = path.Dir(p) {
		st, err := b.FS.Lstat(p)
		if err != nil {
			break // its name has to do
		}
		c.ids = append(c.ids, st.ID())
	}
	return c
}
