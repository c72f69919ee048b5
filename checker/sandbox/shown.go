package sandbox

import "fmt"

// Shown is a part of the host that the jail shows, in the terms in which HostAccess
// decides: for a report that answers for paths which nobody has asked about yet.
type Shown struct {
	Mount  *Mount
	Point  string // in the jail
	Source string // canonical, on the host; an overlay has one for each layer
	// Device and Place say where Source is in its file system, whichever name it has.
	Device, Place string
	Access        Access // to what lies at Source
	Overlay       bool
	Hidden        bool // below another mount, and can be brought to light
	// Inner are the places in it that the jail mounts something on, from Source, each
	// with a leading slash.
	Inner []string
}

// Shown returns what HostAccess looks at, in the order of Located.
func (t *Tree) Shown() []Shown {
	var list []Shown
	for l := range t.Visible() {
		for _, src := range l.sources() {
			at := t.spot(src)
			s := Shown{
				Mount: l.Mount, Point: l.Point, Source: src, Device: at.device(), Place: at.path, Access: l.Access(),
				Overlay: l.Kind == MountOverlay, Hidden: l.HiddenBy != nil, Inner: []string{},
			}
			if s.Overlay && src != l.Upper && src != l.work {
				s.Access = ReadOnly
			}
			for f := range l.children {
				if rel, in := Below(l.root.host, f.host); in && f.host != "" {
					s.Inner = append(s.Inner, rel)
				}
			}
			list = append(list, s)
		}
	}
	return list
}

// device names a file system; "" when the host's mount table is not known.
func (s spot) device() string {
	if s.major == 0 && s.minor == 0 {
		return ""
	}
	return fmt.Sprintf("%d:%d", s.major, s.minor)
}

// Device names the file system of a host's mount, as Shown.Device does.
func (m *HostMount) Device() string { return spot{major: m.Major, minor: m.Minor}.device() }

// HostRoot returns the host's root mount; nil when the mount table is not known.
func (t *Tree) HostRoot() *HostMount { return t.hostT.root }
