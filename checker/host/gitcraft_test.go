package host

import (
	"crypto/sha1"
	"encoding/binary"
	"maps"
	"slices"
	"strings"
	"testing"
)

// version4 makes an index of names that build on each other: each drops some
// bytes of the last and adds some. Its checksum is left out.
func version4(mode uint32, drops []int, adds []string) []byte {
	data := binary.BigEndian.AppendUint32(append([]byte("DIRC"), 0, 0, 0, 4), uint32(len(adds)))
	length := 0
	for i, add := range adds {
		length += len(add) - drops[i]
		entry := make([]byte, statSize+sha1.Size+2)
		binary.BigEndian.PutUint32(entry[modeOffset:], mode)
		binary.BigEndian.PutUint16(entry[len(entry)-2:], uint16(min(length, flagNameLength)))
		data = append(append(data, entry...), byte(drops[i]))
		data = append(append(data, add...), 0)
	}
	return append(data, make([]byte, sha1.Size)...)
}

// An index of the largest size must not hold up a launch, whatever it says: each of its
// bytes is worked on about once.
func TestCraftedIndexIsQuick(t *testing.T) {
	const n = 990_000 // 64 MiB
	long := strings.Repeat("a", 4000)
	growing, drops, counting := make([]string, n), make([]int, n), make([]string, n)
	for i := range n {
		growing[i], drops[i] = "a", 3
		counting[i] = string([]byte{byte(1 + i/65025), byte(1 + i/255%255), byte(1 + i%255)})
	}
	drops[0], counting[0] = 0, long+counting[0]
	for name, tc := range map[string]struct {
		mode  uint32
		drops []int
		adds  []string
		want  string
	}{
		"shared beginnings": {0o100644, drops, counting, ""},
		"growing names":     {0o100644, make([]int, n), growing, "more than 4096 bytes"},
		"submodules":        {modeGitlink, drops, counting, "together"},
		"sparse":            {modeTree, drops, counting, "together"},
	} {
		data := version4(tc.mode, tc.drops, tc.adds)
		if len(data) < 60<<20 || len(data) > indexLimit {
			t.Fatalf("%s: %d bytes", name, len(data))
		}
		found := newSeeker(slices.Collect(maps.Keys(wantTracked)))
		_, err := scanFor(found, data, sha1.New)
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
		if int(found.effort) > len(data) || found.kept > maxKept+maxName || len(found.index.Gitlinks) > maxKept {
			t.Errorf("%s: %d bytes of names compared or copied, %d kept, of an index of %d", name, found.effort, found.kept, len(data))
		}
	}
}
