package sandbox

import (
	"strconv"
	"strings"
)

// OpKind is what a file-system operation does.
type OpKind string

// The kinds of operation.
const (
	OpBind    OpKind = "bind"
	OpRemount OpKind = "remount-ro"
	OpOverlay OpKind = "overlay"
	OpProc    OpKind = "proc"
	OpDev     OpKind = "dev"
	OpTmpfs   OpKind = "tmpfs"
	OpMqueue  OpKind = "mqueue"
	OpDir     OpKind = "dir"
	OpFile    OpKind = "file"
	OpData    OpKind = "data"
	OpSymlink OpKind = "symlink"
	OpChmod   OpKind = "chmod"
)

// Op is one file-system operation, its modifiers folded in.
type Op struct {
	Option   int // index of the option itself in Sandbox.Options
	Kind     OpKind
	Source   string // of a bind; target of a symlink; upper directory of an overlay
	Dest     string
	FD       int // of --bind-fd, --file and the data options, else -1
	ReadOnly bool
	Devices  bool // --dev-bind: device files work
	Try      bool // an absent source is skipped
	Perms    int  // octal permissions, -1 when none were given
	Size     uint64
	Work     string   // work directory of an overlay
	Lower    []string // lower layers of an overlay, bottom first
}

// Ops returns the file-system operations in bwrap's order.
func (s *Sandbox) Ops() []Op {
	ops := make([]Op, 0, len(s.Options))
	next := Op{FD: -1, Perms: -1}
	for i, o := range s.Options {
		spec := specByName[o.Name]
		switch {
		case spec == nil:
		case spec.Class == modifier:
			next.addModifier(o)
		case spec.Class == fileOp:
			next.Option = i
			next.fill(o)
			ops = append(ops, next)
			next = Op{FD: -1, Perms: -1}
		}
	}
	return ops
}

func (op *Op) addModifier(o Option) {
	switch o.Name {
	case "--perms":
		n, _ := strconv.ParseUint(o.Args[0], 8, 32)
		op.Perms = int(n)
	case "--size":
		op.Size, _ = parseSize(o.Args[0])
	case "--overlay-src":
		op.Lower = append(op.Lower, o.Args[0])
	}
}

// opKinds maps options to what they do.
var opKinds = map[string]Op{
	"--bind":         {Kind: OpBind},
	"--bind-try":     {Kind: OpBind, Try: true},
	"--dev-bind":     {Kind: OpBind, Devices: true},
	"--dev-bind-try": {Kind: OpBind, Devices: true, Try: true},
	"--ro-bind":      {Kind: OpBind, ReadOnly: true},
	"--ro-bind-try":  {Kind: OpBind, ReadOnly: true, Try: true},
	"--bind-fd":      {Kind: OpBind},
	"--ro-bind-fd":   {Kind: OpBind, ReadOnly: true},
	"--remount-ro":   {Kind: OpRemount, ReadOnly: true},
	"--overlay":      {Kind: OpOverlay},
	"--tmp-overlay":  {Kind: OpOverlay},
	"--ro-overlay":   {Kind: OpOverlay, ReadOnly: true},
	"--proc":         {Kind: OpProc},
	"--dev":          {Kind: OpDev},
	"--tmpfs":        {Kind: OpTmpfs},
	"--mqueue":       {Kind: OpMqueue},
	"--dir":          {Kind: OpDir},
	"--file":         {Kind: OpFile},
	"--bind-data":    {Kind: OpData},
	"--ro-bind-data": {Kind: OpData, ReadOnly: true},
	"--symlink":      {Kind: OpSymlink},
	"--chmod":        {Kind: OpChmod},
}

func (op *Op) fill(o Option) {
	kind := opKinds[o.Name]
	op.Kind, op.ReadOnly, op.Devices, op.Try = kind.Kind, kind.ReadOnly, kind.Devices, kind.Try
	op.Dest = o.Args[len(o.Args)-1]
	spec := specByName[o.Name]
	switch {
	case spec.fdIndex() >= 0:
		op.FD, _ = strconv.Atoi(o.Args[spec.fdIndex()])
	case o.Name == "--overlay":
		op.Source, op.Work = o.Args[0], o.Args[1]
	case o.Name == "--chmod":
		n, _ := strconv.ParseUint(o.Args[0], 8, 32)
		op.Perms = int(n)
	case len(o.Args) == 2:
		op.Source = o.Args[0]
	}
}

// ExpandHome replaces a leading "~/" (or a lone "~") in the sources and
// destinations of file operations by home, and returns the indices of the
// options that it changed. bwrap knows no tilde, but jail.nix quotes its
// arguments, so that a documented "~/x" reaches it literally.
func (s *Sandbox) ExpandHome(home string) []int {
	var changed []int
	for i := range s.Options {
		o := &s.Options[i]
		spec := specByName[o.Name]
		if spec == nil {
			continue
		}
		for k, kind := range spec.Operands {
			if kind != source && kind != dest {
				continue
			}
			if rest, ok := strings.CutPrefix(o.Args[k], "~"); ok && (rest == "" || rest[0] == '/') {
				o.setArg(k, home+rest)
				changed = append(changed, i)
			}
		}
	}
	return changed
}
