package inmate

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// most is how many paths a line of the instructions names.
const most = 12

// Instructions is the text for the model: what errors mean here, and what to ask
// for instead of trying again. It is part of every request, so it is short.
func (d *Description) Instructions() string {
	var writable, kept, gone []string
	for _, m := range d.Mounts {
		switch a := sandbox.Access(m.Access); {
		case m.Added != "" && a == sandbox.ReadOnly && !strings.HasPrefix(m.Path, checker.InmateDirectory):
			kept = append(kept, d.short(m.Path))
		case m.Added == "" && a == sandbox.ReadWrite && !d.covered(m, a):
			writable = append(writable, d.short(m.Path))
		case a == sandbox.Scratch && m.Path != "/" && m.Path != "/dev":
			gone = append(gone, d.short(m.Path))
		}
	}
	slices.SortStableFunc(kept, func(a, b string) int { return cmp.Compare(strings.Count(a, "/"), strings.Count(b, "/")) })
	network := "Network: the host's."
	if d.Network != "shared" {
		network = "Network: none; every connection fails (\"Network is unreachable\", \"Could not resolve host\")."
	}
	lines := []string{
		"# This session runs in a jail",
		"",
		"ocjail started it in a bubblewrap sandbox, which a person configured. An error such as \"Read-only file system\" (EROFS), \"Device or resource busy\" on a rename, or \"No such file or directory\" for what exists elsewhere comes from it. Trying again, sudo, chmod or another tool does not help.",
		"",
		"- Writable, and kept: " + some(writable) + ".",
		"- Writable, but gone when the session ends: " + some(append(gone, "whatever is not listed and can be written")) + ".",
	}
	if len(kept) > 0 {
		lines = append(lines, "- Read-only, because the host runs or reads it later: "+some(kept)+". Leave these alone, and tell the person what you would change there.")
	}
	lines = append(lines,
		"- Everything else that is there is read-only. The person's other files, keys and programs are not here.",
		"- "+network,
		"",
		"When the task needs more, do not work around it: say which path, variable or host you need and why, and that the person can",
		"",
		"- let you read a path: "+d.AskRead("/PATH"),
		"- let you write one: "+d.AskWrite("/PATH"),
		"- pass a variable: "+d.AskVariable("NAME"),
	)
	if d.Network != "shared" {
		lines = append(lines, "- give you the network: "+d.AskNetwork())
	}
	lines = append(lines, "", fmt.Sprintf("`ocjail why PATH`, where that program is there, explains one path; %s describes the jail.", checker.InmateDescription), "")
	return strings.Join(lines, "\n")
}

// covered tells whether m repeats the mount around it: a pin, a submount.
func (d *Description) covered(m Mount, a sandbox.Access) bool {
	return m.Path != "/" && d.At(path.Dir(m.Path)).Access == string(a)
}

// short writes a path for the text. Its name may be an agent's: it stays one line.
func (d *Description) short(p string) string {
	for _, place := range []struct{ dir, sign string }{{d.Project, d.Project}, {d.Home, "~"}} {
		if rest, in := sandbox.Below(place.dir, p); in && place.dir != "/" {
			return "`" + quotable(place.sign+rest) + "`"
		}
	}
	return "`" + quotable(p) + "`"
}

func quotable(p string) string { return strings.ReplaceAll(hclfile.Escape(p), "`", "'") }

func some(names []string) string {
	switch {
	case len(names) == 0:
		return "nothing"
	case len(names) > most:
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
