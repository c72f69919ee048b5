package sandbox

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// checkOperand refuses what bwrap refuses, and what its strtol would read in a
// way that a reader of the argv does not expect ("+3", " 3", 2^32+3).
func checkOperand(kind operand, v string) error {
	check, ok := operandChecks[kind]
	switch {
	case ok && !check.holds(v):
		return errors.New(check.otherwise)
	case len(v) >= pathMax && (kind == source || kind == dest || kind == location):
		return fmt.Errorf("%d bytes long, and a path has %d at most (PATH_MAX, path_resolution(7)): shorten it", len(v), pathMax-1)
	}
	return nil
}

// pathMax is how many bytes a path may have with its NUL. Of a longer one bwrap makes
// nothing, but for a source in which names cancel each other out; to simulate it would
// take the square of its length.
const pathMax = 4096

var operandChecks = map[operand]struct {
	holds     func(string) bool
	otherwise string
}{
	fd:       {isNumber, "not a number from 0 to 2147483647"},
	number:   {isNumber, "not a number from 0 to 2147483647"},
	octal:    {isOctal, "not octal permissions up to 07777"},
	size:     {isSize, "not a number of bytes above 0"},
	variable: {func(v string) bool { return v != "" && !strings.Contains(v, "=") }, "not the name of an environment variable"},
	source:   {func(v string) bool { return v != "" }, "empty path"},
	dest:     {func(v string) bool { return v != "" }, "empty path"},
}

func isNumber(v string) bool {
	n, err := strconv.ParseInt(v, 10, 32)
	return err == nil && n >= 0 && strconv.FormatInt(n, 10) == v
}

func isOctal(v string) bool {
	n, err := strconv.ParseUint(v, 8, 32)
	return err == nil && n <= 0o7777
}

func isSize(v string) bool {
	n, err := parseSize(v)
	return err == nil && n > 0
}

// parseSize reads what C's strtoull does with base 0: decimal, 0x hexadecimal or
// 0 octal, without signs and spaces.
func parseSize(v string) (uint64, error) {
	if hex, ok := strings.CutPrefix(strings.ToLower(v), "0x"); ok {
		return strconv.ParseUint(hex, 16, 63)
	}
	if strings.HasPrefix(v, "0") {
		return strconv.ParseUint(v, 8, 63)
	}
	return strconv.ParseUint(v, 10, 63)
}
