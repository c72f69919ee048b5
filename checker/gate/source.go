package gate

import (
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// maxPinned bounds the sources that are handed over as descriptors. More than 64
// open files cost a multi-threaded process milliseconds (the kernel grows its
// table), and bwrap hangs when it runs out of descriptors half-way. Sources
// beyond are bound by name, and the verification catches a swap.
const maxPinned = 40

// pinSources rewrites the binds of s, which j.Tree was made from, so that bwrap
// mounts what was checked: sources that the user, and so an agent, could swap
// meanwhile become O_PATH descriptors, others their resolved paths. A -try
// without a source is dropped, lest one appears.
func pinSources(s *sandbox.Sandbox, j *checker.Jail, d *descriptors) error {
	if err := d.unpin(); err != nil {
		return err
	}
	p := &pinner{jail: j, pass: d, byDescriptor: canBindDescriptors(j.Bwrap.Supports)}
	for n := range d.pass {
		p.next = max(p.next, n+1)
	}
	ops := j.Tree.Ops() // by option, as they come
	kept := make([]sandbox.Option, 0, len(s.Options)+1)
	for i, o := range s.Options {
		if len(ops) == 0 || ops[0].Option != i {
			kept = append(kept, o)
			continue
		}
		op := ops[0]
		ops = ops[1:]
		if op.Kind == sandbox.OpOverlay {
			kept = append(kept, resolveOverlay(kept, o, j.Tree.MountOf(i)))
			continue
		}
		if op.Kind != sandbox.OpBind || op.FD >= 0 {
			kept = append(kept, o)
			continue
		}
		m := j.Tree.MountOf(i)
		if m == nil {
			continue
		}
		pinned, err := p.pin(o, op, m.Source)
		if err != nil {
			return err
		}
		kept = append(kept, pinned)
	}
	s.Options = kept
	return nil
}

// unpin closes what was pinned before: twice as many may be more than there can be.
func (d *descriptors) unpin() error {
	for _, n := range d.pinned {
		if err := d.pass[n].Close(); err != nil {
			return fmt.Errorf("close a pinned source: %w", err)
		}
		delete(d.pass, n)
	}
	d.pinned = nil
	return nil
}

// resolveOverlay names the directories of the overlay m, of which before ends with the
// lower ones, by paths without links: those are watched.
func resolveOverlay(before []sandbox.Option, o sandbox.Option, m *sandbox.Mount) sandbox.Option {
	dirs, work := m.Layers()
	o.Args = slices.Clone(o.Args)
	if m.Upper != "" {
		o.Args[0], o.Args[1] = m.Upper, work
		dirs = dirs[1:]
	}
	for i, dir := range dirs { // top first, and bwrap has them bottom first
		before[len(before)-1-i].Args = []string{dir}
	}
	return o
}

type pinner struct {
	jail         *checker.Jail
	pass         *descriptors
	byDescriptor bool
	next, used   int
}

func canBindDescriptors(supports func(string) (bool, error)) bool {
	for _, option := range []string{"--bind-fd", "--ro-bind-fd"} {
		if ok, err := supports(option); err != nil || !ok {
			return false
		}
	}
	return true
}

func (p *pinner) pin(o sandbox.Option, op sandbox.Op, source string) (sandbox.Option, error) {
	// bwrap compares a descriptor's file with what it finds at the destination
	// as written, and would find the link where that is one.
	point := p.jail.Tree.Point(p.jail.Tree.MountOf(op.Option))
	if point == "" { // bwrap would take an empty destination for the jail's root
		return o, fmt.Errorf("%s %s has no place in the jail, which is a bug of ocjail's", o.Name, o.Args[1])
	}
	o.Args = []string{source, point}
	if !p.byDescriptor || op.Devices || p.used >= maxPinned || !swappable(p.jail, source) {
		return o, nil
	}
	f, err := p.open(source)
	if err != nil {
		return o, err
	}
	p.pass.pass[p.next], p.pass.pinned = f, append(p.pass.pinned, p.next)
	o.Name, o.Args[0] = "--bind-fd", strconv.Itoa(p.next)
	if op.ReadOnly {
		o.Name = "--ro-bind-fd"
	}
	p.next, p.used = p.next+1, p.used+1
	return o, nil
}

// open opens the file at source and makes sure that it is the one judged.
func (p *pinner) open(source string) (*os.File, error) {
	n, err := unix.Openat2(unix.AT_FDCWD, source, &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_SYMLINKS})
	if errors.Is(err, unix.ENOSYS) {
		n, err = unix.Open(source, unix.O_PATH|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	}
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ELOOP) {
		return nil, &mismatch{fmt.Sprintf("%s was replaced", strconv.Quote(source))}
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", source, err)
	}
	f := os.NewFile(uintptr(n), source)
	var st unix.Stat_t
	if err := unix.Fstat(n, &st); err != nil {
		return nil, errors.Join(fmt.Errorf("stat %s: %w", source, err), f.Close())
	}
	want, err := p.jail.FS.Lstat(source)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", source, err), f.Close())
	}
	if (sandbox.ID{Dev: st.Dev, Ino: st.Ino}) != want.ID() {
		return nil, errors.Join(&mismatch{fmt.Sprintf("%s was replaced", strconv.Quote(source))}, f.Close())
	}
	return f, nil
}

// swappable tells whether the user could replace the file at p or a directory
// on the way to it. Root owns everything; for it the home and the project count.
func swappable(j *checker.Jail, at string) bool {
	f := j.Facts
	for _, dir := range []string{f.HomeReal, f.ProjectRoot, f.CacheDir} {
		if _, below := sandbox.Below(dir, at); dir != "" && below {
			return true
		}
	}
	for ; ; at = path.Dir(at) {
		st, err := j.FS.Lstat(at)
		if err != nil || f.UID != 0 && int(st.UID) == f.UID || st.Mode&0o022 != 0 && st.Mode&unix.S_ISVTX == 0 {
			return true
		}
		if at == "/" {
			return false
		}
	}
}
