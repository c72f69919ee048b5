package profile

import (
	"os"
	"testing"
)

// BenchmarkArgv is what `ocjail run` spends on the embedded profile.
func BenchmarkArgv(b *testing.B) {
	home := b.TempDir()
	if err := os.MkdirAll(home+"/proj", 0o755); err != nil {
		b.Fatal(err)
	}
	h := Host{User: "u", Home: home, Project: home + "/proj", WorkDir: home + "/proj", CacheDir: home + "/.cache/ocjail",
		FS: Root(), Lookup: os.LookupEnv}
	for b.Loop() {
		p, err := Embedded("opencode")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := p.Argv(h, nil, []string{"sh"}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		if _, err := Embedded("opencode"); err != nil {
			b.Fatal(err)
		}
	}
}
