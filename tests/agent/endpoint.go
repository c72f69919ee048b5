package agent

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Call is one tool call that the scripted model asks for. Tool and the keys of
// Args are those of opencode's tools ("bash", "read", "edit", "write").
type Call struct {
	Tool string
	Args map[string]any
}

// Endpoint is an OpenAI-compatible chat completion service on 127.0.0.1 whose
// model asks for the given calls, one a turn, and then says that it is done.
// Which turn it is follows from the conversation that the client sends, so a
// repeated request gets the same answer.
type Endpoint struct {
	URL string // for the provider's baseURL, ends in /v1

	calls   []Call
	onReply func(turn int, reply string)
	server  *http.Server

	mu      sync.Mutex
	replies map[int]string
	system  string
	err     error
}

// ServeScript starts an endpoint. onReply is called once a turn with what the
// agent answered to the call, from the server's goroutine.
func ServeScript(calls []Call, onReply func(turn int, reply string)) (*Endpoint, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("scripted model: %w", err)
	}
	e := &Endpoint{
		URL:     "http://" + l.Addr().String() + "/v1",
		calls:   calls,
		onReply: onReply,
		replies: map[int]string{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", e.complete)
	e.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := e.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			e.fail(err)
		}
	}()
	return e, nil
}

// Close stops the endpoint and tells the first error that it met.
func (e *Endpoint) Close() error {
	err := e.server.Close()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err != nil {
		return e.err
	}
	return err
}

// Replies returns what the agent answered so far, by turn.
func (e *Endpoint) Replies() map[int]string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.replies)
}

// System returns the system messages of the last request that offered tools: what
// the agent tells its model beside the conversation.
func (e *Endpoint) System() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.system
}

func (e *Endpoint) fail(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err == nil {
		e.err = fmt.Errorf("scripted model: %w", err)
	}
}

// chatRequest holds what the script needs of a chat completion request.
type chatRequest struct {
	Model    string            `json:"model"`
	Tools    []json.RawMessage `json:"tools"`
	Messages []struct {
		Role    string  `json:"role"`
		Content content `json:"content"`
	} `json:"messages"`
}

// content is a message's text: a string, or a list of parts with a text each.
type content string

func (c *content) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*c = content(s)
		return nil
	}
	var parts []struct {
		Text string `json:"text"`
	}
	if err := json.Unmarshal(b, &parts); err != nil {
		return err
	}
	var all strings.Builder
	for _, p := range parts {
		all.WriteString(p.Text)
	}
	*c = content(all.String())
	return nil
}

func (e *Endpoint) complete(w http.ResponseWriter, r *http.Request) {
	var req chatRequest
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		e.fail(fmt.Errorf("request is not a chat completion: %w", err))
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	// opencode asks for a session title with a request of its own, without tools.
	if len(req.Tools) == 0 {
		stream(w, req.Model, delta{Content: "A scripted session"}, "stop")
		return
	}
	turn := e.record(req)
	if turn >= len(e.calls) {
		stream(w, req.Model, delta{Content: "Done."}, "stop")
		return
	}
	d, err := toolCall(turn, e.calls[turn])
	if err != nil {
		e.fail(err)
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	stream(w, req.Model, d, "tool_calls")
}

// record keeps the tool results of a request and returns their number, which
// is the turn to answer with.
func (e *Endpoint) record(req chatRequest) int {
	turn := 0
	var system strings.Builder
	for _, m := range req.Messages {
		if m.Role == "system" {
			system.WriteString(string(m.Content) + "\n")
		}
		if m.Role != "tool" {
			continue
		}
		e.keep(turn, string(m.Content))
		turn++
	}
	e.mu.Lock()
	e.system = system.String()
	e.mu.Unlock()
	return turn
}

func (e *Endpoint) keep(turn int, reply string) {
	e.mu.Lock()
	_, known := e.replies[turn]
	e.replies[turn] = reply
	e.mu.Unlock()
	if !known {
		e.onReply(turn, reply)
	}
}

// delta is the changed part of a streamed message.
type delta struct {
	Role      string     `json:"role,omitempty"`
	Content   string     `json:"content,omitempty"`
	ToolCalls []callPart `json:"tool_calls,omitempty"`
}

type callPart struct {
	Index    int    `json:"index"`
	ID       string `json:"id"`
	Type     string `json:"type"`
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

func toolCall(turn int, c Call) (delta, error) {
	args, err := json.Marshal(c.Args)
	if err != nil {
		return delta{}, fmt.Errorf("arguments of turn %d: %w", turn, err)
	}
	part := callPart{ID: fmt.Sprintf("call_%d", turn), Type: "function"}
	part.Function.Name = c.Tool
	part.Function.Arguments = string(args)
	return delta{ToolCalls: []callPart{part}}, nil
}

// stream writes one answer as server-sent events: the delta, the reason for
// stopping with a token count, and the end mark.
func stream(w http.ResponseWriter, model string, d delta, finish string) {
	d.Role = "assistant"
	var events bytes.Buffer
	for _, c := range []struct {
		delta  delta
		finish any
	}{{d, nil}, {delta{}, finish}} {
		b, err := json.Marshal(map[string]any{
			"id": "scripted", "object": "chat.completion.chunk", "created": 0, "model": model,
			"choices": []any{map[string]any{"index": 0, "delta": c.delta, "finish_reason": c.finish}},
			"usage":   map[string]int{"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
		})
		if err != nil { // strings and numbers only: cannot happen
			panic(err)
		}
		fmt.Fprintf(&events, "data: %s\n\n", b)
	}
	events.WriteString("data: [DONE]\n\n")
	w.Header().Set("Content-Type", "text/event-stream")
	// A client that went away shows as an act that was never answered.
	_, _ = w.Write(events.Bytes())
}
