package checker

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// Input writes the document that rules judge. now is the evaluation's fixed time.
func (j *Jail) Input(now time.Time) (*Input, error) {
	b := &inputBuilder{Jail: j, index: map[*sandbox.Mount]int{}, hidden: map[*sandbox.Mount]*sandbox.Mount{}}
	for _, l := range j.Tree.Located() {
		b.hidden[l.Mount] = l.HiddenBy
	}
	if err := b.places(); err != nil {
		return nil, err
	}
	s := j.Sandbox
	added, dropAll := s.Capabilities()
	in := &Input{
		Version: InputVersion, Phase: string(j.Phase), Now: now.UTC().Format(time.RFC3339),
		Jail: InputJail{
			Name: j.Name, Command: s.Command, Mounts: b.mounts(), Env: b.Env(), Namespaces: b.namespaces(),
			Session: InputSession{
				NewSession: s.Has("--new-session"), DieWithParent: s.Has("--die-with-parent"),
				TIOCSTIFilter: j.Filter, VSockFilter: j.CanFilter, Terminal: j.Interactive,
			},
			Capabilities: InputCapabilities{Add: append([]string{}, added...), DropAll: dropAll},
			Seccomp:      b.seccomp(), BusProxies: b.busProxies(), DisableUsers: s.Has("--disable-userns"),
		},
		Host: b.host(), Watched: b.watched(), Params: map[string]map[string]any{},
	}
	var err error
	if in.Agent, err = b.agent(); err != nil {
		return nil, err
	}
	if o := s.Last("--hostname"); o != nil {
		in.Jail.Hostname = o.Args[0]
	}
	return in, nil
}

type inputBuilder struct {
	*Jail
	index  map[*sandbox.Mount]int // position in mounts
	hidden map[*sandbox.Mount]*sandbox.Mount
	// known are directories that a mount may cover, with the ancestors of home.
	known []knownPlace
	// copies are the host files that data comes from.
	copies []copyOf
}

type knownPlace struct {
	name string
	id   sandbox.ID
	path string
}

// places notes the well-known directories: "root", "home", "home-parent" and
// "project" in a mount's covers.
func (b *inputBuilder) places() error {
	add := func(name, p string) error {
		if p == "" {
			return nil
		}
		st, err := b.FS.Lstat(p)
		if err != nil {
			return err
		}
		b.known = append(b.known, knownPlace{name, st.ID(), p})
		return nil
	}
	if err := add("root", "/"); err != nil {
		return err
	}
	home := b.Facts.HomeReal
	if err := add("home", home); err != nil {
		return err
	}
	for p := path.Dir(home); home != "" && p != "/"; p = path.Dir(p) {
		if err := add("home-parent", p); err != nil {
			return err
		}
	}
	return add("project", b.Facts.ProjectRoot)
}

// covers names the well-known places that source is, or lies above.
func (b *inputBuilder) covers(source string) []string {
	names := []string{}
	if source == "" {
		return names
	}
	id := sandbox.ID{}
	if st, err := b.FS.Lstat(source); err == nil {
		id = st.ID()
	}
	for _, k := range b.known {
		_, above := sandbox.Below(source, k.path)
		same := k.path == source || id != sandbox.ID{} && k.id == id
		if (same || k.name == "project" && above) && !slices.Contains(names, k.name) {
			names = append(names, k.name)
		}
	}
	return names
}

func (b *inputBuilder) mounts() []InputMount {
	list := []InputMount{}
	option := map[int]int{} // option index -> position
	for _, op := range b.Tree.Ops() {
		if op.Kind == sandbox.OpSymlink || op.Kind == sandbox.OpDir || op.Kind == sandbox.OpChmod {
			continue
		}
		option[op.Option] = len(list)
		in := b.mount(op)
		if from := b.Copied(b.Sandbox.Options[op.Option]); from != nil {
			in.SourceReal, in.Type = from.Path, string(sandbox.Regular)
			b.copies = append(b.copies, b.copyOf(from, in.Dest, len(list)))
		}
		list = append(append(list, in), b.layers(op, in)...)
	}
	for _, m := range b.Tree.Mounts() {
		if i, ok := option[m.Option]; ok {
			b.index[m] = i
		}
	}
	for m, i := range b.index {
		if by := b.hidden[m]; by != nil && !m.Implied {
			if k, ok := b.index[by]; ok {
				list[i].ShadowedBy = &k
				for n := i + 1; n < len(list) && list[n].Op == layerOp; n++ {
					list[n].ShadowedBy = &k
				}
			}
		}
	}
	b.copies = slices.DeleteFunc(b.copies, func(c copyOf) bool { return list[c.mount].ShadowedBy != nil })
	return list
}

func (b *inputBuilder) mount(op sandbox.Op) InputMount {
	o := b.Sandbox.Options[op.Option]
	in := InputMount{
		Op: strings.TrimPrefix(o.Name, "--"), Access: string(sandbox.None), Dest: path.Clean("/" + op.Dest),
		Type: string(sandbox.Unknown), Optional: op.Try, Origin: o.Origin, Hardening: o.Added != "",
		Certain: !b.Tree.Guessed(), Covers: []string{}, Repositories: []string{},
	}
	if op.Kind == sandbox.OpBind || op.Kind == sandbox.OpOverlay {
		in.Source = b.byHome(op.Source)
	}
	m := b.Tree.MountOf(op.Option)
	if m == nil {
		if op.Kind == sandbox.OpFile || op.Kind == sandbox.OpRemount {
			in.Access, in.Exists = string(sandbox.ReadOnly), true
		}
		return in
	}
	in.Access, in.Exists = string(m.Access()), true
	in.SourceReal = m.Source
	if m.Upper != "" {
		in.SourceReal = m.Upper
	}
	in.Type = string(sandbox.Dir)
	if m.Kind == sandbox.MountData {
		in.Type = string(sandbox.Regular)
	}
	if m.Kind == sandbox.MountTmpfs && op.Size > 0 {
		in.Size = &op.Size
	}
	if in.SourceReal != "" {
		in.Type = string(sandbox.Unknown)
		if st, err := b.FS.Lstat(in.SourceReal); err == nil {
			in.Type = string(st.Type)
		}
		in.Covers = b.covers(in.SourceReal)
	}
	mayHold := in.Type == string(sandbox.Dir) || in.Type == string(sandbox.Unknown)
	in.Propagates = mayHold && m.Kind == sandbox.MountHost && m.Shared
	in.Repositories = b.repositories(in)
	return in
}

// byHome names what lies in the home as rules know that, where the home is a link.
func (b *inputBuilder) byHome(p string) string {
	if rest, in := sandbox.Below(b.Facts.Home, p); in && b.Facts.Home != b.Facts.HomeReal {
		return path.Join(b.Facts.HomeReal, rest)
	}
	return p
}

const layerOp = "overlay-src"

// layers are the lower layers of an overlay, which show their files unless an
// upper one replaced them.
func (b *inputBuilder) layers(op sandbox.Op, overlay InputMount) []InputMount {
	if op.Kind != sandbox.OpOverlay {
		return nil
	}
	var list []InputMount
	for _, lower := range op.Lower {
		in := overlay
		in.Repositories = []string{}
		in.Op, in.Access, in.Source, in.SourceReal = layerOp, string(sandbox.ReadOnly), b.byHome(lower), ""
		if !path.IsAbs(lower) {
			lower = b.Cwd + "/" + lower
		}
		real, err := b.FS.RealPath(lower)
		in.Exists, in.Certain = err == nil, in.Certain && err == nil
		if err == nil {
			in.SourceReal, in.Covers = real.Path, b.covers(real.Path)
		}
		list = append(list, in)
	}
	return list
}

// namespaces adds to what is asked for what bwrap does by itself: started by an
// ordinary user it always unshares the user namespace.
func (b *inputBuilder) namespaces() map[string]string {
	ns := b.Sandbox.Namespaces()
	if b.Facts.UID != 0 {
		ns["user"] = "unshared"
	}
	return ns
}

func (b *inputBuilder) seccomp() []InputSeccomp {
	list := []InputSeccomp{}
	for _, d := range b.Sandbox.Descriptors() {
		if d.Name != "--seccomp" && d.Name != "--add-seccomp-fd" {
			continue
		}
		f := InputSeccomp{}
		if data, ok := b.Filters[d.FD]; ok {
			sum := sha256.Sum256(data)
			f.SHA256 = hex.EncodeToString(sum[:])
		}
		list = append(list, f)
	}
	if b.CanFilter {
		list = append(list, InputSeccomp{Own: true})
	}
	return list
}
