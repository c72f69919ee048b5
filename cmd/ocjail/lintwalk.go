package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/refnil/opencode-jail-devenv/checker/profile"
)

// candidate is a target that was named, or a file below a folder that was.
type candidate struct {
	name     string
	inFolder bool // what is no target is passed over
	config   bool // an ocjail.hcl in a folder: no target, but it must not be broken
	special  bool // a link, FIFO or the like in a folder, which is passed over
	ends     bool // the end of the folder of this name
	err      error
	why      string // it is passed over, where it may have been meant as a target
}

// passedOver are folders in which no jail is looked for.
var passedOver = []string{".git", ".devenv", ".direnv", "node_modules"}

// walk hands over the candidates of the targets, in lexical order within a folder,
// until yield returns false.
func walk(names []string, yield func(candidate) bool) {
	for _, name := range names {
		if st, err := os.Stat(name); err != nil || !st.IsDir() {
			if !yield(candidate{name: name}) {
				return
			}
			continue
		}
		if !walkFolder(name, yield) || !yield(candidate{name: name, ends: true}) {
			return
		}
	}
}

func walkFolder(folder string, yield func(candidate) bool) bool {
	root := filepath.Clean(folder)
	// A folder that was named may be a link; below it none is followed.
	if real, err := filepath.EvalSymlinks(root); err == nil && real != root {
		root += string(filepath.Separator)
	}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		name = filepath.Clean(name)
		c := candidate{name: name, inFolder: true}
		switch {
		case err != nil:
			c.err = pathless(err)
		case d.IsDir():
			if name != filepath.Clean(root) && slices.Contains(passedOver, d.Name()) {
				return filepath.SkipDir
			}
			return nil
		case !mayBeTarget(name):
			return nil
		}
		c.special = err == nil && !d.Type().IsRegular()
		c.config = filepath.Base(name) == configFile && !c.special
		if !yield(c) {
			return fs.SkipAll
		}
		if err != nil && d != nil && d.IsDir() {
			return fs.SkipDir
		}
		return nil
	})
	return err == nil
}

// isJSON and isHCL go by a file's name.
func isJSON(name string) bool { return strings.EqualFold(filepath.Ext(name), ".json") }

func isHCL(name string) bool { return strings.EqualFold(filepath.Ext(name), ".hcl") }

// configFile is a project's configuration.
const configFile = "ocjail.hcl"

// mayBeTarget goes by the name.
func mayBeTarget(name string) bool {
	switch filepath.Base(name) {
	case "devenv.nix":
		return true
	case "devenv.yaml": // which can import all there is
		_, err := os.Lstat(filepath.Join(filepath.Dir(name), "devenv.nix"))
		return errors.Is(err, fs.ErrNotExist)
	}
	return isJSON(name) || isHCL(name)
}

// isTarget tells whether a file found in a folder describes a jail, and returns what
// was read of it. One that seems to, and is broken, does.
func isTarget(name string) (content []byte, is bool, err error) {
	if isDevenv(name) {
		is, err := mentionsOpencode(filepath.Dir(name))
		return nil, is, err
	}
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if errors.Is(err, fs.ErrNotExist) { // it is gone
		return nil, false, nil
	}
	if err != nil {
		return nil, false, pathless(err)
	}
	defer f.Close()
	content, err = io.ReadAll(io.LimitReader(f, maxTarget+1)) // of a larger one the beginning tells
	switch {
	case err != nil:
		return nil, false, pathless(err)
	case isHCL(name):
		is, err = profile.Recognize(name, content)
		return nil, is, err
	case isJail(content):
		return content, true, nil
	}
	plain := bare(content)
	return content, len(plain) > 0 && isJail(plain), nil
}

// manifestKeys are those at the top of a manifest (nix/manifest.schema.json).
var manifestKeys = []string{"version", "name", "project", "system", "jailNix", "policy", "elements", "script", "env", "session", "namespaces"}

// isJail tells a manifest and a saved argv from other JSON. What breaks off was cut
// short.
func isJail(data []byte) bool {
	data = bytes.TrimSpace(data)
	d := json.NewDecoder(bytes.NewReader(data))
	first, err := d.Token()
	switch {
	case err != nil:
		return len(data) == 0
	case first == json.Delim('['):
		word, err := d.Token()
		text, _ := word.(string)
		return breaksOff(err) || strings.HasPrefix(text, "--")
	case first != json.Delim('{'):
		return false
	}
	// What Nix writes is known by its words; whether it is whole, Parse says.
	sure := bytes.Contains(data, []byte(`"jailNix":`))
	has, err := keys(d, sure)
	if breaksOff(err) || sure && len(has) == 1 {
		return onlyOurs(has)
	}
	return has["version"] && (has["elements"] || has["script"] || has["jailNix"])
}

// keys reads an object's: all of them, or the first if that is one of a manifest's
// and enough.
func keys(d *json.Decoder, enough bool) (has map[string]bool, err error) {
	has = map[string]bool{}
	for d.More() && err == nil {
		var key json.Token
		if key, err = d.Token(); err != nil {
			break
		}
		has[fmt.Sprint(key)] = true
		if enough && len(has) == 1 && onlyOurs(has) {
			return has, nil
		}
		err = d.Decode(&json.RawMessage{})
	}
	if err == nil {
		_, err = d.Token()
	}
	return has, err
}

func breaksOff(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// onlyOurs tells whether an object has a manifest's keys alone, as far as it goes.
func onlyOurs(has map[string]bool) bool {
	for key := range has {
		if !slices.Contains(manifestKeys, key) {
			return false
		}
	}
	return true
}
