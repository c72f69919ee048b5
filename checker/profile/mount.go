package profile

import (
	"strconv"
	"strings"
)

// mount is one mount operation of bwrap's.
type mount struct {
	origin string
	option string // bwrap's: "--bind", "--ro-bind", "--symlink", "--tmpfs", "--proc", "--dev"
	source string // on the host; a link's target for --symlink; else empty
	dest   string
	size   uint64 // of a tmpfs in bytes; 0 for the kernel's default
}

// words are bwrap's words for m. --size holds for the next operation (bwrap(1)).
func (m mount) words() []string {
	var w []string
	if m.size != 0 {
		w = append(w, "--size", strconv.FormatUint(m.size, 10))
	}
	w = append(w, m.option)
	if m.source != "" {
		w = append(w, m.source)
	}
	return append(w, m.dest)
}

// mounts is a list in bwrap's order: a later one hides an earlier one.
type mounts []mount

// shows tells whether p of the host is at p in the jail too.
func (ms mounts) shows(p string) bool {
	for i := len(ms) - 1; i >= 0; i-- {
		m := ms[i]
		if !below(p, m.dest) {
			continue
		}
		switch m.option {
		case "--bind", "--ro-bind":
			return m.source == m.dest
		case "--symlink":
			return p == m.dest
		}
		return false
	}
	return false
}

// showsAll tells whether p can be reached inside by the same links.
func (ms mounts) showsAll(p string, links []string) bool {
	for _, l := range links {
		if !ms.shows(l) {
			return false
		}
	}
	return ms.shows(p)
}

// at returns the index of the mount on dest, or -1.
func (ms mounts) at(dest string) int {
	for i, m := range ms {
		if m.dest == dest {
			return i
		}
	}
	return -1
}

// depth counts the components of p.
func depth(p string) int {
	if p == "/" {
		return 0
	}
	return strings.Count(p, "/")
}
