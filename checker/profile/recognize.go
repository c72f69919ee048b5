package profile

import (
	"bytes"
	"errors"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
)

// ErrForeign is of a file that breaks off and has nothing of a profile's: HCL of
// version 1, as Nomad, Consul and Vault read it, is not always HCL of version 2.
var ErrForeign = errors.New("it is no HCL of version 2, and has nothing of a profile's")

// Recognize tells a profile from other HCL by what most profiles have. The error is of
// a file that breaks off: ErrForeign, or of one that could be a profile.
func Recognize(file string, src []byte) (is bool, err error) {
	if len(bytes.TrimSpace(src)) == 0 {
		return true, nil
	}
	o, err := hclfile.OutlineOf(filepath.Base(file), src)
	switch {
	case o.Blocks["project"] || o.Arguments["command"]:
		return true, err
	case err != nil && foreign(o):
		return false, ErrForeign
	}
	return false, err
}

// foreign goes by the names at the top, as far as they could be read. A word that is cut
// short could be the beginning of any.
func foreign(o hclfile.Outline) bool {
	ours := hclfile.Names(reflect.TypeFor[body]())
	seen := slices.AppendSeq(slices.Collect(maps.Keys(o.Arguments)), maps.Keys(o.Blocks))
	if len(seen) > 0 {
		return !slices.ContainsFunc(seen, func(name string) bool { return slices.Contains(ours, name) })
	}
	return o.Broken != "" && !slices.ContainsFunc(ours, func(name string) bool { return strings.HasPrefix(name, o.Broken) })
}
