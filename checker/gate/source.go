package gate

import (
	"errors"
	"fmt"
	"maps"
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

// pin is a source that the user, and so an agent, could swap before bwrap mounts it. The
// child has it as a descriptor: O_PATH, of the file that was judged.
type pin struct {
	option int
	source string
	number int // of the child's descriptor
}

// pathSources are the sources that j's binds name by path, by option, as far as they
// could be descriptors.
func pathSources(j *checker.Jail) map[int]string {
	sources := j.Sources()
	maps.DeleteFunc(sources, func(i int, _ string) bool { return byDescriptor[j.Sandbox.Options[i].Name] == "" })
	return sources
}

// pinnable tells which of the sources become pins.
func pinnable(j *checker.Jail, sources map[int]string) []pin {
	if !canBindDescriptors(j.Bwrap.Supports) {
		return nil
	}
	var pins []pin
	for i := range j.Sandbox.Options {
		if source, ok := sources[i]; ok && len(pins) < maxPinned && swappable(j, source) {
			pins = append(pins, pin{option: i, source: source})
		}
	}
	return pins
}

// byDescriptor are the options that take a source, and those that take a descriptor in
// its place.
var byDescriptor = map[string]string{
	"--bind": "--bind-fd", "--bind-try": "--bind-fd", "--ro-bind": "--ro-bind-fd", "--ro-bind-try": "--ro-bind-fd",
}

func canBindDescriptors(supports func(string) (bool, error)) bool {
	for _, option := range []string{"--bind-fd", "--ro-bind-fd"} {
		if ok, err := supports(option); err != nil || !ok {
			return false
		}
	}
	return true
}

// resolveSources rewrites the binds of s, which j.Tree was made from, so that bwrap
// mounts what was checked: pins become descriptors, other sources their resolved paths. A
// -try without a source is dropped, lest one appears.
func resolveSources(s *sandbox.Sandbox, j *checker.Jail, pins []pin) error {
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
		// bwrap compares a descriptor's file with what it finds at the destination
		// as written, and would find the link where that is one.
		point := j.Tree.Point(m)
		if point == "" { // bwrap would take an empty destination for the jail's root
			return fmt.Errorf("%s %s has no place in the jail, which is a bug of ocjail's", o.Name, o.Args[1])
		}
		o.Args = []string{m.Source, point}
		if len(pins) > 0 && pins[0].option == i {
			o.Name, o.Args[0] = byDescriptor[o.Name], strconv.Itoa(pins[0].number)
			pins = pins[1:]
		}
		kept = append(kept, o)
	}
	s.Options = kept
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

// openJudged opens the file at source, and makes sure that it is the one judged.
func openJudged(fs sandbox.HostFS, source string) (*os.File, error) {
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
	want, err := fs.Lstat(source)
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
