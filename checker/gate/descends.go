package gate

import (
	"os"
	"strconv"
	"strings"
)

// mostAncestors bounds a chain of parents.
const mostAncestors = 64

// descends tells whether a process was made by another, or by what that made. The
// number of a process that a program says can be that of a stranger: in another PID
// namespace numbers are others.
func descends(pid, from int) bool {
	for range mostAncestors {
		switch pid = parent(pid); {
		case pid == from:
			return true
		case pid <= 1:
			return false
		}
	}
	return false
}

// parent is the fourth field of /proc/PID/stat (proc(5)); 0 when there is none.
func parent(pid int) int {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	// The second one, in parentheses, is a name that may hold anything.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 2 {
		return 0
	}
	n, err := strconv.Atoi(fields[1])
	if err != nil {
		return 0
	}
	return n
}
