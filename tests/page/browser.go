package page

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// patience bounds one answer of the browser.
const patience = 60 * time.Second

// Browser is a headless Chromium with one tab.
type Browser struct {
	cmd      *exec.Cmd
	in       io.WriteCloser
	messages chan message
	session  string
	last     int
	dir      string
	stop     context.CancelFunc
	// Events are what the tab told so far, by the name of the event.
	Events map[string][]json.RawMessage
}

type message struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// Open starts the browser. Its messages pass through two pipes, descriptors 3 and
// 4, each ended by a NUL.
func Open() (*Browser, error) {
	program, err := exec.LookPath("chromium")
	if err != nil {
		return nil, fmt.Errorf("%w: run tests/install/install.sh tests, or apt-get install chromium", err)
	}
	dir, err := os.MkdirTemp("", "ocjail-browser-")
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	b := &Browser{Events: map[string][]json.RawMessage{}, messages: make(chan message, 1024), dir: dir, stop: stop}
	b.cmd = exec.CommandContext(ctx, program, "--headless", "--remote-debugging-pipe", "--user-data-dir="+dir,
		// The page is ours; Chromium's own sandbox starts neither as root nor in a container.
		"--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-extensions", "--host-resolver-rules=MAP * ~NOTFOUND", "--hide-scrollbars", "about:blank")
	b.cmd.Env = append(os.Environ(), "HOME="+dir)
	return b, errors.Join(b.start())
}

func (b *Browser) start() error {
	commandsR, commandsW, err := os.Pipe()
	if err != nil {
		return err
	}
	answersR, answersW, err := os.Pipe()
	if err != nil {
		return err
	}
	b.in, b.cmd.ExtraFiles = commandsW, []*os.File{commandsR, answersW}
	b.cmd.WaitDelay = time.Second
	err = b.cmd.Start()
	if err := errors.Join(err, commandsR.Close(), answersW.Close()); err != nil {
		return err
	}
	go b.read(answersR)
	return b.attach()
}

func (b *Browser) read(r io.ReadCloser) {
	defer r.Close()
	defer close(b.messages)
	lines := bufio.NewReader(r)
	for {
		text, err := lines.ReadBytes(0)
		if err != nil {
			return
		}
		var m message
		if err := json.Unmarshal(text[:len(text)-1], &m); err != nil {
			return
		}
		b.messages <- m
	}
}

func (b *Browser) attach() error {
	var tab struct {
		ID string `json:"targetId"`
	}
	if err := b.Call("Target.createTarget", map[string]any{"url": "about:blank"}, &tab); err != nil {
		return err
	}
	var s struct {
		ID string `json:"sessionId"`
	}
	if err := b.Call("Target.attachToTarget", map[string]any{"targetId": tab.ID, "flatten": true}, &s); err != nil {
		return err
	}
	b.session = s.ID
	for _, domain := range []string{"Page", "Runtime", "Network", "Log"} {
		if err := b.Call(domain+".enable", nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// Call sends one command and waits for its result.
func (b *Browser) Call(method string, params, result any) error {
	b.last++
	text, err := json.Marshal(map[string]any{"id": b.last, "method": method, "params": params, "sessionId": b.session})
	if params == nil && err == nil {
		text, err = json.Marshal(map[string]any{"id": b.last, "method": method, "sessionId": b.session})
	}
	if err != nil {
		return err
	}
	if _, err := b.in.Write(append(text, 0)); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	id := b.last
	m, err := b.until(func(m message) bool { return m.ID == id })
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", method, err)
	case m.Error != nil:
		return fmt.Errorf("%s: %s", method, m.Error.Message)
	case result == nil:
		return nil
	}
	return json.Unmarshal(m.Result, result)
}

// until keeps events until a message that is waited for.
func (b *Browser) until(wanted func(message) bool) (message, error) {
	late := time.After(patience)
	for {
		select {
		case m, ok := <-b.messages:
			if !ok {
				return m, errors.New("the browser has ended")
			}
			if m.Method != "" {
				b.Events[m.Method] = append(b.Events[m.Method], m.Params)
			}
			if wanted(m) {
				return m, nil
			}
		case <-late:
			return message{}, fmt.Errorf("no answer within %s", patience)
		}
	}
}

// Load opens a file and waits until it is loaded. Events are those since then.
func (b *Browser) Load(file, fragment string) error {
	// By way of another page, for a new fragment alone does not load a page again.
	if err := b.visit("about:blank"); err != nil {
		return err
	}
	clear(b.Events)
	return b.visit("file://" + file + fragment)
}

func (b *Browser) visit(url string) error {
	if err := b.Call("Page.navigate", map[string]any{"url": url}, nil); err != nil {
		return err
	}
	protocol, _, _ := strings.Cut(url, ":")
	for end := time.Now().Add(patience); ; {
		var state string
		if err := b.Evaluate("location.protocol + document.readyState", &state); err == nil && state == protocol+":complete" {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s was not loaded within %s", url, patience)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// Evaluate runs an expression in the page; a promise is waited for.
func (b *Browser) Evaluate(expression string, result any) error {
	var r struct {
		Result struct {
			Value json.RawMessage `json:"value"`
		} `json:"result"`
		Exception json.RawMessage `json:"exceptionDetails"`
	}
	err := b.Call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true}, &r)
	if err != nil {
		return err
	}
	if r.Exception != nil {
		return fmt.Errorf("%s: %s", expression[:min(len(expression), 80)], r.Exception)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(r.Result.Value, result)
}

// Press presses keys, by the names of KeyboardEvent.key.
func (b *Browser) Press(keys ...string) error {
	for _, key := range keys {
		down := map[string]any{"type": "keyDown", "key": key, "code": key}
		if len(key) == 1 {
			down["text"] = key
		}
		if i := slices.Index([]string{"Tab", "Enter", "Escape", "ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown"}, key); i >= 0 {
			down["windowsVirtualKeyCode"] = []int{9, 13, 27, 37, 38, 39, 40}[i]
			if key == "Enter" {
				down["text"] = "\r"
			}
		}
		if err := b.Call("Input.dispatchKeyEvent", down, nil); err != nil {
			return err
		}
		if err := b.Call("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": key, "code": key}, nil); err != nil {
			return err
		}
	}
	return nil
}

// Close ends the browser and removes what it left.
func (b *Browser) Close() error {
	b.stop()
	_ = b.in.Close()
	_ = b.cmd.Wait() // it was killed
	// Its helpers go a moment later, and write until then.
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if err := os.RemoveAll(b.dir); err == nil || time.Now().After(end) {
			return err
		}
	}
}
