package engine

import (
	"fmt"
	"slices"
	"strings"
)

// Need is a base document that a rule reads.
type Need struct {
	Keys []string `json:"keys"` // that lead to it below data, as far as the rule writes them out
	At   string   `json:"at"`   // the file and line that reads it
}

// mayBeEmpty are the lists that start out empty; any other empty list that a
// rule reads is a mistake, for the rule would find nothing, quickly and quietly.
var mayBeEmpty = []string{"data.ocjail.tolerated"}

// Check makes sure that the document is there and holds something: to Rego what is
// absent is undefined, so a rule that reads it finds nothing.
func (n Need) Check(data map[string]any) error {
	var v any = data
	path := "data"
	for _, key := range n.Keys {
		object, ok := v.(map[string]any)
		if !ok {
			break
		}
		path += "." + key
		if v, ok = object[key]; !ok {
			return &LackError{fmt.Sprintf("%s: %s is not there: put it into a file below data/, and name the folder that both are in", n.At, path)}
		}
	}
	if !empty(v) || slices.ContainsFunc(mayBeEmpty, func(p string) bool { return strings.HasPrefix(path, p+".") }) {
		return nil
	}
	return fmt.Errorf("%s: %s is empty, so the rule that reads it would find nothing", n.At, path)
}

// LackError says that a list which a rule reads is not there.
type LackError struct{ message string }

func (e *LackError) Error() string { return e.message }

func empty(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	case string:
		return v == ""
	}
	return v == nil
}
