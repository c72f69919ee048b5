package engine

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/refnil/opencode-jail-devenv/policy"
)

// Source is a tree of rules: in Rego v1, *.rego anywhere (*_test.rego is left
// out, as OPA's convention has it), in WebAssembly, *.wasm with what NAME.json says
// of NAME.wasm, and lists in data/. The file
// data/a/b.json becomes data.a.b; data/ocjail/NAME.json extends the pack's list
// data.ocjail.NAME.
type Source struct {
	Name string // for errors
	// At is where somebody named it, for errors; "" for what nobody did.
	At string
	FS fs.FS
	// Root is the file or folder of FS that holds the rules; "" is all of it.
	Root string
	// ListsOnly takes the lists of FS, and no rule.
	ListsOnly bool
	// Texts, when not nil, are the files, by path, in the place of FS and Root.
	Texts map[string][]byte
	// Plan, when not nil, is what planner.Others compiled the Rego files to, which
	// judges in their place and in this process.
	Plan []byte
	// Bundle, when not "", tells the bundle that the files are of from all others. Those of one
	// share packages and lists with nobody, also not within their layer.
	Bundle string
	// Untrusted sources bring rules, which only add findings. They may not extend
	// the pack's lists, of which some tolerate.
	Untrusted bool
	// Layer is whose rules they are, by any name. Packages and lists are shared
	// within a layer only: added to those of another, they would have its rules find
	// less.
	Layer string
	// Embedded is true of the embedded pack. Only it may define data.ocjail,
	// apart from rules in packages ocjail.rules.CATEGORY.NAME of others' own.
	Embedded bool
}

// EmbeddedPack is the rule pack in its sources.
func EmbeddedPack() Source { return Source{Name: "embedded pack", FS: policy.Files, Embedded: true} }

// File is one file of a source.
type File struct {
	Source Source
	Path   string // below the source's root, with slashes
	Text   []byte
}

// Name is for errors.
func (f File) Name() string { return f.Source.Name + ": " + f.Path }

// IsList tells whether f holds lists, not rules.
func (f File) IsList() bool { return isList(f.Path) }

// Keys are those below data that lead to a list file's content.
func (f File) Keys() []string {
	keys := strings.Split(strings.TrimSuffix(strings.TrimPrefix(f.Path, "data/"), ".json"), "/")
	if f.Source.Embedded {
		keys = append([]string{Reserved}, keys...)
	}
	return keys
}

// Reserved is the name below data that the pack owns.
const Reserved = "ocjail"

// Checked begins the names by which a module of ocjail build asks its host for built-in
// functions that are its own, and were undefined.
const Checked = "ocjail_checked_"

// Bounds of all sources together.
const (
	maxFiles = 2000
	maxBytes = 16 << 20
	// maxWalked bounds the entries, rules or not.
	maxWalked = 20_000
)

// Read returns the files of the sources, rules and lists.
func Read(sources ...Source) ([]File, error) {
	r := reader{left: maxBytes}
	for _, s := range sources {
		before := len(r.files)
		err := r.texts(s)
		if s.Texts == nil {
			err = r.walk(s)
		}
		if err == nil && len(r.files) == before && !s.ListsOnly {
			err = ErrEmpty
		}
		if err != nil {
			if s.At != "" {
				s.At = ", of " + s.At
			}
			return nil, fmt.Errorf("read rules of %s%s: %w", s.Name, s.At, err)
		}
	}
	return r.files, nil
}

// ErrEmpty says that a source holds nothing, which is no success.
var ErrEmpty = errors.New("no rule and no list: name a folder with *.rego or *.wasm files, or with lists in data/")

// reader reads within the bounds.
type reader struct {
	files  []File
	left   int // bytes
	walked int // entries
}

func (r *reader) walk(s Source) error {
	root := cmp.Or(s.Root, ".")
	if s.ListsOnly {
		root = listsRoot
	}
	return fs.WalkDir(s.FS, root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if r.walked++; r.walked > maxWalked {
			return errTooMuch
		}
		if d.IsDir() {
			return nil
		}
		if d.Type()&fs.ModeSymlink != 0 {
			if err := noFolder(s, p); err != nil {
				return err
			}
		}
		return r.read(s, p)
	})
}

// noFolder refuses a link to a folder, which nobody follows: what is in it would be
// missed without a word. In hidden folders others keep links of theirs (direnv).
func noFolder(s Source, p string) error {
	below := strings.TrimPrefix(p, s.Root+"/")
	if strings.HasPrefix(below, ".") || strings.Contains(below, "/.") {
		return nil
	}
	info, err := fs.Stat(s.FS, p)
	lists := below == listsRoot || strings.HasPrefix(below, listsRoot+"/")
	switch {
	case err == nil && info.IsDir():
		return &fs.PathError{Op: "read", Path: p, Err: errLinked}
	case err == nil, !lists && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, errSpecial)):
		return nil // no folder
	}
	var of *fs.PathError
	if errors.As(err, &of) {
		err = of.Err
	}
	return &fs.PathError{Op: "read", Path: p, Err: fmt.Errorf("%w: remove the link, or put what it leads to in its place", err)}
}

var errLinked = errors.New("is a link to a folder, which is not followed: put the folder itself there, or name the folder that holds the rules, and nothing else")

func (r *reader) texts(s Source) error {
	for _, p := range slices.Sorted(maps.Keys(s.Texts)) {
		if err := r.add(File{Source: s, Path: p, Text: s.Texts[p]}); err != nil {
			return err
		}
	}
	return nil
}

// read adds a file of the source, if it is one of ours.
func (r *reader) read(s Source, p string) error {
	f := File{Source: s, Path: strings.TrimPrefix(p, s.Root+"/")}
	if s.ListsOnly && !isList(f.Path) || !isRule(f.Path) && !isList(f.Path) && !describes(s, p) {
		return nil
	}
	var err error
	if f.Text, err = readMost(s.FS, p, r.left); err != nil {
		return err
	}
	return r.add(f)
}

func (r *reader) add(f File) error {
	if r.left -= len(f.Text); r.left < 0 || len(r.files) == maxFiles {
		return errTooMuch
	}
	if f.Source.Untrusted && f.IsList() && f.Keys()[0] == Reserved {
		return fmt.Errorf("%s: only trusted sources may extend ocjail's own lists: put the list elsewhere in data/", f.Path)
	}
	r.files = append(r.files, f)
	return nil
}

var errTooMuch = fmt.Errorf("more than %d files or %d MiB: name the folder that holds the rules, and nothing else", maxFiles, maxBytes>>20)

// readMost reads a file, or the beginning of one that has more than most bytes:
// the size that a sparse file claims is not believed.
func readMost(fsys fs.FS, p string, most int) ([]byte, error) {
	f, err := fsys.Open(p)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, int64(most)+1))
	return text, errors.Join(err, f.Close())
}

func isRule(p string) bool {
	return path.Ext(p) == ".rego" && !strings.HasSuffix(p, "_test.rego") || path.Ext(p) == ".wasm"
}

// describes tells whether a file of the source says what a WASM module is.
func describes(s Source, p string) bool {
	name, ok := strings.CutSuffix(p, ".json")
	if !ok {
		return false
	}
	_, err := fs.Stat(s.FS, name+".wasm")
	return err == nil
}

// listsRoot is the folder of a source that its lists are in.
const listsRoot = "data"

func isList(p string) bool { return path.Ext(p) == ".json" && strings.HasPrefix(p, listsRoot+"/") }
