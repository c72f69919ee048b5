package profile

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
)

// ErrForeign is of a file that is no profile by its looks, and of which that is worth a
// word: somebody can have misspelt much.
var ErrForeign = errors.New("it is no profile")

var (
	// HCL of version 1, as Nomad, Consul and Vault read it, is not always HCL of version 2.
	errOtherHCL = fmt.Errorf("%w: it is no HCL of version 2, and has nothing of a profile's", ErrForeign)
	// The .copywrite.hcl of HashiCorp's repositories has a project block.
	errOtherProject = fmt.Errorf("%w: its project block has no access, and nothing else in it is a profile's", ErrForeign)
)

// Recognize tells a profile from other HCL by what most profiles have. The error is
// ErrForeign, or of a file that breaks off and could be a profile.
func Recognize(file string, src []byte) (is bool, err error) {
	if len(bytes.TrimSpace(src)) == 0 {
		return true, nil
	}
	o, err := hclfile.OutlineOf(file, src)
	switch {
	case err == nil && o.Blocks["project"] && !o.Within["project.access"] && foreign(o, "project"):
		return false, errOtherProject
	case o.Blocks["project"] || o.Arguments["command"]:
		return true, err
	case err != nil && foreign(o):
		return false, errOtherHCL
	}
	return false, err
}

// foreign goes by the names at the top but for others, as far as they could be read. A
// word that is cut short could be the beginning of any.
func foreign(o hclfile.Outline, but ...string) bool {
	ours := hclfile.Names(reflect.TypeFor[body]())
	seen := slices.AppendSeq(slices.Collect(maps.Keys(o.Arguments)), maps.Keys(o.Blocks))
	seen = slices.DeleteFunc(seen, func(name string) bool { return slices.Contains(but, name) })
	if len(seen) > 0 {
		return !slices.ContainsFunc(seen, func(name string) bool { return slices.Contains(ours, name) })
	}
	return o.Broken != "" && !slices.ContainsFunc(ours, func(name string) bool { return strings.HasPrefix(name, o.Broken) })
}
