// Package spelling proposes the name that somebody probably meant. It is used where no
// HCL is linked, too.
package spelling

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/agext/levenshtein"
)

// most bounds what is proposed.
const most = 3

// DidYouMean is `, did you mean "x" or "y"?` for the known names that are closest to
// given, in their order, and at most two edits away (HCL's own threshold), else "".
func DidYouMean(given string, known []string) string {
	var closest []string
	least := 2
	for _, k := range known {
		switch n := edits(given, k); {
		case n < least:
			closest, least = []string{strconv.Quote(k)}, n
		case n == least && len(closest) < most:
			closest = append(closest, strconv.Quote(k))
		}
	}
	if closest == nil {
		return ""
	}
	return fmt.Sprintf(", did you mean %s?", strings.Join(closest, " or "))
}

// edits counts them, two neighbours that changed places as one.
func edits(given, known string) int {
	a, b := []rune(given), []rune(known)
	if len(a) == len(b) {
		i := 0
		for i < len(a) && a[i] == b[i] {
			i++
		}
		if i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && slices.Equal(a[i+2:], b[i+2:]) {
			return 1
		}
	}
	return levenshtein.Distance(given, known, nil)
}
