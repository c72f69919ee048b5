package host

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// afresh resolves path as realPath does, from the root, remembering nothing.
func (f *FS) afresh(path string) (Real, error) {
	st, err := f.lstat("/")
	if err != nil {
		return Real{}, err
	}
	w := &walk{at: "/", stat: st, rest: components(path)}
	for len(w.rest) > 0 {
		name := w.rest[0]
		w.rest = w.rest[1:]
		if err := f.step(w, name); err != nil {
			return Real{}, err
		}
	}
	return Real{Path: w.at, Stat: w.stat, Links: w.links}, w.missing
}

// A path leads where the kernel says, and through the links that it does from the
// root, whatever was resolved before it.
func TestRealPathsAloneAndTogether(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{"a/d/g", "b/d"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"a/f", "a/d/f", "b/f"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{
		"a/l": "d", "a/up": "../b", "a/d/abs": dir + "/b", "a/no": "none", "a/no2": "none/x", "a/loop": "loop",
		"b/lf": "../a/f", "b/slash": "../a/", "b/fslash": "../a/f/", "b/far": "../a/l/../up/d/..",
	} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	names := []string{"a", "b", "d", "g", "f", "l", "up", "abs", "no", "no2", "loop", "lf", "slash", "fslash", "far", ".", "..", "", "none"}
	rapid.Check(t, func(r *rapid.T) {
		f := NewFS()
		for range rapid.IntRange(1, 12).Draw(r, "paths") {
			path := dir + "/" + strings.Join(rapid.SliceOfN(rapid.SampledFrom(names), 0, 6).Draw(r, "names"), "/")
			got, err := f.RealPath(path)
			want, wantErr := f.afresh(path)
			if (err == nil) != (wantErr == nil) || errors.Is(err, fs.ErrNotExist) != errors.Is(wantErr, fs.ErrNotExist) {
				r.Fatalf("%s: %v, and afresh %v", path, err, wantErr)
			}
			if d := cmp.Diff(want, got); d != "" {
				r.Fatalf("%s (-afresh +remembered):\n%s", path, d)
			}
			var st unix.Stat_t
			kernel := unix.Stat(path, &st)
			if (kernel == nil) != (err == nil) || err == nil && st.Ino != got.Stat.Ino {
				r.Fatalf("%s: %v %+v, and the kernel %v", path, err, got, kernel)
			}
		}
	})
}
