package manifest

import (
	"bytes"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// fragments are parts of words whose joints are where shells differ.
var fragments = []string{
	"~", "~/", "/a", "$HOME", "${HOME}", `"$HOME"`, `"${PWD}/b"`, "'q $HOME'", `\ `, `\"`, `\$`, `"a\"b"`, `"\$HOME"`, `"~"`, "b~", "x=~/x",
	"$PWD", "x", `"\a"`, `\\`, `"a\\b"`, ":~", `""`, "''", "a#b", "#", "^", "%", "@", "+", "}", "a,b", "{a,b}", "*", "[x]", "-", " ", "  ",
}

// What is known is what bash makes of it; the rest is left open.
func TestKnownWordsAreBashs(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Fatal("this test needs bash: apt-get install bash, or your distribution's like")
	}
	dir := t.TempDir()
	vars := variables{"HOME": "/home/de v", "PWD": dir}
	r := rand.New(rand.NewPCG(1, 2))
	script := "f() { printf '%s\\0' \"$#\" \"$@\"; }\n"
	var texts []string
	var got [][]string
	for range 2000 {
		text := "-"
		for range 1 + r.IntN(8) {
			text += fragments[r.IntN(len(fragments))]
		}
		s := &shell{}
		s.add("id", "/bin/bwrap "+text)
		d := &decoder{vars: vars}
		if err := d.command(s); err != nil || len(d.opens) > 0 {
			continue
		}
		words, _ := d.words()
		script += "f " + text + "\n"
		texts, got = append(texts, text), append(got, words)
	}
	if len(texts) < 500 {
		t.Fatalf("only %d texts are known", len(texts))
	}
	c := exec.Command("bash", "-c", script)
	c.Dir, c.Env = dir, []string{"HOME=" + vars["HOME"]}
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Split(string(bytes.TrimSuffix(out, []byte{0})), "\x00")
	for i, text := range texts {
		n, err := strconv.Atoi(fields[0])
		if err != nil || n >= len(fields) {
			t.Fatalf("%s: bash's output is out of step at %q", text, fields[0])
		}
		if want := fields[1 : n+1]; !slices.Equal(got[i], want) {
			t.Errorf("%s\n got %q\nwant %q", text, got[i], want)
		}
		fields = fields[n+1:]
	}
}
