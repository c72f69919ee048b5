package host

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io/fs"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

const indexLimit = 64 << 20

// Index is what git's index says of a work tree.
type Index struct {
	// Tracked tells for each wanted path whether changes to it show in git's
	// diff. A path that is missing from it is unknown.
	Tracked map[string]bool
	// Gitlinks are the paths of mode 160000: submodules, and nested
	// repositories that were added as such.
	Gitlinks []string
}

// Of returns whether path is tracked; nil when unknown.
func (x Index) Of(path string) *bool {
	if tracked, ok := x.Tracked[path]; ok {
		return &tracked
	}
	return nil
}

// TrackedOf looks the wanted paths, relative to the work tree and clean, up in
// the index (gitformat-index(5), versions 2 to 4, SHA-1 or SHA-256). A
// directory is tracked when an entry lies below it. Gitlinks do not count, nor
// do entries that git was told not to look at (assume-unchanged,
// skip-worktree), for git would not show what changed there. Without an index
// nothing is tracked.
//
// An error wraps [sandbox.ErrUnknown]: a corrupt index, one of more than
// 64 MiB, a split one, a core.worktree elsewhere, or a stray repository.
func (f *FS) TrackedOf(g Git, wanted []string) (Index, error) {
	if g.Dir == "" || g.CommonDir == "" {
		return Index{}, fmt.Errorf("git index: %w: the repository is not the project's own", sandbox.ErrUnknown)
	}
	sum, err := f.indexHash(g)
	if err != nil {
		return Index{}, fmt.Errorf("git index: %w", err)
	}
	body, err := f.indexBody(join(g.Dir, "index"), sum())
	if errors.Is(err, fs.ErrNotExist) {
		return newSeeker(wanted).finish(), nil
	}
	if err != nil {
		return Index{}, fmt.Errorf("git index: %w", err)
	}
	index, err := newSeeker(wanted).scan(body, sum().Size())
	if err != nil {
		return Index{}, fmt.Errorf("git index %s/index: %w: %w", g.Dir, sandbox.ErrUnknown, err)
	}
	return index, nil
}

// indexBody returns an index whose checksum is right, without that. It is read
// and summed up once, for it is asked for submodules and for what is tracked.
// Others are kept beside it while all together are no larger than one may be.
func (f *FS) indexBody(path string, sum hash.Hash) ([]byte, error) {
	f.indexMu.Lock()
	defer f.indexMu.Unlock()
	if body, ok := f.indexes[path]; ok {
		return body, nil
	}
	data, err := f.read(path, indexLimit)
	if err != nil {
		return nil, err
	}
	body, err := checkSum(data, sum)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, sandbox.ErrUnknown, err)
	}
	kept := len(body)
	for _, other := range f.indexes {
		kept += len(other)
	}
	if f.indexes == nil || kept > indexLimit {
		f.indexes = map[string][]byte{}
	}
	f.indexes[path] = body
	return body, nil
}

// hashes are the values of extensions.objectFormat (git-config(1)).
var hashes = map[string]func() hash.Hash{"": sha1.New, "sha1": sha1.New, "sha256": sha256.New}

// indexHash returns the repository's hash, and refuses one whose work tree is
// another than g.Root: its index says nothing of this one.
func (f *FS) indexHash(g Git) (func() hash.Hash, error) {
	config, err := f.readGitConfig(join(g.CommonDir, "config"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if tree, ok := config["core.worktree"]; ok && g.Dir == g.CommonDir {
		real, err := f.RealPath(from(g.Dir, tree))
		if err != nil || real.Path != g.Root {
			return nil, fmt.Errorf("%w: core.worktree is %q, which is not %s", sandbox.ErrUnknown, tree, g.Root)
		}
	}
	format := config["extensions.objectformat"]
	if sum, ok := hashes[format]; ok {
		return sum, nil
	}
	return nil, fmt.Errorf("%w: extensions.objectFormat is %q, not sha1 or sha256", sandbox.ErrUnknown, format)
}

// checkSum returns data without the checksum at its end, which must be right or,
// as with index.skipHash, zero.
func checkSum(data []byte, sum hash.Hash) ([]byte, error) {
	size := len(data) - sum.Size()
	if size < 12 || string(data[:4]) != "DIRC" {
		return nil, errors.New("it has no header")
	}
	body, want := data[:size], data[size:]
	if len(bytes.Trim(want, "\x00")) == 0 {
		return body, nil
	}
	sum.Write(body)
	if !bytes.Equal(sum.Sum(nil), want) {
		return nil, errors.New("its checksum is wrong: `git fsck` tells more")
	}
	return body, nil
}

// scan walks the entries of an index once, in their order, and keeps nothing of them
// but gitlinks.
func (s *seeker) scan(body []byte, hashSize int) (Index, error) {
	r, err := newEntries(body, hashSize, &s.effort)
	if err != nil {
		return Index{}, err
	}
	for r.left > 0 {
		e, err := r.next()
		if err != nil {
			return Index{}, err
		}
		if err := s.see(e); err != nil {
			return Index{}, err
		}
	}
	return s.finish(), checkExtensions(body[r.pos:])
}

// required are the extensions that must be understood for the entries to mean
// what they say; a nil error says that this package does. Those whose name
// begins with a capital letter are optional.
var required = map[string]error{
	"link": errors.New("it is split: `git update-index --no-split-index` joins it"),
	"sdir": nil, // sparse: entries for whole directories
}

func checkExtensions(data []byte) error {
	for len(data) > 0 {
		if len(data) < 8 {
			return errors.New("its extensions are cut short")
		}
		name, size := string(data[:4]), uint64(be32(data[4:]))
		if size > uint64(len(data)-8) {
			return fmt.Errorf("its extension %q is cut short", name)
		}
		if err, known := required[name]; err != nil {
			return err
		} else if !known && (name[0] < 'A' || name[0] > 'Z') {
			return fmt.Errorf("its extension %q is not known, and required", name)
		}
		data = data[8+size:]
	}
	return nil
}
