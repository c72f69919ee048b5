package grants

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/manifest"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// surveyor finds out what of the host the jail's mounts show. The access of a path
// can change only where a mount begins, or where another is mounted into it: these
// places are marked, and the model is asked for each.
type surveyor struct {
	jail    *checker.Jail
	grants  *Grants
	points  map[*sandbox.Mount]string
	marks   map[string]bool
	sockets map[string]bool
	data    map[string]bool // host files whose content the jail gets a copy of
}

func (s *surveyor) paths() {
	s.points, s.marks, s.sockets, s.data = map[*sandbox.Mount]string{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	located := s.jail.Tree.Located()
	for _, l := range located {
		s.points[l.Mount] = l.Point
	}
	for _, l := range located {
		if !s.added(l.Mount) && !s.ownDevice(l.Mount) {
			s.mark(l)
		}
	}
	for _, l := range located {
		if l.Kind == sandbox.MountOverlay && s.reaches(l) {
			s.grants.Overlays = append(s.grants.Overlays, s.overlay(l, located))
		}
	}
	s.copied()
	s.grants.Paths = s.reduce()
}

// copied marks the host files that bwrap copies from descriptors into the jail. A name
// that is gone counts where another file has it: here-documents had another one at each
// launch.
func (s *surveyor) copied() {
	for _, o := range s.jail.Asked.Options {
		from := s.jail.Copied(o)
		if from == nil {
			continue
		}
		if _, err := s.jail.FS.Lstat(from.Path); err == nil || !from.Gone {
			s.marks[from.Path], s.data[from.Path] = true, true
		}
	}
}

// mark notes where l begins on the host, and what of the mount below it hides.
func (s *surveyor) mark(l sandbox.Located) {
	switch {
	case l.Kind == sandbox.MountHost:
		s.marks[l.Source] = true
		if st, err := s.jail.FS.Lstat(l.Source); err == nil && st.Type == sandbox.Socket {
			s.sockets[l.Source] = true
		}
	case l.Kind == sandbox.MountProc && l.Source != "":
		s.grants.HostProcesses = true
	}
	if below := l.Parent(); below != nil && below.Kind == sandbox.MountHost {
		if rel, in := sandbox.Below(s.points[below], l.Point); in {
			s.marks[path.Join(below.Source, rel)] = true
		}
	}
}

// added tells whether m is ocjail's own.
func (s *surveyor) added(m *sandbox.Mount) bool {
	return m.Option >= 0 && s.jail.Sandbox.Options[m.Option].Added != ""
}

// ownDevice tells whether m is one of the few devices that --dev brings, or the
// jail's terminal, which is another at each launch.
func (s *surveyor) ownDevice(m *sandbox.Mount) bool {
	return m.Implied && m.Option >= 0 && s.jail.Sandbox.Options[m.Option].Name == "--dev"
}

// access is that of a host path by its own name, with ocjail's mounts taken for
// those that they lie on: they protect, and keep folders in place, and grant nothing.
func (s *surveyor) access(file string) Access {
	var a Access
	for _, way := range s.jail.Tree.HostAccess(file) {
		m := way.Mount
		if way.How == sandbox.ByBelow || m.Kind != sandbox.MountHost || s.ownDevice(m) {
			continue
		}
		if _, named := sandbox.Below(m.Source, file); !named {
			continue // another name of it, which has a mark of its own
		}
		for m != nil && s.added(m) {
			m = m.Parent()
		}
		if m != nil {
			a |= accessOf(m)
		}
	}
	return a
}

func accessOf(m *sandbox.Mount) Access {
	a := Read
	if !m.ReadOnly {
		a |= Write
	}
	if m.Devices {
		a |= Device
	}
	return a
}

// reduce asks for each mark and keeps those that differ from what lies above.
func (s *surveyor) reduce() []Path {
	t, single := table{}, false
	for _, file := range slices.Sorted(maps.Keys(s.marks)) {
		if _, open := sandbox.Below(strings.TrimSuffix(manifest.Undecided, "/"), file); open {
			s.grants.Undecided = append(s.grants.Undecided, fmt.Sprintf("%s: a path that is only known when the jail starts (%s)", path.Base(file), s.access(file)))
			continue
		}
		if s.busSocket(file) {
			continue
		}
		a := s.access(file)
		if s.data[file] {
			a |= Read
		}
		if inStore(file) && a&^Read == None {
			single = single || a == Read
			continue
		}
		above, _ := t.at(path.Dir(file))
		if a != above.Access {
			t[file] = Path{Path: file, Access: a, Socket: s.sockets[file]}
		}
	}
	if at, _ := t.at("/nix/store"); single && at.Access&Read == 0 {
		t[StorePaths] = Path{Path: StorePaths, Access: Read}
	}
	paths := make([]Path, 0, len(t))
	for _, p := range t {
		p.Path = s.grants.places.name(p.Path)
		paths = append(paths, p)
	}
	slices.SortFunc(paths, func(a, b Path) int { return strings.Compare(a.Path, b.Path) })
	return paths
}

// busSocket tells whether file is how the jail reaches the bus proxy that it is
// told to use: a folder of its own with another name each time. The names that the
// proxy opens are counted.
func (s *surveyor) busSocket(file string) bool {
	bus := s.jail.Bus
	return bus != nil && !bus.Command && (file == bus.Socket || file == bus.Directory)
}

// reaches tells whether an overlay is to be seen, or could be brought to light.
func (s *surveyor) reaches(l sandbox.Located) bool {
	layers, _ := l.Layers()
	return slices.ContainsFunc(layers, func(dir string) bool {
		return slices.ContainsFunc(s.jail.Tree.HostAccess(dir), func(way sandbox.Reach) bool { return way.Mount == l.Mount })
	})
}

// overlay describes an overlay, with what is mounted into it.
func (s *surveyor) overlay(l sandbox.Located, all []sandbox.Located) string {
	layers, work := l.Layers()
	words := []string{"layers"}
	for _, dir := range layers {
		words = append(words, s.grants.places.name(dir))
	}
	if work != "" && !l.ReadOnly {
		words = append(words, "written to the first, by way of", s.grants.places.name(work))
	}
	for _, c := range all {
		if c.Parent() == l.Mount && !s.added(c.Mount) {
			rel, _ := sandbox.Below(l.Point, c.Point)
			words = append(words, "under", rel)
		}
	}
	return strings.Join(words, " ")
}
