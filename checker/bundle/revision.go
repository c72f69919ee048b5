package bundle

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Revision says which of two bundles is the newer: one to four whole numbers with
// dots between them, as in 42, 20261126 or 3.1.0. They are compared from the left,
// and what is missing is 0, so that 3.1 and 3.1.0 are one revision. The zero value
// comes before all others.
type Revision struct {
	text  string
	parts [4]uint64
}

// ParseRevision reads a revision.
func ParseRevision(s string) (Revision, error) {
	r := Revision{text: s}
	words := strings.Split(s, ".")
	bad := len(words) > len(r.parts)
	for i, w := range words {
		if bad {
			break
		}
		n, err := strconv.ParseUint(w, 10, 63)
		bad = err != nil || strconv.FormatUint(n, 10) != w // no sign, no leading zero
		r.parts[i] = n
	}
	if bad {
		return Revision{}, fmt.Errorf("revision %.40q: write a whole number or up to four with dots, as in 42 or 3.1.0, so that it can be told which of two is newer", s)
	}
	return r, nil
}

// Compare is -1 when r is older than o, 0 when they are one, 1 when it is newer.
func (r Revision) Compare(o Revision) int {
	for i := range r.parts {
		if c := cmp.Compare(r.parts[i], o.parts[i]); c != 0 {
			return c
		}
	}
	return 0
}

// String is the revision as it was written.
func (r Revision) String() string { return r.text }

// MarshalText writes the revision.
func (r Revision) MarshalText() ([]byte, error) { return []byte(r.text), nil }

// UnmarshalText reads a revision.
func (r *Revision) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRevision(string(text))
	return err
}
