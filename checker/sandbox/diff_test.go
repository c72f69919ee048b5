package sandbox_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// number reads a count from the environment.
func number(t testing.TB, name string, otherwise int) int {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		return otherwise
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// TestDifferential holds what Simulate, Access, HostAccess and Effects say of
// generated lists of mounts against what a program in a real bwrap can do.
// OCJAIL_TEST_LISTS is the number of lists for each bwrap (500), and
// OCJAIL_TEST_SEED the first seed.
func TestDifferential(t *testing.T) {
	for _, bwrap := range bwraps(t) {
		t.Run(filepath.Base(filepath.Dir(bwrap)), func(t *testing.T) { differential(t, bwrap, false) })
	}
}

// differential tries lists in parallel and reports the first few that differ.
func differential(t *testing.T, bwrap string, submounts bool) {
	lists := number(t, "OCJAIL_TEST_LISTS", 500)
	seed := number(t, "OCJAIL_TEST_SEED", int(time.Now().UnixNano()%1e9))
	t.Logf("%s: OCJAIL_TEST_SEED=%d OCJAIL_TEST_LISTS=%d", bwrap, seed, lists)
	b := &bench{bwrap: bwrap, has: knows(t, bwrap), dir: publicDir(t), submounts: submounts}
	b.probe = buildProbe(t, b.dir)
	workers := runtime.GOMAXPROCS(0)
	t.Run("lists", func(t *testing.T) {
		for n := range workers {
			t.Run(strconv.Itoa(n), func(t *testing.T) {
				t.Parallel()
				for i := n; i < lists && b.failed.Load() < 5; i += workers {
					b.one(t, seed+i)
				}
			})
		}
	})
	t.Logf("%d lists started, %d failed as foretold, %d were refused; %d paths asked", b.started.Load(), b.broken.Load(), b.refused.Load(), b.asked.Load())
	if b.started.Load() < int64(lists)/3 {
		t.Errorf("only %d of %d lists started: the generator is of no use", b.started.Load(), lists)
	}
}

// publicDir is a temporary directory that every user can reach.
func publicDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ocjail")
	must(t, err)
	dir, err = filepath.EvalSymlinks(dir)
	must(t, err)
	must(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	return dir
}

// bench tries lists with one bwrap.
type bench struct {
	bwrap, dir, probe                       string
	has                                     func(string) bool
	submounts                               bool
	worlds                                  atomic.Int64
	failed, started, broken, refused, asked atomic.Int64
}

// one tries the list of a seed, and when it differs a smaller one that does too.
func (b *bench) one(t *testing.T, seed int) {
	uid := os.Getuid()
	if uid == 0 && seed%2 == 1 {
		uid = 65534
	}
	l := b.generate(t, seed, uid)
	diffs := b.try(t, l, seed, uid)
	if len(diffs) == 0 {
		return
	}
	b.failed.Add(1)
	for i := len(l.steps) - 1; i >= 0; i-- {
		small := l
		small.steps = append(append([]step{}, l.steps[:i]...), l.steps[i+1:]...)
		small.inFile = [2]int{}
		if less := b.try(t, small, seed, uid); len(less) > 0 {
			l, diffs = small, less
		}
	}
	t.Errorf("OCJAIL_TEST_SEED=%d uid %d args file %v:\n%s\n  %s", seed, uid, l.inFile, l.paste(b.bwrap, "@"), strings.Join(diffs, "\n  "))
}

// rootMark stands for the world's root while a list is not yet tried.
const rootMark = "@"

// generate makes a list most of whose steps the model accepts.
func (b *bench) generate(t *testing.T, seed, uid int) list {
	r := rand.New(rand.NewPCG(uint64(seed), 1))
	w := b.world(t, seed, uid)
	defer w.remove(t)
	host := newLiveFS(t, w.root)
	l := list{flags: []string{"--unshare-ipc"}}
	if r.IntN(2) == 0 {
		l.flags = append(l.flags, "--unshare-pid")
	}
	for want := 1 + r.IntN(9); len(l.steps) < want; {
		next := l
		next.steps = append(append([]step{}, l.steps...), randomStep(r, rootMark, b.has))
		_, err := b.simulate(next.at(w.root), w, host)
		var failed *sandbox.SetupError
		switch {
		case errors.As(err, &failed):
			if r.IntN(8) == 0 {
				return next // the step that fails is the last
			}
		case err == nil:
			l = next
		}
	}
	l.steps = append([]step{{words: []string{"--ro-bind", b.probe, "/probe"}}}, l.steps...)
	l.border(r)
	return l
}

// at puts the world's root in the place of its mark.
func (l list) at(root string) list {
	steps := make([]step, len(l.steps))
	for i, s := range l.steps {
		steps[i] = step{open: strings.ReplaceAll(s.open, rootMark, root), data: s.data}
		for _, w := range s.words {
			steps[i].words = append(steps[i].words, strings.ReplaceAll(w, rootMark, root))
		}
	}
	l.steps = steps
	return l
}

func (b *bench) world(t *testing.T, seed, uid int) *world {
	w := newWorld(t, filepath.Join(b.dir, fmt.Sprint("w", b.worlds.Add(1))), b.probe, uid)
	if b.submounts {
		w.mountSome(t, seed)
	}
	return w
}

// simulate parses the list's command line and builds its mount tree. An error
// that is no *sandbox.SetupError means that the list makes no sense.
func (b *bench) simulate(l list, w *world, host sandbox.HostFS) (*sandbox.Tree, error) {
	argv, fds := l.argv()
	s, err := sandbox.ParseArgv(argv, func(fd int) ([]byte, error) {
		return []byte(fds[fd-3][1:]), nil
	})
	if err != nil {
		return nil, fmt.Errorf("parse: %w", err)
	}
	return s.Simulate(sandbox.Config{Host: host, Strict: true, Cwd: w.root, Descriptor: func(fd int) (string, error) {
		return filepath.EvalSymlinks(fds[fd-3])
	}})
}

// try runs a list in a fresh world and tells where model and bwrap differ.
func (b *bench) try(t *testing.T, l list, seed, uid int) []string {
	w := b.world(t, seed, uid)
	defer w.remove(t)
	l = l.at(w.root)
	host := newLiveFS(t, w.root)
	tree, modelErr := b.simulate(l, w, host)
	var failed *sandbox.SetupError
	if modelErr != nil && !errors.As(modelErr, &failed) {
		return nil
	}
	if modelErr == nil && leavesWorld(tree, w) {
		return []string{"not run, for it would change the host outside of its world"}
	}
	argv, fds := l.argv()
	v := invocation{bwrap: b.bwrap, argv: argv, fds: fds, cwd: w.root, uid: uid}
	files, err := v.descriptors()
	defer func() { closeAll(files) }()
	if w.mounted && errors.Is(err, fs.ErrNotExist) {
		return nil // a mount hides what the list would hand over open
	}
	must(t, err)
	before, err := w.snapshot()
	must(t, err)
	j, why, err := v.start(files)
	must(t, err)
	if j != nil {
		defer j.stop()
	}
	noExec := j == nil && strings.Contains(why, "execvp /probe")
	switch {
	case errors.Is(modelErr, sandbox.ErrRefused):
		b.refused.Add(1)
		return nil
	case modelErr != nil && (j != nil || noExec):
		return []string{"the model fails, bwrap does not: " + modelErr.Error()}
	case modelErr != nil:
		b.broken.Add(1)
		return nil
	case j == nil && !noExec:
		if olderSymlink(why) {
			return nil
		}
		return []string{"bwrap fails, the model does not: " + why}
	}
	b.started.Add(1)
	c := &comparison{t: t, w: w, tree: tree, jail: j, before: before}
	c.effects()
	if j != nil {
		c.all(l.queries())
		b.asked.Add(c.asked)
	}
	return c.diffs
}

func leavesWorld(tree *sandbox.Tree, w *world) bool {
	return slices.ContainsFunc(tree.Effects, func(e sandbox.Effect) bool {
		_, in := sandbox.Below(w.root, e.Path)
		return !in
	})
}

// olderSymlink: up to 0.8, --symlink fails where the same link is already there.
func olderSymlink(why string) bool {
	return strings.Contains(why, "Can't make symlink at") && strings.Contains(why, "File exists")
}
