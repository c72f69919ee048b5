package corpus

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker"
	"github.com/refnil/opencode-jail-devenv/checker/engine/worker"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

func TestCorpus(t *testing.T) {
	files, err := filepath.Glob("jails/*.hcl")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d jails, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".hcl")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j, err := readJail(name)
			if err != nil {
				t.Fatal(err)
			}
			w, err := build(j, root(t))
			if err != nil {
				t.Fatal(err)
			}
			r, err := w.check(t.Context(), j)
			if j.Fails != "" {
				if err == nil || !strings.Contains(err.Error(), j.Fails) {
					t.Errorf("error %v, want one with %q", err, j.Fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := compare(w, j, r); diff != "" {
				t.Errorf("%s: not as expected; review each line, see the package's comment:\n%s", file, diff)
			}
		})
	}
}

// root is an empty directory without links in its name that all may search.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// compare shows findings that are not expected (+) and the other way round (-).
func compare(w *world, j Jail, r *checker.Report) string {
	var diff []string
	want := map[string]int{}
	for _, e := range j.Expect {
		want[fmt.Sprintf("expect %q %q { subject = %q", e.Severity, e.Rule, e.Subject)]++
	}
	var infos []string
	self, err := os.Executable()
	if err != nil {
		return err.Error()
	}
	programs := worker.Programs()
	for _, f := range r.Findings {
		if _, helper := programs[f.Subject.Path]; helper || f.Subject.Path == self {
			continue // this test's program is in place of ocjail's, and on no machine
		}
		if f.Severity == finding.Info {
			infos = append(infos, f.Rule)
			continue
		}
		key := fmt.Sprintf("expect %q %q { subject = %q", f.Severity, f.Rule, w.short(f.Subject.String()))
		if want[key] == 0 {
			diff = append(diff, fmt.Sprintf("+ %s } # %s", key, f.Message))
			continue
		}
		want[key]--
	}
	for key, n := range want {
		if n > 0 {
			diff = append(diff, "- "+key+" }")
		}
	}
	slices.Sort(infos)
	if infos = slices.Compact(infos); !slices.Equal(infos, j.Infos) {
		diff = append(diff, fmt.Sprintf("+ infos = %q\n- infos = %q", infos, j.Infos))
	}
	slices.Sort(diff)
	return strings.Join(diff, "\n")
}

// short writes a subject as a person does: "~" for the home.
func (w *world) short(subject string) string {
	if rest, ok := strings.CutPrefix(subject, w.Home); ok && (rest == "" || rest[0] == '/') {
		return "~" + rest
	}
	return subject
}

// Reasons are there to be read.
func TestReasons(t *testing.T) {
	files, err := filepath.Glob("jails/*.hcl")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		var j Jail
		if err := decode(file, &j); err != nil {
			t.Fatal(err)
		}
		for _, e := range j.Expect {
			if len(strings.Fields(e.Why)) < 3 {
				t.Errorf("%s: %s: why is %q", file, e.Rule, e.Why)
			}
		}
	}
}
