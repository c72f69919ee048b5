package agent

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

func post(t *testing.T, url, body string) (int, string) {
	t.Helper()
	resp, err := http.Post(url+"/chat/completions", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestEndpointAsksOneCallATurn(t *testing.T) {
	var seen []string
	e, err := ServeScript([]Call{bash("one"), bash("two")}, func(_ int, reply string) { seen = append(seen, reply) })
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ body, want string }{
		{`{"messages":[{"role":"user","content":"hi"}]}`, "A scripted session"},
		{`{"tools":[{}],"messages":[{"role":"user","content":"hi"}]}`, `\"command\":\"one\"`},
		{`{"tools":[{}],"messages":[{"role":"tool","content":"first"}]}`, `\"command\":\"two\"`},
		{`{"tools":[{}],"messages":[{"role":"tool","content":"first"},{"role":"tool","content":[{"type":"text","text":"second"}]}]}`, "Done."},
	} {
		if code, got := post(t, e.URL, c.body); code != http.StatusOK || !strings.Contains(got, c.want) || !strings.HasSuffix(got, "data: [DONE]\n\n") {
			t.Errorf("%s: status %d, got %s, want %s", c.body, code, got, c.want)
		}
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if got := strings.Join(seen, ","); got != "first,second" {
		t.Errorf("replies told: %s", got)
	}
	if r := e.Replies(); r[0] != "first" || r[1] != "second" {
		t.Errorf("replies kept: %v", r)
	}
}

func TestEndpointReportsWhatIsNoCompletion(t *testing.T) {
	e, err := ServeScript(nil, func(int, string) {})
	if err != nil {
		t.Fatal(err)
	}
	if code, _ := post(t, e.URL, "{"); code != http.StatusBadRequest {
		t.Errorf("status %d", code)
	}
	if err := e.Close(); err == nil {
		t.Error("Close hides that a request made no sense")
	}
}
