package agent

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/creack/pty"

	"github.com/refnil/opencode-jail-devenv/checker/gate/gatetest"
)

// answers are what a terminal says to opencode's questions about it (XTerm
// Control Sequences, CSI and OSC); without them its screen stays empty.
var answers = map[string]string{
	"\x1b[6n": "\x1b[1;1R", "\x1b[14t": "\x1b[4;480;640t", "\x1b[>0q": "\x1bP>|XTerm(380)\x1b\\", "\x1b[?u": "\x1b[?0u", "\x1b[c": "\x1b[?62c",
}

func answer(asked string) string {
	var said strings.Builder
	for question, a := range answers {
		said.WriteString(strings.Repeat(a, strings.Count(asked, question)))
	}
	for i := range 20 { // colours
		for _, head := range []string{fmt.Sprintf("\x1b]4;%d;", i), fmt.Sprintf("\x1b]%d;", i)} {
			said.WriteString(strings.Repeat(head+"rgb:1111/2222/3333\a", strings.Count(asked, head+"?\a")))
		}
	}
	return said.String()
}

// The full-screen interface behaves under ocjail as without it: it draws, follows
// a resize, takes what is typed, and leaves the terminal as it was.
func TestFullScreen(t *testing.T) {
	tools, err := FindTools(moduleRoot, t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		launch []string
	}{{"without a jail", nil}, {"under ocjail", []string{"ocjail", "run", "--project", projectDir, "--"}}} {
		t.Run(c.name, func(t *testing.T) {
			model, err := ServeScript(nil, func(int, string) {})
			if err != nil {
				t.Fatal(err)
			}
			defer model.Close()
			w, err := NewWorld(tools, model.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			argv := append(append(w.stage(tools.Bwrap), c.launch...), "opencode")
			cmd := exec.Command(argv[0], argv[1:]...)
			cmd.Dir, cmd.Env, cmd.SysProcAttr = w.dir, append(w.environ(), "TERM=xterm-256color"), w.user.attr()
			screen := gatetest.OnTerminal(t, cmd, answer)
			screen.Expect("\x1b[?1049h") // the other screen
			screen.Expect("ctrl+p")      // the last line of the first picture
			if err := pty.Setsize(screen.Pty, &pty.Winsize{Rows: 33, Cols: 111}); err != nil {
				t.Fatal(err)
			}
			screen.Expect("\x1b[33;1H")
			screen.Type("typed here")
			screen.Expect("here")
			screen.Type("\x03") // clears the line
			screen.Expect("Ask anything")
			screen.Type("\x03")
			screen.Expect("\x1b[?1049l")
			o := screen.End()
			if o.Status != 0 {
				t.Errorf("%+v", o)
			}
			if strings.Contains(o.Stdout, "ocjail:") {
				t.Errorf("the review cries wolf: %q", o.Stdout)
			}
		})
	}
}
