package checker

import (
	"path"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

func (b *inputBuilder) host() InputHost {
	f := b.Facts
	h := InputHost{
		Known: true, Home: f.HomeReal, User: f.User, UID: f.UID, ProjectRoot: f.ProjectRoot,
		RuntimeDir: f.RuntimeDir, LegacyTIOCSTI: f.LegacyTIOCSTI, UserNS: f.UserNS, Landlock: f.Landlock,
		GitStray: []InputStray{}, Listening: b.listening(), NixTrusted: b.nixTrusted(),
	}
	if f.Git != nil {
		h.GitDir, h.GitCommonDir = f.Git.Dir, f.Git.CommonDir
		for _, s := range f.Git.Stray {
			h.GitStray = append(h.GitStray, InputStray{File: s.File, Target: s.Target})
		}
	}
	if b.Bwrap != nil {
		setuid := b.Bwrap.Setuid
		h.Bwrap = InputBwrap{Path: b.Bwrap.Path, Setuid: &setuid}
	}
	return h
}

// listening asks only when the jail could connect.
func (b *inputBuilder) listening() []int {
	if b.Sandbox.Namespaces()["net"] == "unshared" {
		return nil
	}
	ports, err := b.FS.Listening()
	if err != nil {
		return nil
	}
	return ports
}

// nixTrusted asks only when the jail reaches the daemon.
func (b *inputBuilder) nixTrusted() *bool {
	for _, w := range b.Watched {
		if w.Path == nixSocket && b.Tree.Widest(w.Path).Access != sandbox.None {
			trusted, err := b.FS.NixTrusts(b.Facts)
			if err != nil {
				return nil
			}
			return &trusted
		}
	}
	return nil
}

// nixSocket is the folder of the Nix daemon's socket, as policy/data watches it.
const nixSocket = "/nix/var/nix/daemon-socket"

// watched tells for each watched path the widest way in.
func (b *inputBuilder) watched() []InputWatch {
	list := make([]InputWatch, 0, len(b.Watched))
	for _, w := range b.Watched {
		in := InputWatch{
			Path: w.Path, Class: w.Class, Exists: w.Exists, Type: string(w.Type), Access: string(sandbox.None),
			Tracked: w.Tracked, Nlink: w.Nlink, Protect: w.Protect, Reason: w.Reason,
		}
		if way := b.widest(w); way.Mount != nil {
			in.Access, in.How, in.Inside = string(way.Access), string(way.How), way.Inside
			if i, ok := b.index[way.Mount]; ok {
				in.Via = &i
			}
		}
		b.appearing(&in)
		b.copied(&in, w.ID)
		list = append(list, in)
	}
	return list
}

// appearing notes a socket that is not there, and will be in the jail as soon as
// its service makes it, in a folder that is.
func (b *inputBuilder) appearing(in *InputWatch) {
	if in.Class != "socket" || in.Exists == nil || *in.Exists || in.Via != nil {
		return
	}
	dir := path.Dir(in.Path)
	for ; dir != "/"; dir = path.Dir(dir) {
		if _, err := b.FS.Lstat(dir); err == nil {
			break
		}
	}
	for _, way := range b.Tree.HostAccess(dir) {
		i, ok := b.index[way.Mount]
		if rest, _ := sandbox.Below(dir, in.Path); ok && way.How != sandbox.ByBelow && way.Access != sandbox.None {
			in.Access, in.How, in.Inside, in.Via = string(way.Access), howAppears, path.Join(way.Inside, rest), &i
			return
		}
	}
}

// howAppears is a word beside those of sandbox.How.
const howAppears = "appear"

// widest is the widest way to w. The few devices that --dev makes, and the
// terminal that it binds as the jail's console, are the jail's own.
func (b *inputBuilder) widest(w Watched) sandbox.Reach {
	for _, way := range b.Tree.HostAccess(w.Path) {
		if w.Class != "device" || way.Mount.Option < 0 || b.Sandbox.Options[way.Mount.Option].Name != "--dev" {
			return way
		}
	}
	return sandbox.Reach{Access: sandbox.None}
}
