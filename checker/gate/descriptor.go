package gate

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/inmate"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// descriptors are the open files that the argv names, as the jail may have them.
type descriptors struct {
	// pass is what bwrap gets in place of each number.
	pass map[int]*os.File
	// filters are the seccomp programs among them.
	filters map[int][]byte
	// pipes are those of the caller that the command keeps. They may be prepared more
	// than once.
	pipes map[int]*os.File
	// consumed are numbers that bwrap would have read to the end.
	consumed map[int]bool
	// info and block belong to the caller: ocjail uses bwrap's own for itself,
	// and does for the caller what bwrap would have done.
	info, block *os.File
	// description is what the jail of describedJail is told of itself.
	description   *inmate.Description
	describedJail *checker.Jail
}

func newDescriptors() *descriptors {
	return &descriptors{pass: map[int]*os.File{}, filters: map[int][]byte{}, pipes: map[int]*os.File{}, consumed: map[int]bool{}}
}

// readArgs reads an --args descriptor for the parser.
func (d *descriptors) readArgs(n int) ([]byte, error) {
	if err := checkType(n, "--args", dataTypes); err != nil {
		return nil, err
	}
	d.consumed[n] = true
	return readDescriptor(n)
}

// fileTypes is a set of st_mode's type bits; 0 is an anonymous inode (eventfd).
type fileTypes map[uint32]string

var (
	dataTypes = fileTypes{unix.S_IFREG: "file", unix.S_IFIFO: "pipe", unix.S_IFSOCK: "socket"}
	// A process of the jail holds these, and another may open them again.
	heldTypes = fileTypes{unix.S_IFIFO: "pipe", unix.S_IFSOCK: "socket", 0: "eventfd"}
	// bwrap's outer process alone writes these.
	infoTypes = fileTypes{unix.S_IFREG: "file", unix.S_IFIFO: "pipe", unix.S_IFSOCK: "socket"}
	bindTypes = fileTypes{unix.S_IFREG: "file", unix.S_IFDIR: "directory", unix.S_IFSOCK: "socket", unix.S_IFIFO: "pipe"}
)

// uses tells what each option does with its descriptor, and of what type it may
// be. Options that are missing here are refused by the checks before.
var uses = map[string]struct {
	types fileTypes
	read  bool // bwrap reads it to the end
}{
	"--file": {dataTypes, true}, "--bind-data": {dataTypes, true}, "--ro-bind-data": {dataTypes, true},
	"--seccomp": {dataTypes, true}, "--add-seccomp-fd": {dataTypes, true},
	"--bind-fd": {bindTypes, false}, "--ro-bind-fd": {bindTypes, false},
	"--sync-fd": {heldTypes, false}, "--block-fd": {heldTypes, false},
	"--info-fd": {infoTypes, false}, "--json-status-fd": {infoTypes, false},
}

// take looks at every descriptor that s names, copies what bwrap would read into
// sealed memory, and takes --info-fd and --block-fd out of s.
func (d *descriptors) take(s *sandbox.Sandbox) error {
	for _, use := range s.Descriptors() {
		how, ok := uses[use.Name]
		if !ok {
			continue
		}
		if err := checkType(use.FD, use.Name, how.types); err != nil {
			return err
		}
		if how.read {
			if err := d.copy(use); err != nil {
				return err
			}
			continue
		}
		if use.FD <= 2 && use.Name != "--info-fd" && use.Name != "--json-status-fd" {
			return fmt.Errorf("%s %d: use a descriptor above 2, for the jail needs its standard ones", use.Name, use.FD)
		}
		d.pass[use.FD] = os.NewFile(uintptr(use.FD), use.Name)
	}
	return d.own(s)
}

func (d *descriptors) copy(use sandbox.Descriptor) error {
	data, err := readDescriptor(use.FD)
	if err != nil {
		return fmt.Errorf("%s: read descriptor %d: %w", use.Name, use.FD, err)
	}
	d.consumed[use.FD] = true
	if strings.Contains(use.Name, "seccomp") {
		d.filters[use.FD] = data
	}
	d.pass[use.FD], err = sealed(use.Name, data)
	return err
}

// own takes the options that ocjail needs itself. Of several --seccomp only the
// last one counts for bwrap, which also refuses it beside --add-seccomp-fd.
func (d *descriptors) own(s *sandbox.Sandbox) error {
	last := map[string]int{}
	for i, o := range s.Options {
		last[o.Name] = i
	}
	kept := make([]sandbox.Option, 0, len(s.Options))
	for i, o := range s.Options {
		switch o.Name {
		case "--info-fd", "--block-fd":
			if i == last[o.Name] {
				if err := d.keep(o); err != nil {
					return err
				}
			}
			continue
		case "--seccomp":
			if i != last[o.Name] {
				continue
			}
			o.Name = "--add-seccomp-fd"
		}
		kept = append(kept, o)
	}
	s.Options = kept
	return nil
}

func (d *descriptors) keep(o sandbox.Option) error {
	n, err := strconv.Atoi(o.Args[0])
	if err != nil {
		return fmt.Errorf("%s: %w", o.Name, err)
	}
	if o.Name == "--info-fd" {
		d.info = d.pass[n]
	} else {
		d.block = d.pass[n]
	}
	delete(d.pass, n)
	return nil
}

// tell writes what bwrap wrote to its --info-fd to the caller's.
func (d *descriptors) tell(info []byte) error {
	if d.info == nil {
		return nil
	}
	_, err := d.info.Write(append(info, '\n'))
	if err := errors.Join(err, d.info.Close()); err != nil {
		return fmt.Errorf("--info-fd: %w", err)
	}
	d.info = nil
	return nil
}

// await waits as --block-fd says: for a byte, or for the end of the file.
func (d *descriptors) await(meanwhile func() error) error {
	fds := []unix.PollFd{{Fd: int32(d.block.Fd()), Events: unix.POLLIN}}
	for {
		if err := meanwhile(); err != nil {
			return err
		}
		n, err := unix.Poll(fds, 20)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("--block-fd: %w", err)
		}
		if n <= 0 {
			continue
		}
		if _, err := d.block.Read(make([]byte, 1)); err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("--block-fd: %w", err)
		}
		d.block = nil // a second attempt need not wait again
		return nil
	}
}

func checkType(n int, option string, allowed fileTypes) error {
	var st unix.Stat_t
	if err := unix.Fstat(n, &st); err != nil {
		return fmt.Errorf("%s %d: %w; open it before ocjail starts, as in %d<FILE", option, n, err, n)
	}
	if _, ok := allowed[st.Mode&unix.S_IFMT]; !ok {
		names := slices.Sorted(maps.Values(allowed))
		return fmt.Errorf("%s %d: is no %s, and another type could give the jail more than was checked", option, n, strings.Join(names, ", "))
	}
	return nil
}

// closeOnExec keeps every descriptor above 2 from the jail: bwrap closes none.
func closeOnExec() error {
	err := unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
	if err == nil || !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.EINVAL) {
		return err
	}
	entries, err := os.ReadDir("/proc/self/fd") // before Linux 5.11
	if err != nil {
		return fmt.Errorf("open descriptors: %w", err)
	}
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil && n > 2 {
			unix.CloseOnExec(n)
		}
	}
	return nil
}

// pathOf names the file behind a descriptor. The kernel adds a word to names that are
// gone (proc(5)), which a file's own name can end in as well. The error is a
// [checker.GoneError] then.
func pathOf(n int) (string, error) {
	p, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(n))
	if err != nil {
		return "", err
	}
	if !strings.HasPrefix(p, "/") {
		return "", fmt.Errorf("descriptor %d has no name (%q)", n, p)
	}
	name, gone := strings.CutSuffix(p, " (deleted)")
	if !gone {
		return p, nil
	}
	var st unix.Stat_t
	if err := unix.Fstat(n, &st); err != nil {
		return "", fmt.Errorf("descriptor %d: %w", n, err)
	}
	is := sandbox.ID{Dev: st.Dev, Ino: st.Ino}
	if at, err := identity(p); err == nil && at == is {
		return p, nil
	}
	return "", &checker.GoneError{Descriptor: n, Path: name, ID: is}
}
