// Package spelling proposes the name that somebody probably meant. It is used where no
// HCL is linked, too.
package spelling

import (
	"fmt"

	"github.com/agext/levenshtein"
)

// DidYouMean is `, did you mean "x"?` for the closest known name, of those equally
// close the first, that is at most two edits away from given (HCL's own threshold),
// else "".
func DidYouMean(given string, known []string) string {
	closest, least := "", 3
	for _, k := range known {
		if n := levenshtein.Distance(given, k, nil); n < least {
			closest, least = k, n
		}
	}
	if closest == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %q?", closest)
}
