package gate

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// verifier compares the jail that bwrap built with the one that was checked.
//
// bwrap mounts by path, so between check and mount an agent in another jail of
// the same project can swap directories. What counts is therefore read from the
// child: its mount table, and the identity of what each mount shows. This also
// turns a mistake of the model into a refusal.
type verifier struct {
	expected *expectation
	child    int
	blockFD  int // what it waits for when bwrap is done
	hostRoot
	// meanwhile is called over and over while bwrap works.
	meanwhile func() error
	// built is called, more than once, when bwrap seems to be done; nil for nobody.
	built func()
	// seen are the mounts in which the last look found what is shown; 0 is unknown.
	seen []int
}

// hostRoot is the root that bwrap begins with: the host's.
type hostRoot struct {
	root  sandbox.ID
	known bool
	kept  bool // the jail has it too
}

func hostRootOf(tree *sandbox.Tree) hostRoot {
	root, err := identity("/")
	s := hostRoot{root: root, known: err == nil}
	for _, l := range tree.InJail() {
		if l.Point == "/" && l.Kind == sandbox.MountHost {
			at, err := identity(l.Source)
			s.kept = s.kept || err != nil || at == root
		}
	}
	return s
}

// mismatch says in what the jail differs from what was checked.
type mismatch struct{ text string }

func (m *mismatch) Error() string {
	return "the jail that bwrap built is not the one that was checked: " + m.text +
		"; nothing was started (something changed files meanwhile, or this is a bug of ocjail's)"
}

// settleLimit is how long the mount table may stay the same and wrong before
// that is taken for bwrap's final word.
const settleLimit = 200 * time.Millisecond

// longestLook is what a look counts at most: we were stopped (^Z), and bwrap with us,
// when it took longer.
const longestLook = settleLimit / 4

// wait polls until the child's mounts are as expected. They change while bwrap
// works, so neither a difference nor its absence counts before bwrap is done; where
// that is not known, a difference counts only when nothing moves any more.
func (v *verifier) wait(limit time.Duration) error {
	look := func() error {
		if err := v.meanwhile(); err != nil {
			return err
		}
		done, known := blocked(v.child, v.blockFD)
		if known && !done {
			return v.atWork()
		}
		return v.once(done)
	}
	return settle(look, v.final, limit)
}

// atWork tells that bwrap is not done, unless it has ended. What has ended has no root
// any more, even while nobody has waited for it.
func (v *verifier) atWork() error {
	if _, err := identity(v.path("/")); errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESRCH) {
		return errSetup
	}
	return errUnfinished
}

// settle looks until nothing is wrong, or a mismatch has been so for a while, and
// bwrap was done before it was looked at: it may be done by the time that that is told.
// What is unfinished may be so until limit has passed: a signal has bwrap, when it is
// done, begin its read anew, and look busy for a moment.
func settle(look func() error, final func() bool, limit time.Duration) error {
	var last string
	var passed, since time.Duration // of looking, and by then it was as it is
	for at := time.Now(); ; {
		done := passed-since > settleLimit && final()
		err := look()
		var m *mismatch
		wrong := errors.As(err, &m)
		if err == nil || !wrong && !errors.Is(err, errUnfinished) {
			return err
		}
		now := time.Now()
		passed += min(now.Sub(at), longestLook)
		at = now
		if text := err.Error(); text != last {
			last, since, done = text, passed, false
		}
		if wrong && done || passed > limit {
			return err
		}
		// The jail is not to wait for us, and looking takes some 10 microseconds
		// while bwrap is at work.
		pause := unix.NsecToTimespec(max(100*time.Microsecond, min(passed/100, 5*time.Millisecond)).Nanoseconds())
		_ = unix.Nanosleep(&pause, nil) // a signal may end it
	}
}

// final tells whether bwrap is done, as far as that is known.
func (v *verifier) final() bool {
	if done, known := blocked(v.child, v.blockFD); known {
		return done
	}
	return v.left()
}

// left tells whether bwrap has left its staging root, and not only the host's still to
// leave, which has no such folders either.
func (v *verifier) left() bool {
	return !v.staging() && (errors.Is(unix.Access(v.path("/newroot"), unix.F_OK), unix.ENOENT) ||
		errors.Is(unix.Access(v.path("/oldroot"), unix.F_OK), unix.ENOENT))
}

func (v *verifier) path(inside string) string {
	return "/proc/" + strconv.Itoa(v.child) + "/root" + inside
}

// once looks at what the mounts show, and at the mounts after that, which must be the ones
// that showed it: who renames what lies around a mount brings it to another place, or
// another file to its place, without detaching it. Where bwrap may not be done, or the
// kernel does not tell which mount shows a file, it looks at the mounts before as well. What
// is wrong with them is told first, for settle takes another text for a change.
func (v *verifier) once(done bool) error {
	if v.staging() {
		return errUnfinished
	}
	if v.built != nil {
		v.built()
	}
	v.seen = nil
	if !done {
		if err := v.mounts(); err != nil {
			return err
		}
	}
	differ := v.identities()
	if err := v.mounts(); err != nil {
		return err
	}
	if differ == nil && done && slices.Contains(v.seen, 0) {
		return v.once(false)
	}
	return differ
}

// errUnfinished is no mismatch: what took that long would take as long once more.
var errUnfinished = errors.New("bwrap did not finish the jail in time; nothing was started: see whether the machine is very busy, or a file system that the jail shows does not answer")

// mounts compares the child's mount table with the model.
func (v *verifier) mounts() error {
	data, err := v.table()
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) || errors.Is(err, unix.EINVAL) {
		return errSetup
	}
	if err != nil {
		return fmt.Errorf("mounts of the jail: %w", err)
	}
	if len(data) == 0 { // between bwrap's two pivot_root(2)
		return errUnfinished
	}
	table, err := host.ParseMountInfo(data)
	if err != nil {
		return fmt.Errorf("mounts of the jail: %w", err)
	}
	if err := v.expected.compare(table); err != nil {
		return err
	}
	points := make(map[int]string, len(table))
	for _, m := range table {
		points[m.ID] = m.Point
	}
	for i, id := range v.seen {
		if p := v.expected.shown[i].point; id != 0 && points[id] != p {
			return &mismatch{strconv.Quote(p) + " was swapped while it was looked at"}
		}
	}
	return nil
}

// table reads the child's mount table, in one piece as far as the kernel lets us.
func (v *verifier) table() ([]byte, error) {
	for size := 32 << 10; ; size *= 4 {
		data := make([]byte, size)
		n, err := readProc("/proc/"+strconv.Itoa(v.child)+"/mountinfo", data)
		if !errors.Is(err, io.ErrShortBuffer) {
			return data[:n], err
		}
	}
}

// staging is a cheap look at whether bwrap is still at work: reading the mount
// table meanwhile would hold it up.
func (v *verifier) staging() bool {
	if v.known && !v.kept {
		if at, err := identity(v.path("/")); err == nil && at == v.root {
			return true
		}
	}
	return unix.Access(v.path("/newroot"), unix.F_OK) == nil && unix.Access(v.path("/oldroot"), unix.F_OK) == nil
}

// identities compares what each visible mount of host files shows with the file
// that was checked, and with what has that name on the host now: a protective
// mount on a directory that was moved away protects nothing.
func (v *verifier) identities() error {
	root, err := unix.Open(v.path("/"), unix.O_PATH|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESRCH) {
		return errSetup
	}
	if err != nil {
		return fmt.Errorf("look at the jail's root: %w", err)
	}
	defer unix.Close(root)
	for _, s := range v.expected.shown {
		for _, look := range []struct {
			dir  int
			path string
		}{{root, "." + s.point}, {unix.AT_FDCWD, s.source}} {
			got, mount, err := shownAt(look.dir, look.path)
			if errors.Is(err, unix.ENOENT) || err == nil && got != s.is {
				return &mismatch{fmt.Sprintf("%s in the jail is no longer the host's %s", strconv.Quote(s.point), strconv.Quote(s.source))}
			}
			if errors.Is(err, unix.EACCES) && look.dir != root {
				continue // the host's /root, say, seen by another user
			}
			if err != nil {
				return fmt.Errorf("look at %s: %w", strings.TrimPrefix(look.path, "."), err)
			}
			if look.dir == root {
				v.seen = append(v.seen, mount)
			}
		}
	}
	return nil
}

func identity(p string) (sandbox.ID, error) { return identityAt(unix.AT_FDCWD, p) }

func identityAt(dir int, p string) (sandbox.ID, error) {
	var st unix.Stat_t
	err := unix.Fstatat(dir, p, &st, unix.AT_SYMLINK_NOFOLLOW)
	return sandbox.ID{Dev: st.Dev, Ino: st.Ino}, err
}

// shownAt is identityAt, and the mount in which the file is found, as mountinfo numbers it:
// 0 before Linux 5.8 (statx(2)).
func shownAt(dir int, p string) (id sandbox.ID, mount int, err error) {
	var st unix.Statx_t
	err = unix.Statx(dir, p, unix.AT_SYMLINK_NOFOLLOW|unix.AT_NO_AUTOMOUNT, unix.STATX_BASIC_STATS|unix.STATX_MNT_ID, &st)
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) || err == nil && st.Mask&unix.STATX_MNT_ID == 0 {
		id, err = identityAt(dir, p)
		return id, 0, err
	}
	return sandbox.ID{Dev: unix.Mkdev(st.Dev_major, st.Dev_minor), Ino: st.Ino}, int(st.Mnt_id), err
}
