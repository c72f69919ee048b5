package decision_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refnil/opencode-jail-devenv/checker/decision"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("OCJAIL_TEST_FILL"); dir != "" { // in a file system that is soon full
		fill(decision.At(dir))
	}
	os.Exit(m.Run())
}

// entry is a decision that takes about a KiB.
func entry(jail string) decision.Decision {
	return decision.Decision{Version: 1, Time: time.Now(), Jail: jail, Project: "/" + strings.Repeat("p", 1000), Verdict: decision.Allow}
}

func check(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// read returns the jails of all decisions, and how many lines are broken.
func read(t *testing.T, l decision.Log) (jails []string, broken int) {
	t.Helper()
	check(t, l.Read(func(e decision.Entry) error {
		jails = append(jails, e.Jail)
		return nil
	}, func(err error) error {
		broken++
		var line *decision.LineError
		if !errors.As(err, &line) || line.Line == 0 {
			t.Error(err)
		}
		return nil
	}))
	return jails, broken
}

func TestReadWhatWasAppended(t *testing.T) {
	l := decision.At(filepath.Join(t.TempDir(), "not", "there"))
	if jails, broken := read(t, l); len(jails) != 0 || broken != 0 {
		t.Error("an absent log is not empty")
	}
	for i := range 3 {
		check(t, l.Append(entry(fmt.Sprint(i))))
	}
	jails, _ := read(t, l)
	if diff := cmp.Diff([]string{"0", "1", "2"}, jails); diff != "" {
		t.Error(diff)
	}
}

// Who can write the log can take lines away.
func TestLogOfOthers(t *testing.T) {
	dir := t.TempDir()
	l := decision.At(dir)
	check(t, l.Append(entry("a")), os.Chmod(filepath.Join(dir, decision.FileName), 0o622))
	if err := l.Append(entry("b")); err == nil || !strings.Contains(err.Error(), "chmod go-w") {
		t.Error(err)
	}
	check(t, os.Chmod(filepath.Join(dir, decision.FileName), 0o644), l.Append(entry("b")))
}

// A line that is none hides none of the others, and the last that was cut off does
// not take the next one with it.
func TestBrokenLines(t *testing.T) {
	dir := t.TempDir()
	l := decision.At(dir)
	check(t, l.Append(entry("a")))
	file := filepath.Join(dir, decision.FileName)
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	check(t, err)
	_, err = f.WriteString("nonsense\n\x00\x00\n{}\n[1]\n" + strings.Repeat("x", 3<<20) + "\n{\"version\":1,\"time\":\"2027")
	check(t, err, f.Close(), l.Append(entry("b")))
	jails, broken := read(t, l)
	if diff := cmp.Diff([]string{"a", "b"}, jails); diff != "" || broken != 6 {
		t.Error(diff, broken)
	}
}

// Old files go when there are too many, and no line that many writers write at once
// gets lost or torn.
func TestRotation(t *testing.T) {
	dir := t.TempDir()
	var all sync.WaitGroup
	const writers, lines = 8, 1500 // three times the size of a file
	for w := range writers {
		all.Go(func() {
			for i := range lines {
				if err := decision.At(dir).Append(entry(fmt.Sprintf("%d.%d", w, i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	jails, broken := read(t, decision.At(dir))
	seen := map[string]bool{}
	for _, j := range jails {
		seen[j] = true
	}
	if len(jails) != writers*lines || len(seen) != len(jails) || broken != 0 {
		t.Errorf("%d lines of %d, %d of them different, %d broken", len(jails), writers*lines, len(seen), broken)
	}
	for range 8 * decision.MaxSize / 1000 {
		check(t, decision.At(dir).Append(entry("later")))
	}
	files, err := filepath.Glob(filepath.Join(dir, decision.FileName+"*"))
	check(t, err)
	total := int64(0)
	for _, f := range files {
		st, err := os.Stat(f)
		check(t, err)
		total += st.Size()
		if st.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v", f, st.Mode())
		}
	}
	if len(files) != decision.Kept+2 || total > (decision.Kept+1)*(decision.MaxSize+4096) { // and the lock
		t.Errorf("%d files, %d bytes", len(files), total)
	}
}

// Whoever follows the log sees each line once, across rotations.
func TestFollow(t *testing.T) {
	dir := t.TempDir()
	check(t, decision.At(dir).Append(entry("before")))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var seen atomic.Int64
	done := make(chan error, 1)
	last := ""
	go func() {
		done <- decision.At(dir).Follow(ctx, func(e decision.Entry) error {
			seen.Add(1)
			last = e.Jail
			if e.Jail == "the end" {
				stop()
			}
			return nil
		}, func(err error) error { return err })
	}()
	const lines = 9000 // twice the size of a file
	for range lines {
		check(t, decision.At(dir).Append(entry("more")))
	}
	check(t, decision.At(dir).Append(entry("the end")))
	check(t, <-done)
	if seen.Load() != lines+2 || last != "the end" {
		t.Errorf("%d lines, the last %q", seen.Load(), last)
	}
}

// fill writes until the disk is full, makes room and writes once more.
func fill(l decision.Log) {
	dir := os.Getenv("OCJAIL_TEST_FILL")
	spare := filepath.Join(dir, "spare")
	if err := os.WriteFile(spare, make([]byte, 16<<10), 0o600); err != nil {
		panic(err)
	}
	n := 0
	for ; n < 1000; n++ {
		if err := l.Append(entry("full")); err != nil {
			fmt.Println("error:", err)
			break
		}
	}
	if err := errors.Join(os.Remove(spare), l.Append(entry("after"))); err != nil {
		panic(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, decision.FileName))
	if err != nil {
		panic(err)
	}
	lines := bytes.Split(bytes.TrimRight(text, "\n"), []byte("\n"))
	fmt.Printf("%d written, the last %.80s\n", n, lines[len(lines)-1])
	os.Exit(0)
}

func TestFullDisk(t *testing.T) {
	self, err := os.Executable()
	check(t, err)
	dir := t.TempDir()
	c := exec.Command("bwrap", "--dev-bind", "/", "/", "--size", "65536", "--tmpfs", dir, "--", self)
	c.Env = append(os.Environ(), "OCJAIL_TEST_FILL="+dir)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if text := string(out); !strings.Contains(text, "error: write") || !strings.Contains(text, "no space left") || !strings.Contains(text, `"jail":"after"`) {
		t.Error(text)
	}
}

func TestFilter(t *testing.T) {
	d := decision.Decision{Time: time.Now(), Project: "/p", Verdict: decision.Deny, Errors: []string{"fs/a"}, Observed: []string{"net/b"}}
	for f, want := range map[decision.Filter]bool{
		{}:                                       true,
		{Project: "/p"}:                          true,
		{Project: "/"}:                           false,
		{Verdict: decision.Deny}:                 true,
		{Verdict: decision.Allow}:                false,
		{Rule: "fs/a"}:                           true,
		{Rule: "fs/"}:                            true,
		{Rule: "net/b"}:                          true,
		{Rule: "f"}:                              false,
		{Rule: "fs"}:                             false,
		{Since: d.Time.Add(-time.Second)}:        true,
		{Since: d.Time.Add(time.Second)}:         false,
		{Project: "/p", Rule: "exec/"}:           false,
		{Project: "/p", Verdict: decision.Allow}: false,
	} {
		if f.Wants(d) != want {
			t.Errorf("%+v", f)
		}
	}
}
