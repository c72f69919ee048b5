package worker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

// announced is a Load as it is sent: with the sizes of the files, whose contents
// follow in this order.
type announced struct {
	Protocol  int               `json:"protocol"`
	Sources   []announcedSource `json:"sources"`
	TimeLimit int64             `json:"time_limit_ns"`
}

type announcedSource struct {
	Name   string          `json:"name"`
	Files  []announcedFile `json:"files"`
	Layer  string          `json:"layer,omitempty"`
	Bundle string          `json:"bundle,omitempty"`
}

type announcedFile struct {
	Name string `json:"name"`
	Size int    `json:"size"` // bytes
}

var errLarge = fmt.Errorf("rules of more than %d MiB", maxMessage>>20)

// appendLoad writes the messages for a worker that are sent first.
func appendLoad(h Handover, l Load) ([]byte, error) {
	a := announced{Protocol: l.Protocol, TimeLimit: l.TimeLimit}
	var contents [][]byte
	total := 0
	for _, s := range l.Sources {
		to := announcedSource{Name: s.Name, Layer: s.Layer, Bundle: s.Bundle}
		for _, name := range slices.Sorted(maps.Keys(s.Files)) {
			text := s.Files[name]
			to.Files = append(to.Files, announcedFile{name, len(text)})
			contents = append(contents, text)
			if total += len(text); total > maxMessage {
				return nil, errLarge
			}
		}
		a.Sources = append(a.Sources, to)
	}
	handover, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	header, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	if len(header) > maxMessage {
		return nil, errLarge
	}
	all := make([]byte, 0, 8+len(handover)+len(header)+total)
	all = appendMessage(appendMessage(all, handover), header)
	for _, text := range contents {
		all = append(all, text...)
	}
	return all, nil
}

// ReceiveLoad reads what a client sends first.
func ReceiveLoad(r io.Reader) (h Handover, l Load, err error) {
	if err := Receive(r, &h); err != nil {
		return h, l, err
	}
	var a announced
	if err := Receive(r, &a); err != nil {
		return h, l, err
	}
	l.Protocol, l.TimeLimit = a.Protocol, a.TimeLimit
	if l.Protocol != Protocol {
		return h, l, fmt.Errorf("protocol %d, not %d", l.Protocol, Protocol)
	}
	total := 0
	for _, s := range a.Sources {
		for _, f := range s.Files {
			if f.Size < 0 || f.Size > maxMessage-total {
				return h, l, fmt.Errorf("%s: %w", f.Name, errLarge)
			}
			total += f.Size
		}
	}
	var contents bytes.Buffer
	contents.Grow(min(total, reserved) + bytes.MinRead)
	if _, err := io.CopyN(&contents, r, int64(total)); err != nil {
		return h, l, io.ErrUnexpectedEOF
	}
	for _, s := range a.Sources {
		to := Source{Name: s.Name, Layer: s.Layer, Bundle: s.Bundle, Files: map[string][]byte{}}
		for _, f := range s.Files {
			if _, twice := to.Files[f.Name]; twice {
				return h, l, errors.New("two files of one name")
			}
			text := contents.Next(f.Size)
			to.Files[f.Name] = text[:len(text):len(text)]
		}
		l.Sources = append(l.Sources, to)
	}
	return h, l, nil
}

// reserved is how much memory is taken on an announcement alone, in bytes.
const reserved = 1 << 20
