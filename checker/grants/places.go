package grants

import (
	"path"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// Places are the folders that paths are named by, absolute and resolved; "" where
// there is none.
type Places struct{ Home, Project, Runtime string }

// named are the places in the order in which a name is taken from them.
func (p Places) named() [][2]string {
	return [][2]string{{"{project}", p.Project}, {"{runtime}", p.Runtime}, {"~", p.Home}}
}

// name writes an absolute path.
func (p Places) name(file string) string {
	for _, n := range p.named() {
		if n[1] == "" || n[1] == "/" {
			continue
		}
		if rest, in := sandbox.Below(n[1], file); in {
			return n[0] + rest
		}
	}
	return file
}

// file reads what name wrote. A place that is not here keeps its name, so that
// nothing else is taken for it.
func (p Places) file(name string) string {
	for _, n := range p.named() {
		rest, in := strings.CutPrefix(name, n[0])
		if in && n[1] != "" && (rest == "" || rest[0] == '/') {
			return n[1] + rest
		}
	}
	return name
}

// table tells the access of any path.
type table map[string]Path

func tableOf(paths []Path, at Places) table {
	t := table{}
	for _, p := range paths {
		p.Path = at.file(p.Path)
		t[p.Path] = p
	}
	return t
}

// at returns the nearest entry at or above file, and whether it is the file's own.
func (t table) at(file string) (nearest Path, own bool) {
	for dir := file; ; dir = path.Dir(dir) {
		if p, ok := t[dir]; ok {
			nearest, own = p, dir == file
			break
		}
		if dir == "/" || dir == "." {
			break
		}
	}
	if inStore(file) {
		nearest.Access |= t[StorePaths].Access
	}
	return nearest, own
}

// inStore tells whether file is an item of the Nix store, or lies in one.
func inStore(file string) bool {
	rest, in := sandbox.Below("/nix/store", file)
	return in && rest != ""
}

// Locate says where the places are that the paths of g are named by; grants that
// were kept do not know.
func (g *Grants) Locate(p Places) { g.places = p }

// PlacesOf are those of a host.
func PlacesOf(f *host.Facts) Places {
	return Places{Home: f.HomeReal, Project: f.ProjectRoot, Runtime: f.RuntimeDir}
}

// PathName writes an absolute path as those of g are written.
func (g *Grants) PathName(file string) string { return g.places.name(file) }
