// Command lint times `ocjail lint` against `conftest test`, the usual linter by
// Rego, on the same jails and the same rules, and prints the table of docs/lint.md.
//
// ocjail is given manifests as Nix makes them, and models the jail of each; conftest,
// which knows nothing of jails, is given what comes of that: the document that the
// rules judge. Both must find the same.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	ocjail := flag.String("ocjail", "bin/ocjail", "the program to measure")
	conftest := flag.String("conftest", "", "the program to compare with; none to measure memory alone")
	jails := flag.Int("jails", 1000, "manifests to compare on")
	rounds := flag.Int("rounds", 3, "runs of each")
	flag.Parse()
	if err := bench(*ocjail, *conftest, *jails, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(ocjail, conftest string, jails, rounds int) (err error) {
	dir, err := os.MkdirTemp("", "ocjail-bench-lint-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if ocjail, err = filepath.Abs(ocjail); err != nil {
		return err
	}
	w := world{dir: dir}
	if err := memory(&w, ocjail); err != nil || conftest == "" {
		return err
	}
	if conftest, err = filepath.Abs(conftest); err != nil {
		return err
	}
	if err := w.make(jails); err != nil {
		return err
	}
	return compare(w, ocjail, conftest, jails, rounds)
}

// memory comes first: a process is charged with what its parent held when it was
// started, and the comparison's outputs are large.
func memory(w *world, ocjail string) error {
	fmt.Print("| jails | ocjail's peak MiB |\n|---|---|\n")
	for _, n := range []int{100, 1000, 10_000} {
		if err := w.make(n); err != nil {
			return err
		}
		r, err := run(w.project, 1, ocjail, "lint", "--format", "json", w.manifests)
		if err != nil {
			return err
		}
		fmt.Printf("| %d | %.0f |\n", n, float64(r.usage.Maxrss)/1024)
	}
	return nil
}

// linter is a row of the table.
type linter struct {
	name    string
	command []string
	runs    []result
}

// compare runs all in turn, so that other work on the machine disturbs them alike.
func compare(w world, ocjail, conftest string, jails, rounds int) error {
	if err := w.inputs(); err != nil {
		return err
	}
	test := []string{conftest, "test", "--output", "json", "--no-color", "--data", w.data, w.documents, "--policy"}
	all := []*linter{
		{name: "`ocjail lint`", command: []string{ocjail, "lint", "--format", "json", w.manifests}},
		{name: "`conftest test`, rules together in one namespace", command: append(test, filepath.Join(w.policy, "together"))},
		{name: "`conftest test --all-namespaces`, a namespace each", command: append(test[:len(test):len(test)], filepath.Join(w.policy, "apart"), "--all-namespaces")},
	}
	for range rounds {
		for i, l := range all {
			r, err := run(w.project, 1, l.command...)
			if err != nil {
				return err
			}
			l.runs = append(l.runs, r)
			if i == 0 {
				continue
			}
			if err := same(all[0].runs[len(l.runs)-1].output, r.output, jails); err != nil {
				return fmt.Errorf("%s: %w", l.name, err)
			}
		}
	}
	ours := fastest(all[0].runs)
	fmt.Printf("\n| %d jails | manifests a second | ocjail is | CPU s | ocjail takes |\n|---|---|---|---|---|\n", jails)
	for _, l := range all {
		r := fastest(l.runs)
		fmt.Printf("| %s | %.0f | %.1f times as fast | %.1f | 1/%.1f |\n", l.name, float64(jails)/r.took.Seconds(), r.took.Seconds()/ours.took.Seconds(),
			r.cpu().Seconds(), r.cpu().Seconds()/ours.cpu().Seconds())
	}
	return nil
}

// same fails unless both found the same number of findings, jail by jail.
func same(ours, theirs []byte, jails int) error {
	var lint struct {
		Targets []struct {
			Name     string
			Findings []struct{ Rule string }
		}
	}
	if err := json.Unmarshal(ours, &lint); err != nil {
		return fmt.Errorf("ocjail's output: %w", err)
	}
	var tested []struct {
		Filename string
		Failures []any
	}
	if err := json.Unmarshal(theirs, &tested); err != nil {
		return fmt.Errorf("conftest's output: %w", err)
	}
	failures := map[string]int{}
	for _, t := range tested { // one for each namespace
		failures[filepath.Base(t.Filename)] += len(t.Failures)
	}
	if len(lint.Targets) != jails || len(failures) != jails {
		return fmt.Errorf("ocjail judged %d jails, conftest %d, of %d", len(lint.Targets), len(failures), jails)
	}
	for _, t := range lint.Targets {
		n := 0
		for _, f := range t.Findings {
			if isPacks(f.Rule) {
				n++
			}
		}
		if theirs := failures[filepath.Base(t.Name)]; n == 0 || n != theirs {
			return fmt.Errorf("%s: ocjail's rules find %d, conftest's %d", t.Name, n, theirs)
		}
	}
	return nil
}

type result struct {
	took   time.Duration
	usage  *syscall.Rusage
	output []byte
}

func (r result) cpu() time.Duration {
	return time.Duration(r.usage.Utime.Nano() + r.usage.Stime.Nano())
}

func fastest(all []result) result {
	best := all[0]
	for _, r := range all {
		if r.took < best.took {
			best = r
		}
	}
	return best
}

// run runs a linter that is to end with that status.
func run(dir string, status int, words ...string) (result, error) {
	ctx, stop := context.WithTimeout(context.Background(), time.Hour)
	defer stop()
	c := exec.CommandContext(ctx, words[0], words[1:]...)
	c.Dir, c.Stderr = dir, os.Stderr
	start := time.Now()
	out, err := c.Output()
	took := time.Since(start)
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != status) {
		return result{}, fmt.Errorf("%s: %w", words[0], err)
	}
	usage, ok := c.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return result{}, errors.New("no resource usage")
	}
	return result{took, usage, out}, nil
}
