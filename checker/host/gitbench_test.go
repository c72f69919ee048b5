package host

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// largeIndex makes an index of n entries without a work tree.
func largeIndex(b *testing.B, dir, version string, n int) Git {
	b.Helper()
	mkdir(b, dir)
	git(b, dir, "init", "-q")
	var list strings.Builder
	for i := range n {
		fmt.Fprintf(&list, "100644 %040x\tsrc/module%03d/package%02d/file%05d.go\n", i+1, i%500, i%37, i)
	}
	write(b, dir+"/list", list.String())
	cmd := exec.Command("sh", "-c", "git update-index --index-info <list && git update-index --index-version "+version)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	return findGit(b, dir)
}

func BenchmarkTrackedOf50000(b *testing.B) {
	wanted := make([]string, 100)
	for i := range wanted {
		wanted[i] = fmt.Sprintf("src/module%03d/package%02d", i*5, i)
	}
	for _, version := range []string{"2", "4"} {
		g := largeIndex(b, tempDir(b), version, 50_000)
		b.Run("v"+version, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := NewFS().TrackedOf(g, wanted)
				check(b, err)
			}
		})
	}
}
