package host

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"hash"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// variants are repositories in every format that git writes.
var variants = map[string]struct {
	init, update []string
}{
	"v2":     {},
	"v3":     {update: []string{"--index-version", "3"}},
	"v4":     {update: []string{"--index-version", "4"}},
	"sha256": {init: []string{"--object-format=sha256"}},
	"sha256 v4": {init: []string{"--object-format=sha256"}, update: []string{
		"--index-version", "4"}},
}

var wantTracked = map[string]bool{
	"a": true, "dir": true, "dir/b": true, "dir/sub": true, "dir/sub/c": true, "dir-x": true, "dir.x": true,
	"dir/su": false, "di": false, "b": false, "dir/b/c": false, "dir.": false, "new": false, "zz": false, "": false,
	"hidden": false, "skipped": false, "added": true, "lib": false, "z/ü \n\"q": true, strings.Repeat("n", 200): true,
}

func tracked(t testing.TB, root string) Index {
	t.Helper()
	index, err := NewFS().TrackedOf(findGit(t, root), slices.Collect(maps.Keys(wantTracked)))
	check(t, err)
	return index
}

func TestTrackedOf(t *testing.T) {
	for name, v := range variants {
		t.Run(name, func(t *testing.T) {
			d := tempDir(t)
			repository(t, d, v.init...)
			repository(t, d+"/lib", v.init...)
			write(t, d+"/new", "")
			write(t, d+"/added", "")
			git(t, d, "add", "-N", "added")
			git(t, d, "add", "lib")
			git(t, d, "update-index", "--assume-unchanged", "hidden")
			git(t, d, "update-index", "--skip-worktree", "skipped")
			if v.update != nil {
				git(t, d, append([]string{"update-index"}, v.update...)...)
			}
			index := tracked(t, d)
			if diff := cmp.Diff(wantTracked, index.Tracked); diff != "" || !slices.Equal(index.Gitlinks, []string{"lib"}) {
				t.Errorf("gitlinks %v %s", index.Gitlinks, diff)
			}
		})
	}
}

func TestTrackedInOtherStates(t *testing.T) {
	d := tempDir(t)
	empty := d + "/empty"
	mkdir(t, empty)
	git(t, empty, "init", "-q")
	if index := tracked(t, empty); len(index.Tracked) != len(wantTracked) || *index.Of("a") {
		t.Errorf("without an index: %v", index.Tracked)
	}
	repository(t, d+"/main")
	git(t, d+"/main", "config", "index.skipHash", "true")
	git(t, d+"/main", "worktree", "add", "-q", "../wt")
	git(t, d+"/wt", "rm", "-q", "a")
	if index := tracked(t, d+"/wt"); *index.Of("a") || !*index.Of("dir") || index.Of("not asked") != nil {
		t.Errorf("in a work tree: %v", index.Tracked)
	}
	conflict(t, d+"/main")
	if index := tracked(t, d+"/main"); !*index.Of("a") {
		t.Error("a path in conflict is not tracked")
	}
}

// conflict leaves "a" unmerged, in three stages.
func conflict(t *testing.T, dir string) {
	t.Helper()
	git(t, dir, "checkout", "-qb", "side")
	write(t, dir+"/a", "side")
	git(t, dir, "commit", "-qam", "side")
	git(t, dir, "checkout", "-q", "-")
	git(t, dir, "checkout", "-qb", "other")
	write(t, dir+"/a", "other")
	git(t, dir, "commit", "-qam", "other")
	cmd := exec.Command("git", "-c", "user.name=n", "-c", "user.email=e", "merge", "side")
	cmd.Dir = dir
	if err := cmd.Run(); err == nil {
		t.Fatal("the merge did not conflict")
	}
	if out := git(t, dir, "ls-files", "-u"); !strings.Contains(out, "\ta") {
		t.Fatalf("unmerged: %s", out)
	}
}

func TestSparseIndexIsUnknownWithinItsDirectories(t *testing.T) {
	d := tempDir(t)
	repository(t, d)
	git(t, d, "sparse-checkout", "set", "--cone", "--sparse-index", "z")
	if out := git(t, d, "ls-files", "--sparse"); !strings.Contains(out, "dir/\n") {
		t.Fatalf("the index is not sparse: %s", out)
	}
	index := tracked(t, d)
	for _, path := range []string{"dir", "dir/b", "dir/sub", "dir/su"} {
		if got := index.Of(path); got != nil {
			t.Errorf("%s: %v, want unknown", path, *got)
		}
	}
	if got := index.Of("a"); got == nil || !*got {
		t.Error("a is not tracked")
	}
}

func TestIndexThatSaysNothing(t *testing.T) {
	d := tempDir(t)
	for name, breakIt := range map[string]func(root string){
		"split":      func(root string) { git(t, root, "update-index", "--split-index") },
		"elsewhere":  func(root string) { git(t, root, "config", "core.worktree", d) },
		"hash":       func(root string) { git(t, root, "config", "extensions.objectFormat", "sha3") },
		"other hash": func(root string) { git(t, root, "config", "extensions.objectFormat", "sha256") },
		"config":     func(root string) { write(t, root+"/.git/config", "[core") },
		"directory": func(root string) {
			check(t, os.Remove(root+"/.git/index"))
			mkdir(t, root+"/.git/index")
		},
		"huge": func(root string) { check(t, os.Truncate(root+"/.git/index", indexLimit+1)) },
	} {
		root := d + "/" + name
		repository(t, root)
		g := findGit(t, root)
		breakIt(root)
		_, err := NewFS().TrackedOf(g, []string{"a"})
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		wantUnknown(t, err)
	}
}

// Every flipped or cut byte of an index is noticed by its checksum, and none
// makes the reader fail otherwise than by an error where the checksum is made good.
func TestCorruptIndex(t *testing.T) {
	for _, version := range []string{"2", "4"} {
		d := tempDir(t)
		repository(t, d)
		git(t, d, "update-index", "--index-version", version)
		data, err := os.ReadFile(d + "/.git/index")
		check(t, err)
		if _, err := scan(data, sha1.New, []string{"a"}); err != nil {
			t.Fatal(err)
		}
		for i := range data {
			if _, err := scan(data[:i], sha1.New, []string{"a"}); err == nil {
				t.Fatalf("version %s: cut at %d: no error", version, i)
			}
			flipped := bytes.Clone(data)
			flipped[i] ^= 0x55
			if _, err := scan(flipped, sha1.New, []string{"a"}); err == nil {
				t.Fatalf("version %s: flipped at %d: no error", version, i)
			}
			_, _ = scan(resum(flipped), sha1.New, []string{"a"}) // must return
		}
	}
}

// scan is what TrackedOf does with an index that it has read.
func scan(data []byte, newHash func() hash.Hash, wanted []string) (Index, error) {
	return scanFor(newSeeker(wanted), data, newHash)
}

func scanFor(found *seeker, data []byte, newHash func() hash.Hash) (Index, error) {
	sum := newHash()
	body, err := checkSum(data, sum)
	if err != nil {
		return Index{}, err
	}
	return found.scan(body, sum.Size())
}

func resum(data []byte) []byte {
	body := data[:max(len(data)-sha1.Size, 0)]
	sum := sha1.Sum(body)
	return append(bytes.Clone(body), sum[:]...)
}

func TestRequiredExtensions(t *testing.T) {
	d := tempDir(t)
	repository(t, d)
	data, err := os.ReadFile(d + "/.git/index")
	check(t, err)
	for ext, want := range map[string]string{
		"ZZZZ\x00\x00\x00\x01x": "", "zzzz\x00\x00\x00\x00": "required", "ZZZZ\xff\xff\xff\xff": "cut short", "ZZZ": "cut short", "link\x00\x00\x00\x00": "split",
	} {
		body := append(bytes.Clone(data[:len(data)-sha1.Size]), ext...)
		_, err := scan(resum(append(body, make([]byte, sha1.Size)...)), sha1.New, nil)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", ext, err, want)
		}
	}
}

func FuzzIndex(f *testing.F) {
	for name, v := range variants {
		d := tempDir(f)
		repository(f, d, v.init...)
		if v.update != nil {
			git(f, d, append([]string{"update-index"}, v.update...)...)
		}
		data, err := os.ReadFile(d + "/.git/index")
		check(f, err)
		f.Add(clearSum(data, strings.HasPrefix(name, "sha256")), strings.HasPrefix(name, "sha256"))
	}
	f.Fuzz(func(t *testing.T, data []byte, long bool) {
		sum := hashes["sha1"]
		if long {
			sum = hashes["sha256"]
		}
		index, err := scan(clearSum(data, long), sum, []string{"a", "dir", "z"})
		if err == nil && len(index.Tracked) > 3 || err != nil && index.Gitlinks != nil && index.Tracked == nil {
			t.Errorf("%+v %v", index, err)
		}
	})
}

// clearSum zeroes the checksum, as index.skipHash does, so that fuzzing gets past it.
func clearSum(data []byte, long bool) []byte {
	data = bytes.Clone(data)
	size := sha1.Size
	if long {
		size = sha256.Size
	}
	clear(data[max(len(data)-size, 0):])
	return data
}
