//go:build linux && !nojail

package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/report"
)

// unjailed looks for programs named opencode that whoever types the name starts
// without a jail.
func (d *doctor) unjailed() {
	var jailed, bare []string
	seen := map[string]bool{}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		name := filepath.Join(dir, "opencode")
		real, err := filepath.EvalSymlinks(name)
		if err != nil || seen[real] || unix.Access(real, unix.X_OK) != nil {
			continue // nothing that could be started
		}
		seen[real] = true
		switch st, err := os.Stat(real); {
		case err != nil || !st.Mode().IsRegular(): // opening a FIFO would wait
		case callsOcjail(real):
			jailed = append(jailed, name)
		default:
			bare = append(bare, name)
		}
	}
	switch {
	case len(bare) > 0:
		d.add("unjailed", report.Warn, "typing its path, or the name where it comes first in PATH, starts opencode without a jail: "+strings.Join(bare, ", "),
			"have people's shells say: alias opencode='ocjail run -- opencode'")
	case len(jailed) > 0:
		d.add("unjailed", report.OK, "every opencode in PATH is a script that calls ocjail: "+strings.Join(jailed, ", "), "")
	default:
		d.add("unjailed", report.OK, "there is no opencode in PATH", "")
	}
}

// maxScript bounds what is read of a program, in bytes: wrappers are shorter.
const maxScript = 64 << 10

// callsOcjail tells whether a program is a script that speaks of ocjail, as that of
// the devenv module does. Who wants to deceive it can: this is no check of a jail.
func callsOcjail(name string) bool {
	f, err := os.Open(filepath.Clean(name))
	if err != nil {
		return false
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxScript))
	return err == nil && bytes.HasPrefix(text, []byte("#!")) && bytes.Contains(text, []byte("ocjail"))
}
